// What ends a session, or an entry, on one side has ended it on the other.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { exists, read } from '../lib/records.mjs';
import { Folder, startAstro, startProbe } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';

suite('The end of a shared session', { needs: ['probe'] }, () => {
	let folder, servers;
	before(async () => {
		folder = new Folder();
		const [astro, probe] = await Promise.all([startAstro(folder), startProbe(folder)]);
		servers = { astro, probe };
	});
	after(() => folder?.close());

	/** Runs a test in both directions. */
	function bothWays(name, run) {
		test(`${name}: by Astro, seen by Rust`, (t) => run(servers.astro, servers.probe, t));
		test(`${name}: by Rust, seen by Astro`, (t) => run(servers.probe, servers.astro, t));
	}

	bothWays('regenerate moves the data to a new ID', async (here, there) => {
		const client = new Client();
		await client.set(there, 'cart', ['felt-hat']);
		const { id } = client;
		await client.steps(here, { do: 'regenerate' });
		assert.notEqual(client.id, id);
		assert.deepEqual(await client.get(there, 'cart'), ['felt-hat']);
		assert.deepEqual(await client.get(here, 'cart'), ['felt-hat']);
	});

	bothWays('regenerate keeps the bytes of the record', async (here, there) => {
		const client = new Client();
		await client.set(there, 'cart', ['felt-hat', new Date(0), new URL('http://localhost/')]);
		const record = read(folder, client.id);
		await client.steps(here, { do: 'regenerate' });
		assert.equal(read(folder, client.id), record);
	});

	bothWays('after regenerate the old ID is dead', async (here, there) => {
		const client = new Client();
		await client.set(there, 'cart', ['felt-hat']);
		const old = new Client(client.cookies);
		const { id } = client;
		await client.steps(here, { do: 'regenerate' });
		// Astro removes the old record after it has answered.
		await until('the old record is gone', () => !exists(folder, id));
		for (const server of [here, there]) {
			const visitor = new Client(old.cookies);
			assert.deepEqual(await visitor.keys(server), []);
			await visitor.set(server, 'cart', ['garden-boots']);
			assert.notEqual(visitor.id, id, `${server.name} does not adopt the old ID`);
			assert.ok(!exists(folder, id));
		}
	});

	bothWays('what is set in the request that regenerates is kept', async (here, there) => {
		const client = new Client();
		await client.set(there, 'cart', ['felt-hat']);
		await client.steps(here, { do: 'regenerate' }, { do: 'set', key: 'user', value: '[{"name":1},"Ada"]' });
		assert.deepEqual(await client.keys(there), ['cart', 'user']);
	});

	bothWays('destroy removes the record and the cookie', async (here, there) => {
		const client = new Client();
		await client.set(there, 'cart', ['felt-hat']);
		const { id } = client;
		await client.steps(here, { do: 'destroy' });
		assert.ok(!exists(folder, id));
		assert.equal(client.id, undefined);
	});

	bothWays('after destroy the cookie is unknown on both sides', async (here, there) => {
		const client = new Client();
		await client.set(there, 'cart', ['felt-hat']);
		const kept = new Client(client.cookies);
		await client.steps(here, { do: 'destroy' });
		for (const server of [here, there]) {
			const visitor = new Client(kept.cookies);
			assert.deepEqual(await visitor.keys(server), []);
			await visitor.set(server, 'cart', ['garden-boots']);
			assert.notEqual(visitor.id, kept.id, `${server.name} does not adopt the destroyed ID`);
			assert.ok(!exists(folder, kept.id));
		}
	});

	bothWays('a deleted entry is gone', async (here, there) => {
		const client = new Client();
		await client.steps(there, { do: 'set', key: 'a', value: '[1]' }, { do: 'set', key: 'b', value: '[2]' });
		await client.steps(here, { do: 'delete', key: 'a' });
		assert.deepEqual(await client.keys(there), ['b']);
	});

	bothWays('a session whose last entry was deleted stays, empty', async (here, there) => {
		const client = new Client();
		await client.set(there, 'a', 1);
		await client.steps(here, { do: 'delete', key: 'a' });
		assert.equal(read(folder, client.id), '[["Map"]]');
		const { id } = client;
		await client.set(there, 'b', 2);
		assert.equal(client.id, id);
	});

	bothWays('an entry with a lifetime expires on both sides at its time, and no other does', async (here, there) => {
		const client = new Client();
		await client.set(here, 'lasting', 'coat');
		await client.set(here, 'fleeting', 'snow', { ttl: 1 });
		const expires = JSON.parse(read(folder, client.id)).findLast((slot) => typeof slot === 'number');
		for (const server of [here, there]) {
			await until(`the entry has expired on ${server.name}`, async () => {
				const asked = Date.now();
				const there = await client.has(server, 'fleeting');
				if (there) assert.ok(asked <= expires, `${server.name} shows an entry ${asked - expires} ms after its end`);
				else assert.ok(Date.now() > expires, `${server.name} hides an entry before its end`);
				return !there;
			});
			assert.equal(await client.get(server, 'lasting'), 'coat');
		}
	});

	bothWays('an expired entry leaves the record with the next change', async (here, there) => {
		const client = new Client();
		await client.set(here, 'fleeting', 'snow', { ttl: 0.001 });
		await until('the entry has expired', async () => !(await client.has(there, 'fleeting')));
		await client.set(there, 'lasting', 'coat');
		assert.equal(read(folder, client.id), '[["Map",1,2],"lasting",{"data":3,"expires":-1},"coat"]');
	});

	bothWays('an entry with a lifetime is stored as Astro stores it', async (here) => {
		const client = new Client();
		const before = Date.now();
		await client.set(here, 'code', 'coat', { ttl: 60 });
		const after = Date.now();
		const record = read(folder, client.id);
		const [, expires] = /^\[\["Map",1,2\],"code",\{"data":3,"expires":4\},"coat",(\d+)\]$/.exec(record) ?? assert.fail(record);
		assert.ok(before + 60_000 <= expires && expires <= after + 60_000, `${expires} is a minute after the request`);
	});
});
