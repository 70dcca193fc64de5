// What ends a session, or an entry, on one side has ended it on the other.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startAstro, startProbe } from '../lib/servers.mjs';
import { astroStores, packageStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';

suiteOver([...astroStores, ...packageStores], 'The end of a shared session', { needs: ['probe'] }, (Store) => {
	let store, servers;
	before(async () => {
		store = await Store.open();
		const [astro, probe] = await Promise.all([startAstro(store), startProbe(store)]);
		servers = { astro, probe };
	});
	after(() => store?.close());

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
		const record = await store.read(client.id);
		await client.steps(here, { do: 'regenerate' });
		assert.equal(await store.read(client.id), record);
	});

	bothWays('after regenerate the old ID is dead', async (here, there) => {
		const client = new Client();
		await client.set(there, 'cart', ['felt-hat']);
		const old = new Client(client.cookies);
		const { id } = client;
		await client.steps(here, { do: 'regenerate' });
		// Astro removes the old record after it has answered.
		await until('the old record is gone', async () => !(await store.exists(id)));
		for (const server of [here, there]) {
			const visitor = new Client(old.cookies);
			assert.deepEqual(await visitor.keys(server), []);
			await visitor.set(server, 'cart', ['garden-boots']);
			assertNotAdopted(visitor, id, here, server);
			assert.ok(!(await store.exists(id)));
		}
	});

	/**
	 * A retired ID is no session again. Rust knows for a minute which ones it retired, and gives whoever brings one no other
	 * in its place, over the cookie of whoever logged in. Astro does not know, and gives a new one, as Rust does where
	 * Astro was it.
	 */
	function assertNotAdopted(visitor, id, retiredBy, server) {
		const { probe } = servers;
		const remembers = (one) => one === probe || Store.keepsTombstones;
		if (remembers(retiredBy) && remembers(server)) assert.deepEqual(visitor.setCookies, []);
		else assert.notEqual(visitor.id, id, `${server.name} does not adopt the ID`);
	}

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
		assert.ok(!(await store.exists(id)));
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
			assertNotAdopted(visitor, kept.id, here, server);
			assert.ok(!(await store.exists(kept.id)));
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
		assert.equal(await store.read(client.id), '[["Map"]]');
		const { id } = client;
		await client.set(there, 'b', 2);
		assert.equal(client.id, id);
	});

	bothWays('an entry with a lifetime expires on both sides at its time, and no other does', async (here, there) => {
		const client = new Client();
		await client.set(here, 'lasting', 'coat');
		await client.set(here, 'fleeting', 'snow', { ttl: 1 });
		const expires = JSON.parse(await store.read(client.id)).findLast((slot) => typeof slot === 'number');
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
		assert.equal(await store.read(client.id), '[["Map",1,2],"lasting",{"data":3,"expires":-1},"coat"]');
	});

	bothWays('an entry with a lifetime is stored as Astro stores it', async (here) => {
		const client = new Client();
		const before = Date.now();
		await client.set(here, 'code', 'coat', { ttl: 60 });
		const after = Date.now();
		const record = await store.read(client.id);
		const [, expires] = /^\[\["Map",1,2\],"code",\{"data":3,"expires":4\},"coat",(\d+)\]$/.exec(record) ?? assert.fail(record);
		assert.ok(before + 60_000 <= expires && expires <= after + 60_000, `${expires} is a minute after the request`);
	});
});
