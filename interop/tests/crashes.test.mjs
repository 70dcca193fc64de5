// Servers and stores that die in the middle of it: what was acknowledged is there, once, and nobody is kept waiting.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'devalue';
import { load } from '../lib/astro-package.mjs';
import { assertKept, Burst } from '../lib/burst.mjs';
import { Client } from '../lib/client.mjs';
import { interleave } from '../lib/gate.mjs';
import { startProxy } from '../lib/proxy.mjs';
import { startAstro, startProbe } from '../lib/servers.mjs';
import { packageStores } from '../lib/stores.mjs';
import { suite, suiteOver } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';

const { stripeOf } = await load('drivers/fs-lite/locks.js');

const set = (key, value) => ({ do: 'set', key, value: stringify(value) });
const push = (key, item) => ({ do: 'push', key, item });
const get = (key) => ({ do: 'get', key });

const sides = [
	['Astro', 'astro', startAstro],
	['Rust', 'probe', startProbe],
];

/** A visitor with something in the session. */
async function visitor(server) {
	const client = new Client();
	await client.set(server, 'theme', 'dark');
	return client;
}

suiteOver(packageStores, 'A server that is killed', { needs: ['probe'] }, (Store) => {
	let store, servers;
	before(async () => {
		store = await Store.open();
		const [astro, secondAstro, probe] = await Promise.all([startAstro(store), startAstro(store), startProbe(store)]);
		servers = { astro, secondAstro, probe };
	});
	after(() => store?.close());

	for (const [side, name, start] of sides) {
		test(`${side}, in a burst of updates: what was acknowledged is there, once, and all go on`, async (t) => {
			const client = await visitor(servers.probe);
			// Started before the burst, which would make that slow.
			const successors = await Promise.all([start(store), start(store)]);
			const burst = new Burst(client, servers);
			for (const successor of successors) {
				await burst.answers(200, 2);
				await servers[name].kill();
				servers[name] = successor;
			}
			await burst.answers(200, 2);
			const outcomes = await burst.end();
			assert.deepEqual(Object.keys(outcomes).toSorted(), ['200', 'lost'], 'none was refused, and some were cut off');
			t.diagnostic(`${outcomes[200].length} acknowledged, ${outcomes.lost.length} cut off`);
			for (const server of Object.values(servers)) assertKept(await client.get(server, 'cart'), outcomes);
		});

		test(`${side}, behind a logout that it has acknowledged: a slow request brings nothing back`, async () => {
			const slow = name === 'astro' ? servers.probe : servers.astro;
			const client = await visitor(slow);
			const { id } = client;
			const logout = new Client(client.cookies);
			await interleave(client, slow, {
				before: [get('theme')],
				meanwhile: async () => {
					await logout.steps(servers[name], { do: 'destroy' });
					await servers[name].kill();
				},
				after: [set('user', 'Ada')],
			});
			servers[name] = await start(store);
			assert.ok(!(await store.exists(id)));
			for (const server of Object.values(servers)) assert.deepEqual(await new Client([['astro-session', id]]).keys(server), []);
		});
	}
});

const [FolderWithPackage, RedisWithPackage] = packageStores;

suite('A server that is killed while it holds the lock of a file', { needs: ['probe'] }, () => {
	let store, servers;
	before(async () => {
		store = await FolderWithPackage.open();
		const [astro, probe] = await Promise.all([startAstro(store), startProbe(store)]);
		servers = { astro, probe };
	});
	after(() => store?.close());

	const isLocked = (lock) => spawnSync('flock', ['--nonblock', lock, 'true']).status === 1;

	for (const [side, name, start] of sides) {
		test(`${side}: those who wait for it go on`, async () => {
			const client = await visitor(servers.probe);
			const lock = path.join(store.sessions, `.cloakroom/${stripeOf(client.id)}.lock$`);
			const dying = servers[name];
			servers[name] = await start(store);
			const burst = new Burst(client, { dying });
			await until('it is halted where it holds the lock', async () => {
				await dying.pause();
				if (isLocked(lock)) return true;
				dying.resume();
				return false;
			});
			const others = Object.values(servers).map((server) => new Client(client.cookies).steps(server, push('cart', server.name)));
			await dying.kill();
			await Promise.all(others);
			const outcomes = await burst.end();
			const cart = await client.get(servers.astro, 'cart');
			assertKept(cart, { 200: [...(outcomes[200] ?? []), 'astro', 'probe'] });
			assert.ok(!isLocked(lock));
		});
	}
});

suite('Redis that is killed', { needs: ['redis', 'probe'] }, () => {
	let store, servers;
	before(async () => {
		store = await RedisWithPackage.open();
		const [astro, secondAstro, probe] = await Promise.all([startAstro(store), startAstro(store), startProbe(store)]);
		servers = { astro, secondAstro, probe };
	});
	after(() => store?.close());

	test('in a burst of updates: what was acknowledged is there, once, and until it is back the answer is 503', async (t) => {
		const client = await visitor(servers.probe);
		const burst = new Burst(client, servers);
		await burst.answers(200, 5);
		await store.peer.kill();
		await burst.answers(503, 1);
		await store.peer.restart();
		await burst.answers(200, 5);
		const outcomes = await burst.end();
		assert.deepEqual(Object.keys(outcomes).toSorted(), ['200', '503']);
		t.diagnostic(`${outcomes[200].length} acknowledged, ${outcomes[503].length} refused`);
		for (const server of Object.values(servers)) assertKept(await client.get(server, 'cart'), outcomes);
	});

	test('behind a logout that was acknowledged: a slow request brings nothing back', async () => {
		const client = await visitor(servers.probe);
		const { id } = client;
		await interleave(client, servers.astro, {
			before: [get('theme')],
			meanwhile: async () => {
				await new Client(client.cookies).steps(servers.probe, { do: 'destroy' });
				await store.peer.kill();
				await store.peer.restart();
			},
			after: [set('user', 'Ada')],
		});
		assert.ok(!(await store.exists(id)));
		assert.deepEqual(client.setCookies, []);
	});
});

suite('Redis whose answer is lost', { needs: ['redis', 'probe'] }, () => {
	let store, probe, proxy, astro;
	before(async () => {
		store = await RedisWithPackage.open();
		probe = await startProbe(store);
		const root = path.join(store.root, 'behind-the-proxy');
		mkdirSync(root);
		proxy = await startProxy(path.join(root, path.basename(store.socket)), store.socket);
		astro = await startAstro({ root, build: store.build, servers: store.servers });
	});
	after(async () => {
		await store?.close();
		await proxy?.stop();
	});

	test('an update is not told to be saved, and is there once', async () => {
		const client = await visitor(astro);
		const lost = proxy.loseAnswer('eval');
		await assert.rejects(client.steps(astro, push('cart', 'hat')), /503 /);
		await lost;
		await client.steps(astro, push('cart', 'boots'));
		assert.deepEqual(await client.get(probe, 'cart'), ['hat', 'boots']);
	});

	test('a session that began leaves nothing behind', async () => {
		const before = await store.client.dbsize();
		const client = new Client();
		const lost = proxy.loseAnswer('set');
		await assert.rejects(client.set(astro, 'theme', 'dark'), /503 /);
		await lost;
		assert.deepEqual(client.setCookies, []);
		await until('it is removed', async () => (await store.client.dbsize()) === before);
	});

	test('a login has succeeded, and the old ID is dead', async () => {
		const client = await visitor(astro);
		const { id } = client;
		const lost = proxy.loseAnswer('eval');
		await client.steps(astro, set('user', 'Ada'), { do: 'regenerate' });
		await lost;
		assert.notEqual(client.id, id);
		assert.ok(!(await store.exists(id)));
		assert.deepEqual((await client.keys(probe)).toSorted(), ['theme', 'user']);
	});

	test('a logout has ended the session', async () => {
		const client = await visitor(astro);
		const { id } = client;
		const lost = proxy.loseAnswer('eval');
		await assert.rejects(client.steps(astro, { do: 'destroy' }), /503 /);
		await lost;
		assert.ok(!(await store.exists(id)));
		assert.deepEqual(await new Client([['astro-session', id]]).keys(probe), []);
	});
});
