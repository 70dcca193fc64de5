// What every store here can do. Tests that run over several stores use nothing else.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What Rust leaves in the place of a session that it retired: a number too small to be other than zero. */
export const isTombstone = (record) => /^\d{16}\.\d{17}e-999$/.test(record) && Number(record) === 0;

export class Store {
	/** What the tests call it. */
	static title;
	/** Whether the site remembers which IDs were retired, as Rust does. */
	static keepsTombstones = false;
	/** The peers that it needs, as `suite` names them. */
	static needs = [];
	/** Where its servers run. */
	root = mkdtempSync(path.join(tmpdir(), 'cloakroom-interop-'));
	/** The servers that share it. */
	servers = [];
	/** The driver and its options, as a Rust server's configuration says them. */
	config;
	/** The output folder of the Astro site that is built for it; undefined where Astro cannot use it. */
	build;
	/** Variables for its servers. */
	environment = {};

	/** Opens a store of this kind. */
	static async open(options = {}) {
		const store = new this();
		try {
			await store.start(options);
		} catch (error) {
			await store.close();
			throw error;
		}
		return store;
	}

	/** The record's bytes as text, exactly; null where there is none. */
	async find(id) {
		throw new Error(`${this.constructor.name} finds no ${id}`);
	}

	/** The record's bytes as text, exactly. */
	async read(id) {
		return (await this.find(id)) ?? assert.fail(`there is no record ${id}`);
	}

	/** Whether there is a session: not where one was retired, which Rust remembers for a minute. */
	async exists(id) {
		const record = await this.find(id);
		return record !== null && !isTombstone(record);
	}

	/** unstorage's own driver on this store, made anew: whoever asks disposes of it. */
	driver() {
		throw new Error(`${this.constructor.name} has no driver`);
	}

	/** Stops the servers and removes the data. The Rust servers must end by themselves, without an error. */
	async close() {
		const ends = await Promise.all(this.servers.map((server) => server.stop()));
		await this.stop();
		rmSync(this.root, { recursive: true, force: true });
		for (const [index, { name, output }] of this.servers.entries()) {
			if (name !== 'astro') assert.equal(ends[index], 0, `${name} did not shut down cleanly\n${output()}`);
		}
	}

	async start() {}

	async stop() {}
}
