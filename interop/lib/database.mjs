// Records in unstorage's table of real databases, through db0.
import path from 'node:path';
import { createDatabase } from 'db0';
import mysql from 'db0/connectors/mysql2';
import sqlite from 'db0/connectors/node-sqlite';
import postgres from 'db0/connectors/postgresql';
import db0Driver from 'unstorage/drivers/db0';
import { startPeer } from './peer.mjs';
import { Store } from './store.mjs';

class Database extends Store {
	async start() {
		this.config = { driver: 'db0', options: { url: await this.locate() } };
		/** For statements of the test's own. */
		this.database = this.connect();
	}

	/** The database's URL, as a Rust server takes it. */
	async locate() {
		this.peer = await startPeer(this.constructor.peer);
		return this.peer.url;
	}

	/** db0's database: a connection of its own. */
	connect() {
		throw new Error(`${this.constructor.name} cannot be connected to`);
	}

	async find(id) {
		const key = this.database.dialect === 'mysql' ? '`key`' : 'key';
		const statement = this.database.prepare(`SELECT value FROM unstorage WHERE ${key} = ?`);
		return (await statement.get(id))?.value ?? null;
	}

	driver(tableName) {
		const database = this.connect();
		return {
			...db0Driver({ database, tableName }),
			// unstorage's driver leaves the connection open.
			dispose: () => database.dispose(),
		};
	}

	async stop() {
		await this.database?.dispose();
		await this.peer?.stop();
	}
}

export class Sqlite extends Database {
	static title = 'SQLite';
	file = path.join(this.root, 'sessions.db');

	locate() {
		return `sqlite:${this.file}`;
	}

	connect() {
		return createDatabase(sqlite({ path: this.file }));
	}
}

export class Postgres extends Database {
	static title = 'PostgreSQL';
	static needs = ['postgres'];
	static peer = 'postgres';

	connect() {
		return createDatabase(postgres({ url: this.peer.url }));
	}
}

export class MariaDb extends Database {
	static title = 'MariaDB';
	static needs = ['mariadb'];
	static peer = 'mariadb';

	connect() {
		return createDatabase(mysql({ uri: this.peer.url }));
	}
}
