// What only Redis has: the lifetimes of keys, prefixes, sockets.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { interleave } from '../lib/gate.mjs';
import { RedisStore, RedisStoreWithNearCache, RedisStoreWithOptions } from '../lib/redis.mjs';
import { startAstro, startProbe } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';

const seconds = 1000;
/** What PTTL answers for a key that never expires. */
const forEver = -1;

/** Fails unless `left` is the whole of `ttl`, but for the time that the test itself took, and for a clock set back a little. */
function assertWhole(left, ttl) {
	assert.ok(ttl - 60 * seconds < left && left <= ttl + 10, `${left} ms are left of ${ttl}`);
}

suite('The options `base` and `ttl` of the redis driver, the same on Astro and Rust', { needs: ['probe', 'redis'] }, () => {
	let store, servers;
	before(async () => {
		store = await RedisStoreWithOptions.open();
		const [astro, probe] = await Promise.all([startAstro(store), startProbe(store)]);
		servers = { astro, probe };
	});
	after(() => store?.close());

	function bothWays(name, run) {
		test(`${name}: by Astro, seen by Rust`, () => run(servers.astro, servers.probe));
		test(`${name}: by Rust, seen by Astro`, () => run(servers.probe, servers.astro));
	}

	const key = ({ id }) => `site:sessions:${id}`;
	const ttl = 600 * seconds;

	bothWays('a record is under the base, and nothing else is there', async (here, there) => {
		await store.client.flushall();
		const client = new Client();
		await client.set(here, 'cart', ['felt-hat']);
		assert.deepEqual(await client.get(there, 'cart'), ['felt-hat']);
		assert.deepEqual(await store.client.keys('*'), [key(client)]);
		assert.equal(await store.client.type(key(client)), 'string');
	});

	bothWays('a record lives for the ttl from its last write', async (here, there) => {
		const client = new Client();
		await client.set(here, 'cart', ['felt-hat']);
		assertWhole(await store.client.pttl(key(client)), ttl);
		for (const server of [here, there]) {
			await store.client.pexpire(key(client), 60 * seconds);
			await client.get(server, 'cart');
			assert.ok((await store.client.pttl(key(client))) <= 60 * seconds, `a read by ${server.name} moves nothing`);
			await client.set(server, 'seen by', server.name);
			assertWhole(await store.client.pttl(key(client)), ttl);
		}
	});

	bothWays('a regenerated session is under the base with the whole ttl, and the old key is gone', async (here, there) => {
		const client = new Client();
		await client.set(there, 'cart', ['felt-hat']);
		const { id } = client;
		await store.client.pexpire(key(client), 60 * seconds);
		await client.steps(here, { do: 'regenerate' });
		assertWhole(await store.client.pttl(key(client)), ttl);
		await until('the old session is gone', async () => !(await store.exists(id)));
		assert.deepEqual(await client.get(there, 'cart'), ['felt-hat']);
	});

	bothWays('a record that has expired is gone', async (here, there) => {
		const client = new Client();
		await client.set(here, 'cart', ['felt-hat']);
		await store.client.pexpire(key(client), 1);
		await until('it has expired', async () => !(await store.exists(client.id)));
		for (const server of [here, there]) assert.deepEqual(await new Client(client.cookies).keys(server), []);
	});
});

suite('An idle timeout on Rust, over Redis', { needs: ['probe', 'redis'] }, () => {
	let store, astro, probe;
	const idle = 1800;
	before(async () => {
		store = await RedisStore.open();
		[astro, probe] = await Promise.all([startAstro(store), startProbe(store, { idle })]);
	});
	after(() => store?.close());

	const left = ({ id }) => store.client.pttl(id);

	test('what Rust writes lives for the timeout', async () => {
		const client = new Client();
		await client.set(probe, 'cart', ['felt-hat']);
		assertWhole(await left(client), idle * seconds);
	});

	test("a read by Rust moves the deadline, and the record's bytes stay", async () => {
		const client = new Client();
		await client.set(probe, 'cart', ['felt-hat']);
		const record = await store.read(client.id);
		await store.client.pexpire(client.id, 60 * seconds);
		await client.get(probe, 'cart');
		assertWhole(await left(client), idle * seconds);
		assert.equal(await store.read(client.id), record);
		assert.deepEqual(client.setCookies, []);
	});

	test('a read by Astro moves nothing', async () => {
		const client = new Client();
		await client.set(probe, 'cart', ['felt-hat']);
		await store.client.pexpire(client.id, 60 * seconds);
		assert.deepEqual(await client.get(astro, 'cart'), ['felt-hat']);
		assert.ok((await left(client)) <= 60 * seconds);
	});

	for (const [name, step] of [
		['read', { do: 'get', key: 'cart' }],
		['write', { do: 'set', key: 'theme', value: '["light"]' }],
	]) {
		test(`a write by Astro takes the deadline away, and the next ${name} by Rust puts it back`, async () => {
			const client = new Client();
			await client.set(probe, 'cart', ['felt-hat']);
			await client.set(astro, 'theme', 'dark');
			assert.equal(await left(client), forEver);
			await client.steps(probe, step);
			assertWhole(await left(client), idle * seconds);
			assert.deepEqual(await client.get(astro, 'cart'), ['felt-hat']);
		});
	}

	test('a session that Astro began has no deadline until Rust reads it', async () => {
		const client = new Client();
		await client.set(astro, 'cart', ['felt-hat']);
		assert.equal(await left(client), forEver);
		assert.deepEqual(await client.get(probe, 'cart'), ['felt-hat']);
		assertWhole(await left(client), idle * seconds);
	});

	test('what Astro writes while Rust reads is kept, and the next read gives it its deadline', async () => {
		const client = new Client();
		await client.set(probe, 'cart', ['felt-hat']);
		await store.client.pexpire(client.id, 60 * seconds);
		await interleave(client, probe, {
			before: [{ do: 'keys' }],
			meanwhile: () => new Client(client.cookies).set(astro, 'theme', 'dark'),
			after: [],
		});
		assert.equal(await client.get(astro, 'theme'), 'dark');
		await client.get(probe, 'theme');
		assertWhole(await left(client), idle * seconds);
	});

	test('a session that Astro ends while Rust reads it stays ended', async () => {
		const client = new Client();
		await client.set(probe, 'cart', ['felt-hat']);
		const { id } = client;
		await store.client.pexpire(id, 60 * seconds);
		await interleave(client, probe, {
			before: [{ do: 'keys' }],
			meanwhile: () => new Client(client.cookies).steps(astro, { do: 'destroy' }),
			after: [],
		});
		assert.ok(!(await store.exists(id)));
		assert.deepEqual(client.setCookies, []);
	});

	test('a session that was idle for too long is gone for both', async () => {
		const client = new Client();
		await client.set(probe, 'cart', ['felt-hat']);
		await store.client.pexpire(client.id, 1);
		await until('it has expired', async () => !(await store.exists(client.id)));
		for (const server of [probe, astro]) assert.deepEqual(await new Client(client.cookies).keys(server), []);
	});
});

suite('Redis without any timeout', { needs: ['probe', 'redis'] }, () => {
	let store, astro, probe, probeOnSocket;
	before(async () => {
		store = await RedisStore.open();
		[astro, probe, probeOnSocket] = await Promise.all([
			startAstro(store),
			startProbe(store),
			startProbe(store, { options: { path: store.socket } }),
		]);
	});
	after(() => store?.close());

	test('Rust through the socket, Rust through the port and Astro have one session', async () => {
		const client = new Client();
		const servers = [probeOnSocket, astro, probe];
		for (const [turn, server] of servers.entries()) await client.set(server, `key-${turn}`, turn);
		for (const server of servers) {
			assert.deepEqual((await client.keys(server)).toSorted(), ['key-0', 'key-1', 'key-2']);
		}
	});

	test('a record lives for ever, whoever writes it', async () => {
		const client = new Client();
		for (const server of [astro, probe, astro, probe]) {
			await client.set(server, 'cart', [server.name]);
			assert.equal(await store.client.pttl(client.id), forEver);
		}
	});

	test('a record whose only entry expires leaves Redis with it', async () => {
		const client = new Client();
		await client.set(probe, 'code', 'coat', { ttl: 60 });
		assertWhole(await store.client.pttl(client.id), 60 * seconds);
		await client.set(probe, 'lasting', 'hat');
		assert.equal(await store.client.pttl(client.id), forEver);
		assert.equal(await client.get(astro, 'code'), 'coat');
	});

	test('what is in Redis under an ID and is no text is left alone', async () => {
		const client = new Client();
		await client.set(probe, 'cart', ['felt-hat']);
		await store.client.del(client.id);
		await store.client.hset(client.id, 'a', 'hash');
		await assert.rejects(client.keys(probe), /500 !== 200/);
		await assert.rejects(new Client(client.cookies).set(probe, 'cart', []), /500 !== 200/);
		assert.deepEqual(await store.client.hgetall(client.id), { a: 'hash' });
	});
});

suite('A near cache on Rust, over Redis', { needs: ['probe', 'redis'] }, () => {
	let store, astro, probe;
	before(async () => {
		store = await RedisStoreWithNearCache.open();
		[astro, probe] = await Promise.all([startAstro(store), startProbe(store)]);
	});
	after(() => store?.close());

	/** How many commands Redis has had, but for those that ask for this number. */
	async function commands() {
		const statistics = await store.client.info('commandstats');
		const counts = statistics.matchAll(/^cmdstat_(?!info:).*?:calls=(\d+)/gm);
		return counts.reduce((sum, [, calls]) => sum + Number(calls), 0);
	}

	/** A visitor whose record Rust holds in its cache. */
	async function cachedVisitor() {
		const client = new Client();
		await client.set(astro, 'cart', ['felt-hat']);
		await until('Rust reads from its cache', async () => {
			await client.get(probe, 'cart');
			const before = await commands();
			await client.get(probe, 'cart');
			return (await commands()) === before;
		});
		return client;
	}

	test('a change by Astro is seen by Rust, as soon as Redis has told it', async (t) => {
		const client = await cachedVisitor();
		await client.set(astro, 'cart', ['garden-boots']);
		const written = performance.now();
		await until('Rust sees the change', async () => (await client.get(probe, 'cart'))[0] === 'garden-boots');
		t.diagnostic(`seen after ${Math.round(performance.now() - written)} ms`);
	});

	test('a logout on Astro is seen by Rust, as soon as Redis has told it', async () => {
		const client = await cachedVisitor();
		const kept = new Client(client.cookies);
		await client.steps(astro, { do: 'destroy' });
		await until('Rust knows nobody', async () => (await new Client(kept.cookies).keys(probe)).length === 0);
	});

	test('an addition to a list that Astro changed unseen has both', async () => {
		const client = await cachedVisitor();
		for (let round = 0; round < 50; round++) {
			// At once, whether Redis has told Rust or not.
			await client.set(astro, 'cart', ['garden-boots', `round ${round}`]);
			const [cart] = await client.steps(probe, { do: 'push', key: 'cart', item: 'loden-coat' });
			assert.deepEqual(cart, ['garden-boots', `round ${round}`, 'loden-coat']);
		}
	});
});
