// unstorage's table in PostgreSQL, MySQL, MariaDB or SQLite, as its driver `db0` has it: the same rows, and the columns for
// deadlines that the Rust side adds (`cloakroom_drivers::db0` says why). The database compares the stored bytes, in the
// statement that writes, and measures all deadlines by its own clock.
import { createHash } from 'node:crypto';
import { millisecondsOf } from '../time.js';
import * as mysql from './db0/mysql.js';
import * as postgres from './db0/postgres.js';
import * as sqlite from './db0/sqlite.js';
import { statementsOf } from './db0/statements.js';
import { checkName, prepareTable } from './db0/table.js';

/** By the scheme of the URL. @type {Record<string, Dialect>} */
const DIALECTS = { mariadb: mysql, mysql, postgres, postgresql: postgres, sqlite };

/** Between two looks for items that have expired, in milliseconds. */
const BETWEEN_SWEEPS = 60_000;

/**
 * The Rust side's options, by the same names; unstorage's `database` is an object, which a built site cannot have.
 * @typedef {object} Options
 * @property {string} url `postgres://…`, `mysql://…`, `mariadb://…`, or `sqlite:` with a path.
 * @property {string} [tableName]
 * @property {boolean} [migrate] Whether to make the table and the columns for deadlines where they are missing.
 * @property {number} [maxConnections]
 * @property {number} [connectTimeout] In milliseconds. Also how long a statement is tried again that others are in the way of.
 * @property {'normal' | 'full'} [synchronous] When SQLite waits for the disk.
 */
/**
 * One of the databases.
 * @typedef {object} Dialect
 * @property {import('./db0/statements.js').Words} words
 * @property {(table: string, index: string, schema?: string) => string[]} migrations What makes the table, or adds what it lacks.
 * @property {(options: Required<Options>) => Database} open
 * @property {(error: any) => 'busy' | 'duplicate' | 'exists' | 'missing' | undefined} meaningOf What an error says: that
 *   another statement was in the way and nothing was changed; that a row of this key is there, or what was to be made; that
 *   the table or a column is not.
 * @property {(run: Run, table: string) => Promise<void>} [inspect] Refuses a table whose rows cannot be seen.
 *
 * @typedef {{ run: (sql: string, values: unknown[]) => Promise<Result>, close: () => void }} Database
 * @typedef {{ rows: any[], changed: number }} Result
 * @typedef {(statement: import('./db0/statements.js').Statement, given?: Record<string, unknown>) => Promise<Result>} Run
 */

/**
 * @param {Options} options
 * @returns {import('../session/store.js').Driver}
 */
export default function db0(options) {
	const { dialect, place, settings } = check(options);
	const database = dialect.open(settings);
	const statements = statementsOf(dialect.words, settings.tableName);

	/** @type {Run} */
	async function run(statement, given = {}) {
		const until = Date.now() + settings.connectTimeout;
		for (let tries = 1; ; tries++) {
			try {
				return await database.run(statement.sql, statement.parameters.map((name) => given[name]));
			} catch (error) {
				if (dialect.meaningOf(error) !== 'busy' || Date.now() > until) throw error;
				await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** tries, 32)));
			}
		}
	}

	/** @type {Promise<void> | undefined} */
	let prepared;
	/** @param {keyof import('./db0/statements.js').Statements} name @param {Record<string, unknown>} [given] */
	async function call(name, given) {
		try {
			await (prepared ??= prepareTable(dialect, run, settings));
		} catch (error) {
			prepared = undefined;
			throw told(error);
		}
		const statement = statements[name];
		if (!statement) return { rows: [], changed: 0 };
		return run(statement, given).catch((error) => {
			throw dialect.meaningOf(error) === 'duplicate' ? error : told(error);
		});
	}

	// Several addresses that do not answer are an error without words.
	const told = (/** @type {any} */ error) =>
		new Error(`${place}: ${error.message || error.code || error}`, { cause: error });

	/** Writes where nothing is. @param {Record<string, unknown>} given */
	async function create(given) {
		try {
			return (await call('create', given)).changed > 0;
		} catch (error) {
			if (dialect.meaningOf(error) !== 'duplicate') throw error;
			// What has ended takes no place.
			return (await call('renew', given)).changed > 0;
		}
	}

	let swept = 0;
	/** Nobody waits for it. What it cannot remove is left to the next one. */
	function sweep() {
		if (Date.now() - swept < BETWEEN_SWEEPS) return;
		swept = Date.now();
		call('sweep').catch(() => {});
	}

	return {
		name: 'db0',
		expires: true,
		close: () => database.close(),
		async get(key) {
			const [row] = (await call('get', { key })).rows;
			if (!row) return null;
			const text = Buffer.from(row.bytes).toString();
			return { text, version: text, ends: row.remaining === null ? undefined : Date.now() + Number(row.remaining) };
		},
		async set(key, text, when, ttl) {
			const given = { key, text, mark: createHash('sha256').update(text).digest('hex'), ttl: millisecondsOf(ttl) ?? null };
			let isWritten = true;
			if (when === 'always') await call('set', given);
			else if (when === 'absent') isWritten = await create(given);
			else isWritten = (await call('update', { ...given, seen: when.version })).changed > 0;
			sweep();
			return isWritten ? { version: text } : null;
		},
		async remove(key, when) {
			const isConditional = typeof when === 'object';
			const { changed } = await (isConditional
				? call('removeVersion', { key, seen: when.version })
				: call('remove', { key }));
			if (changed > 0) return 'removed';
			return isConditional && (await call('find', { key })).rows.length > 0 ? 'conflict' : 'missing';
		},
		async touch(key, ttl) {
			return (await call('touch', { key, ttl: millisecondsOf(ttl) ?? null })).changed > 0;
		},
	};
}

/** @param {Options} options */
function check({ url, tableName = 'unstorage', migrate = true, maxConnections = 10, connectTimeout = 3000, synchronous = 'normal' }) {
	const scheme = /^(\w+):/.exec(url ?? '')?.[1] ?? '';
	if (!Object.hasOwn(DIALECTS, scheme)) {
		const known = '`postgres://…`, `mysql://…`, `mariadb://…` or `sqlite:…`';
		const why = url ? 'does not begin as that of a database does' : 'is missing; a `database` of unstorage cannot be given';
		throw new Error(`[cloakroom] [db0] the option \`url\` ${why}: it has to be ${known}.`);
	}
	checkName(tableName);
	const settings = { url, tableName, migrate, maxConnections, connectTimeout, synchronous };
	return { dialect: DIALECTS[scheme], place: placeOf(url, scheme), settings };
}

/** Names the database, without secrets. @param {string} url @param {string} scheme */
function placeOf(url, scheme) {
	if (scheme === 'sqlite') return url.replace(/\?.*/, '');
	try {
		const { host, pathname } = new URL(url);
		return `${scheme}://${host}${pathname}`;
	} catch {
		return scheme;
	}
}
