// The drivers of `@cloakroom/astro`, rule by rule; and its sessions in Cloudflare's Workers, beside Rust's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Redis } from 'ioredis';
import { load } from '../lib/astro-package.mjs';
import { Client } from '../lib/client.mjs';
import { Folder } from '../lib/folder.mjs';
import { startPeer } from '../lib/peer.mjs';
import { startServe } from '../lib/serve.mjs';
import { startProbe } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';
import { startSessionWorker } from '../lib/workers.mjs';

const { default: encrypted } = await load('at-rest/encrypted.js');
const { default: hashedKeys } = await load('at-rest/hashed-keys.js');
const { Session } = await load('session/session.js');
const { Store } = await load('session/store.js');
const { cookieSettings } = await load('session/cookie.js');
const { parse, stringify } = await load('session/record.js');

const drivers = [
	{ name: 'memory', needs: [], start: async () => ({ options: {}, stop() {} }) },
	{
		name: 'fs-lite',
		needs: [],
		async start() {
			const base = mkdtempSync(path.join(tmpdir(), 'cloakroom-fs-lite-'));
			return { options: { base }, stop: () => rmSync(base, { recursive: true }) };
		},
	},
	{
		name: 'fs-lite',
		title: 'fs-lite, where there is no Perl',
		needs: [],
		async start() {
			const base = mkdtempSync(path.join(tmpdir(), 'cloakroom-fs-lite-'));
			const { PATH } = process.env;
			const programs = path.join(base, 'programs');
			mkdirSync(programs);
			for (const name of ['sh', 'flock']) {
				symlinkSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), path.join(programs, name));
			}
			process.env.PATH = programs;
			const stop = () => {
				process.env.PATH = PATH;
				rmSync(base, { recursive: true });
			};
			return { options: { base }, stop };
		},
	},
	{
		name: 'redis',
		needs: ['redis'],
		async start() {
			const peer = await startPeer('redis');
			return { options: { url: peer.url, base: 'site' }, stop: () => peer.stop() };
		},
	},
	{
		name: 'redis',
		title: 'redis, on Valkey',
		needs: ['valkey'],
		async start() {
			const peer = await startPeer('valkey');
			return { options: { url: peer.url, base: 'site' }, stop: () => peer.stop() };
		},
	},
	{
		name: 'upstash',
		needs: ['redis'],
		async start() {
			const peer = await startPeer('upstash');
			return { options: { url: peer.url, token: 'a token of the tests' }, stop: () => peer.stop() };
		},
	},
	{
		name: 'netlify-blobs',
		needs: [],
		async start() {
			const token = 'a token of the tests';
			const peer = await startPeer('netlify-blobs', token);
			const options = { name: 'astro-sessions', siteID: 'site', token, edgeURL: peer.url, uncachedEdgeURL: peer.url };
			return { options, stop: () => peer.stop() };
		},
	},
	...['postgres', 'mariadb'].map((kind) => ({
		name: 'db0',
		title: `db0 over ${kind}`,
		needs: [kind],
		async start() {
			const peer = await startPeer(kind);
			return { options: { url: peer.url }, stop: () => peer.stop() };
		},
	})),
	{
		name: 'db0',
		title: 'db0 over sqlite',
		needs: [],
		async start() {
			const folder = mkdtempSync(path.join(tmpdir(), 'cloakroom-sqlite-'));
			return { options: { url: `sqlite:${folder}/data/sessions.db` }, stop: () => rmSync(folder, { recursive: true }) };
		},
	},
	{
		name: 'http',
		needs: ['serve'],
		async start() {
			const serve = await startServe('memory');
			return { options: { base: serve.url }, stop: () => serve.stop() };
		},
	},
];

/** What may stand around every driver. */
const layers = [
	['', (driver) => driver],
	[', its keys hashed and its items sealed', (driver) => hashedKeys(encrypted(driver, { keys: randomKey }), {})],
];
const randomKey = randomBytes(32).toString('base64');

for (const [{ name, title = name, needs, start }, [more, around]] of drivers.flatMap((driver) => layers.map((layer) => [driver, layer]))) {
	suite(`The driver ${title}${more}`, { needs }, () => {
		let server, driver, another;
		before(async () => {
			server = await start();
			const { default: opened } = await load(`drivers/${name}.js`);
			const open = (options) => around(opened(options));
			driver = open(server.options);
			// As another process has it.
			another = name === 'memory' ? driver : open(server.options);
		});
		after(async () => {
			driver?.close?.();
			another?.close?.();
			await server?.stop();
		});

		const text = (value) => `[["Map",1,2],"key",{"data":3,"expires":-1},${JSON.stringify(value)}]`;

		test('what is written is read, by another process too', async () => {
			const key = randomUUID();
			assert.equal(await driver.get(key), null);
			for (const value of ['a', 'ü\u{1f3a9}', 'long '.repeat(3000)]) {
				const written = await driver.set(key, text(value), 'always');
				const item = await another.get(key);
				assert.deepEqual({ ...item }, { text: text(value), version: written.version, ends: undefined });
			}
		});

		test('a condition holds for what was seen, and for nothing else', async () => {
			const key = randomUUID();
			const first = await driver.set(key, text(1), 'absent');
			assert.equal(await another.set(key, text(2), 'absent'), null);
			const second = await another.set(key, text(2), { version: first.version });
			assert.equal(await driver.set(key, text(3), { version: first.version }), null);
			assert.equal(await driver.remove(key, { version: first.version }), 'conflict');
			assert.equal((await driver.get(key)).text, text(2));
			assert.equal(await driver.remove(key, { version: second.version }), 'removed');
			assert.equal(await another.get(key), null);
			assert.equal(await driver.set(key, text(4), { version: second.version }), null);
			assert.equal(await driver.remove(key, 'always'), 'missing');
		});

		test('of many that write on one condition one has it', async () => {
			for (const length of [1, 5000]) {
				const key = randomUUID();
				const { version } = await driver.set(key, text('x'.repeat(length)), 'absent');
				const tries = Array.from({ length: 20 }, (_, index) => (index % 2 ? driver : another).set(key, text(index), { version }));
				const written = (await Promise.all(tries)).filter((outcome) => outcome !== null);
				assert.equal(written.length, 1);
			}
		});

		test('an item ends at its time, which a write and a touch move', async () => {
			const key = randomUUID();
			const near = (item, seconds) => assert.ok(Math.abs(item.ends - Date.now() - seconds * 1000) < 5000, `${item.ends}`);
			const { version } = await driver.set(key, text(1), 'absent', 100);
			near(await another.get(key), 100);
			await driver.set(key, text(2), { version }, 1000);
			near(await another.get(key), 1000);
			assert.equal(await driver.touch(key, 200), true);
			near(await another.get(key), 200);
			assert.equal(await driver.touch(key), true);
			assert.equal((await another.get(key)).ends, undefined);
			await driver.set(key, text(3), 'always', 0.02);
			await until('it has ended', async () => (await another.get(key)) === null);
			assert.notEqual(await driver.set(key, text(4), 'absent'), null);
			assert.equal(await driver.touch(randomUUID(), 5), false);
		});

		/** A visitor's session, as a process with these limits has it. */
		const session = (id, limits, on = driver) => {
			const site = { store: new Store(on), rules: { limits, conflict: 'error' }, cookie: cookieSettings(undefined, true) };
			return new Session(site, { get: () => ({ value: id }), set() {}, delete() {} });
		};
		const secondsLeft = async (id) => ((await another.get(id)).ends - Date.now()) / 1000;

		test('a session that is only read is kept, also where its entries have a ttl', async () => {
			const id = randomUUID();
			const endsIn = (seconds) => `[["Map",1,2],"theme",{"data":3,"expires":4},"dark",${Date.now() + seconds * 1000}]`;
			await driver.set(id, endsIn(3600), 'absent', 100);
			const reader = session(id, { idle: 600, ttl: 3600 });
			assert.equal(await reader.get('theme'), 'dark');
			await reader.commit();
			assert.ok(Math.abs((await secondsLeft(id)) - 600) < 5);
			// No entry lives longer for that.
			await driver.set(id, endsIn(300), 'always', 100);
			const next = session(id, { idle: 600, ttl: 3600 });
			await next.get('theme');
			await next.commit();
			assert.ok(Math.abs((await secondsLeft(id)) - 300) < 5);
		});

		test('who has read a session moves no deadline of what others have made of it', async () => {
			const id = randomUUID();
			const { version } = await driver.set(id, text(1), 'absent', 100);
			const readers = [session(id, { idle: 600 }), session(id, { idle: 600 })];
			for (const reader of readers) await reader.get('key');
			// Rust remembers it.
			await another.set(id, text(2), { version }, 2_000_000);
			await readers[0].commit();
			assert.ok(Math.abs((await secondsLeft(id)) - 2_000_000) < 5);
			const logout = session(id, { idle: 600 }, another);
			logout.destroy();
			await logout.commit();
			await readers[1].commit();
			assert.ok((await secondsLeft(id)) <= 60);
		});

		test('without limits, a deadline is kept that is none of the entries\'', async () => {
			const id = randomUUID();
			const add = async (key) => {
				const writer = session(id, {});
				writer.set(key, 'value');
				await writer.commit();
			};
			await driver.set(id, text(1), 'absent', 600);
			await add('theme');
			assert.ok(Math.abs((await secondsLeft(id)) - 600) < 5);
			// One that ends with its last entry may be another's limit as well: nobody can tell.
			await driver.set(id, `[["Map",1,2],"flash",{"data":3,"expires":4},"saved",${Date.now() + 300_000}]`, 'always', 300);
			await add('theme');
			assert.equal((await another.get(id)).ends, undefined);
		});

		test('an entry that is to live beyond any clock lives for ever', async () => {
			for (const ttl of [1e16, 1e18, 1e300]) {
				const id = randomUUID();
				await driver.set(id, text(1), 'absent', 100);
				assert.equal(await driver.touch(id, ttl), true);
				assert.ok(!((await secondsLeft(id)) < 1e9));
				const writer = session(id, {});
				writer.set('key', 'value', { ttl });
				await writer.commit();
				assert.equal(await session(id, {}, another).get('key'), 'value');
				assert.ok(!((await secondsLeft(id)) < 1e9));
			}
		});
	});
}

suite('A record in Redis whose bytes are no text', { needs: ['redis', 'valkey'] }, () => {
	for (const [what, kind] of [
		['a script', 'redis'],
		['the server', 'valkey'],
	]) {
		test(`can be logged out of, where ${what} compares them`, async () => {
			const peer = await startPeer(kind);
			const { default: open } = await load('drivers/redis.js');
			const driver = open({ url: peer.url });
			const client = new Redis(peer.url);
			try {
				const id = randomUUID();
				await client.set(id, Buffer.from([0xff, 0xfe, 0x5b]));
				const store = new Store(driver);
				const site = { store, rules: { limits: {}, conflict: 'error' }, cookie: cookieSettings(undefined, true) };
				const session = new Session(site, { get: () => ({ value: id }), delete() {} });
				session.destroy();
				await session.commit();
				assert.equal((await store.find(id)).is, 'retired');
			} finally {
				client.disconnect();
				driver.close();
				await peer.stop();
			}
		});
	}
});

suite('The keys of Cloakroom\'s own notes', { needs: [] }, () => {
	let site;
	before(async () => {
		const { default: open } = await load('drivers/memory.js');
		site = { store: new Store(open()), rules: { limits: { absolute: 600 }, conflict: 'error' }, cookie: cookieSettings(undefined, true) };
	});

	const own = ['created', 'remember', 'principal', 'authenticated', 'indexed'].map((name) => `cloakroom.${name}`);

	test('are no keys of the site\'s', async () => {
		const cookies = new Map();
		const jar = { get: (name) => cookies.get(name), set: (name, value) => cookies.set(name, { value }), delete: assert.fail };
		const first = new Session(site, jar);
		first.set('theme', 'dark');
		await first.commit();
		const id = first.sessionID;
		const { text } = await site.store.driver.get(id);
		for (const key of own) {
			const session = new Session(site, jar);
			const refused = { name: 'SessionUsageError', message: new RegExp(`"${key}" is for a note of Cloakroom's own: choose another`) };
			assert.throws(() => session.set(key, 0), refused);
			await assert.rejects(session.update(key, () => 0), refused);
			// There is none by that name, as `has` says.
			session.delete(key);
			assert.equal(await session.has(key), false);
			await session.commit();
			assert.equal((await site.store.driver.get(id)).text, text);
		}
	});

	test('are carried along by whoever changes the session, and seen by nobody', async () => {
		const id = randomUUID();
		const notes = own.map((key, index) => [key, { data: key === 'cloakroom.created' ? Date.now() : `note ${index}`, expires: undefined }]);
		const stored = new Map([...notes, ['theme', { data: 'dark', expires: Date.now() + 300_000 }]]);
		await site.store.driver.set(id, stringify(stored), 'absent');
		const cookies = new Map([['astro-session', { value: id }]]);
		const jar = { get: (name) => cookies.get(name), set: (name, value) => cookies.set(name, { value }), delete: assert.fail };
		const session = new Session({ ...site, rules: { limits: {}, conflict: 'error' } }, jar);
		assert.deepEqual([[...(await session.keys())], await session.values(), await session.entries()], [['theme'], ['dark'], [['theme', 'dark']]]);
		for (const key of own) assert.equal(await session.get(key), undefined);
		await session.regenerate();
		session.set('theme', 'light', { ttl: 300 });
		await session.commit();
		const item = await site.store.driver.get(session.sessionID);
		assert.deepEqual([...parse(item.text)].filter(([key]) => key !== 'theme'), notes);
		assert.ok(item.ends - Date.now() < 301_000, 'they keep no session alive');
	});
});

suite('A write on a condition in Redis', { needs: ['redis', 'valkey'] }, () => {
	for (const [what, kind, isScript] of [
		['is a script where the server cannot compare', 'redis', true],
		['is no script where it can', 'valkey', false],
	]) {
		test(what, async () => {
			const peer = await startPeer(kind);
			const { default: open } = await load('drivers/redis.js');
			const driver = open({ url: peer.url });
			const client = new Redis(peer.url);
			try {
				let { version } = await driver.set('key', '[["Map"]]', 'absent', 100);
				for (const text of ['[["Map"],1]', '[["Map"],2]']) ({ version } = await driver.set('key', text, { version }, 100));
				assert.equal(/cmdstat_eval/.test(await client.info('commandstats')), isScript);
			} finally {
				client.disconnect();
				driver.close();
				await peer.stop();
			}
		});
	}
});

suite('Netlify\'s blobs, as Astro\'s adapter opens them', { needs: [] }, () => {
	const token = 'a token of the tests';

	/** What Netlify brings with a request. */
	function bring({ url }, token) {
		const context = { edgeURL: url, uncachedEdgeURL: url, siteID: 'site', token };
		process.env.NETLIFY_BLOBS_CONTEXT = Buffer.from(JSON.stringify(context)).toString('base64');
	}

	let driver;
	before(async () => {
		const { default: open } = await load('drivers/netlify-blobs.js');
		driver = open({ name: 'astro-sessions', consistency: 'strong' });
	});
	after(() => delete process.env.NETLIFY_BLOBS_CONTEXT);

	test('the credentials are those that the request brings', async (t) => {
		const peer = await startPeer('netlify-blobs', token);
		t.after(() => peer.stop());
		bring(peer, 'one that is no longer good');
		await assert.rejects(driver.set('key', '[["Map"]]', 'absent'), /did not say that it was written/);
		bring(peer, token);
		assert.notEqual(await driver.set('key', '[["Map"]]', 'absent'), null);
		assert.equal((await driver.get('key')).text, '[["Map"]]');
	});

	test('in `astro dev`, whose server tells no version with what is read', async (t) => {
		const peer = await startPeer('netlify-blobs', token, 'as-it-is');
		t.after(() => peer.stop());
		bring(peer, token);
		const { version } = await driver.set('key', '[["Map"]]', 'absent', 100);
		const item = await driver.get('key');
		assert.equal(item.version, version);
		assert.ok(item.ends > Date.now());
		assert.notEqual(await driver.set('key', '[["Map",1,1],"a"]', { version: item.version }), null);
		assert.equal(await driver.set('key', '[["Map"]]', { version: 'another' }), null);
		assert.equal(await driver.remove('key', { version: (await driver.get('key')).version }), 'removed');
		assert.equal(await driver.get('key'), null);
	});
});

suite('Files that both languages write', { needs: ['probe'] }, () => {
	let store, probe, driver;
	before(async () => {
		store = await Folder.open();
		probe = await startProbe(store, { idle: 600 });
		const { default: open } = await load('drivers/fs-lite.js');
		driver = open({ base: store.sessions });
	});
	after(() => store?.close());

	test('who held a lock and was ended is replaced', async () => {
		await driver.set('first', '[["Map"]]', 'always');
		for (const child of readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean)) {
			if (['perl\n', 'sh\n'].includes(readFileSync(`/proc/${child}/comm`, 'utf8'))) process.kill(Number(child), 'SIGKILL');
		}
		for (let index = 0; index < 20; index++) {
			const outcome = driver.set(`key-${index}`, '[["Map"]]', 'always');
			// The first may meet one that has just ended: it fails, and is not waited for.
			if (index === 0) await outcome.catch(() => {});
			else assert.notEqual(await outcome, null);
		}
	});

	test('each sees the other\'s deadline, and nothing is left behind', async () => {
		const client = new Client();
		await client.set(probe, 'theme', 'dark');
		const item = await driver.get(client.id);
		assert.ok(Math.abs(item.ends - Date.now() - 600_000) < 10_000, `${item.ends}`);
		await driver.set(client.id, item.text, { version: item.version }, 0.02);
		await until('it has ended', async () => (await driver.get(client.id)) === null);
		assert.deepEqual(await new Client(client.cookies).keys(probe), []);
		const own = readdirSync(path.join(store.sessions, '.cloakroom'));
		assert.deepEqual(own.filter((name) => name.endsWith('.tmp$')), []);
		assert.ok(own.some((name) => name.endsWith('.expires$')));
	});
});

suite('Sessions of JavaScript in Workers of Cloudflare, beside Rust', { needs: ['serve', 'redis', 'probe'] }, () => {
	const token = 'a token of the tests';
	/** What leads to each store from there, and the same store for Rust. */
	const stores = {
		async http(store) {
			const serve = await startServe('fs-lite', { base: store.sessions });
			return { peer: serve, options: { base: serve.url }, config: store.config };
		},
		async upstash() {
			const peer = await startPeer('upstash');
			const options = { url: peer.url, token };
			return { peer, options, config: { driver: 'upstash', options } };
		},
	};

	const secrets = { secret: 'a secret of the tests', keys: [randomKey] };
	const atRest = { hashIds: { secret: secrets.secret }, encryption: { keys: secrets.keys } };

	for (const [driver, isAtRest] of Object.keys(stores).flatMap((driver) => [[driver, false], [driver, true]])) {
		test(`${driver}${isAtRest ? ', IDs hashed and records sealed' : ''}: 45 updates at once are all there, once, and a logout ends the session`, async (t) => {
			const store = await Folder.open();
			const { peer, options, config } = await stores[driver](store);
			store.config = config;
			const startWorker = () => startSessionWorker(driver, options, isAtRest ? secrets : undefined);
			const [probe, ...workers] = await Promise.all([startProbe(store, isAtRest ? atRest : {}), startWorker(), startWorker()]);
			t.after(async () => {
				for (const worker of workers) await worker.stop();
				await store.close();
				await peer.stop();
			});
			const client = new Client();
			await client.set(probe, 'theme', 'dark');
			const items = Array.from({ length: 45 }, (_, index) => `${index}`);
			const servers = [probe, ...workers];
			await Promise.all(items.map((item, index) => new Client(client.cookies).steps(servers[index % 3], { do: 'push', key: 'cart', item })));
			assert.deepEqual((await client.get(probe, 'cart')).toSorted(), items.toSorted());
			await new Client(client.cookies).steps(workers[0], { do: 'destroy' });
			assert.deepEqual(await new Client(client.cookies).keys(probe), []);
		});
	}
});
