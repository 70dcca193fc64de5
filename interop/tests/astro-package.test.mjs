// The package `@cloakroom/astro` by itself: its configuration, and what it promises beside a plain Astro.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, mock, test } from 'node:test';
import { setImmediate as settle } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { stringify } from 'devalue';
import { load } from '../lib/astro-package.mjs';
import { Client } from '../lib/client.mjs';
import { FreshSite } from '../lib/fresh-site.mjs';
import { startAstro } from '../lib/servers.mjs';
import { packageStores } from '../lib/stores.mjs';
import { suite, suiteOver } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';

const { checkOptions } = await load('integration/options.js');
const { findDriver } = await load('integration/find-driver.js');
const { settled } = await load('environment.js');
const { checkAstro } = await load('integration/astro-version.js');
const { DRIVER, sitePlugin } = await load('integration/site-plugin.js');
const tombstones = await load('session/tombstone.js');
const { stripeOf } = await load('drivers/fs-lite/locks.js');
const times = await load('drivers/fs-lite/times.js');
const { takeTurn } = await load('session/turns.js');

describe('what a site says', () => {
	test('the driver is the site\'s own, whichever way it is named', () => {
		for (const driver of ['fs', 'fs-lite', { entrypoint: 'unstorage/drivers/fs-lite' }, { entrypoint: new URL('file:///a/node_modules/unstorage/drivers/fs-lite.mjs') }]) {
			assert.equal(findDriver(driver).module, '@cloakroom/astro/drivers/fs-lite');
		}
		assert.equal(findDriver('db0', { url: 'sqlite:a.db' }).module, '@cloakroom/astro/drivers/db0');
		assert.deepEqual(findDriver('redis', { url: 'redis://a' }).options, { url: 'redis://a' });
		assert.deepEqual(findDriver({ entrypoint: 'unstorage/drivers/redis', config: { base: 'b' } }).options, { base: 'b' });
	});

	test('a store that cannot compare and swap is refused, and said to be', () => {
		assert.throws(() => findDriver('cloudflare-kv-binding'), /Cloudflare KV cannot compare and swap/);
		assert.throws(() => findDriver({ entrypoint: './my-driver.js' }), /my-driver\.js.*cannot be used.*fs-lite, http, memory, netlify-blobs, redis, upstash/);
		assert.throws(() => findDriver('./src/lib/redis.js'), /cannot be used/);
		assert.throws(() => findDriver('@acme/encrypted/redis'), /cannot be used/);
		assert.throws(() => findDriver(undefined), /has no session driver/);
	});

	test('an option of a driver may be a variable, of where the server runs', () => {
		process.env.SESSIONS_BASE = 'shop';
		assert.deepEqual(settled({ base: { $env: 'SESSIONS_BASE' }, nodes: [{ port: 1 }], ttl: 5 }), { base: 'shop', nodes: [{ port: 1 }], ttl: 5 });
		assert.throws(() => settled({ url: { $env: 'SESSIONS_NOWHERE' } }), /variable SESSIONS_NOWHERE, which the session driver's options name, is not set/);
	});

	test('an option that there is not is refused, with those that there are', () => {
		assert.throws(() => checkOptions({ idel: 5 }), /unknown option `idel`.*idle, absolute/);
		assert.throws(() => checkOptions({ idle: '5m' }), /`idle` is "5m": it must be a whole number of seconds/);
		for (const idle of [0.5, Infinity, 1e20, 0]) assert.throws(() => checkOptions({ idle }), /it must be a whole number of seconds/);
		// As a Rust server beside it would.
		assert.throws(() => checkOptions({ remember: 60 }), /`remember` means nothing without `idle`/);
		assert.throws(() => checkOptions({ idle: 60, remember: 30 }), /a remembered session lives longer/);
		assert.throws(() => checkOptions({ idle: 60, touchInterval: 120 }), /would end between two touches/);
		checkOptions({ idle: 60, absolute: 600, remember: 120, touchInterval: 10 });
		assert.throws(() => checkOptions({ conflict: 'ignore' }), /`conflict` is "ignore".*error, retry, merge/);
	});
});

describe('the Astro that is installed', () => {
	let root;
	before(() => (root = mkdtempSync(path.join(tmpdir(), 'cloakroom-astro-'))));
	after(() => rmSync(root, { recursive: true }));

	const methods = ['get', 'has', 'keys', 'values', 'entries', 'set', 'delete', 'destroy', 'regenerate', 'load', '[Symbol()]'];

	/** Checks an Astro of this version that is made so: each time another site. */
	async function check(version, { file = 'dist/core/session/runtime.js', name = 'AstroSession', has = methods } = {}) {
		const site = mkdtempSync(path.join(root, 'site-'));
		const astro = path.join(site, 'node_modules/astro');
		mkdirSync(path.dirname(path.join(astro, file)), { recursive: true });
		writeFileSync(path.join(astro, 'package.json'), JSON.stringify({ name: 'astro', version, type: 'module' }));
		writeFileSync(path.join(astro, file), `export class ${name} {\n${has.map((method) => `${method}() {}`).join('\n')}\n}\n`);
		return checkAstro(pathToFileURL(`${site}/`));
	}

	test('is taken where it is made as those that are known, also a later one', async () => {
		assert.equal((await check('5.7.0', { file: 'dist/core/session.js' })).major, 5);
		for (const version of ['6.0.0', '7.0.0-beta.6', '8.1.0']) assert.equal((await check(version)).major, Number(version[0]));
	});

	test('is refused where it is not, and what differs is said', async () => {
		const refused = async (astro, why) => {
			const error = await astro.then(assert.fail, (error) => error);
			assert.match(error.message, why);
			assert.match(error.message, /Astro \d+\.\d+\.\d+ is not supported: .* Supported are Astro 5\.7 and later, 6 and 7\./);
		};
		await refused(check('5.6.2'), /its sessions are not stable/);
		await refused(check('8.0.0', { file: 'dist/sessions.js' }), /its session class is not where it was/);
		await refused(check('8.0.0', { name: 'Session' }), /its session class is not where it was/);
		await refused(check('8.0.0', { has: methods.filter((name) => !['keys', 'load'].includes(name)) }), /its session has no keys, load/);
		await refused(check('8.0.0', { has: methods.slice(0, -1) }), /its session is not saved by one method/);
		await refused(check('8.0.0', { has: [...methods, '[Symbol()]'] }), /its session is not saved by one method/);
	});

	test('finds the driver wherever it is installed itself', async () => {
		const plugin = sitePlugin({ found: findDriver('memory'), settings: {}, isProduction: true, astro: '', root });
		const found = await plugin.resolveId(DRIVER, '/elsewhere/node_modules/astro/dist/core/session/vite-plugin.js');
		assert.match(readFileSync(found, 'utf8'), /export default/);
	});
});

describe('what both languages must agree on', () => {
	test('the bytes of a tombstone', () => {
		const by = '00081985529216486895';
		const written = tombstones.writeTombstone('moved', by, 1_795_431_615_459);
		assert.equal(written, '1179543167610008.19855292164868951e-999');
		assert.deepEqual(tombstones.readTombstone(written, 1_795_431_615_459), { by });
		assert.equal(tombstones.readTombstone(written, 1_795_431_615_459 + 122_000), undefined);
		assert.match(tombstones.newRetirement(), /^\d{20}$/);
	});

	test('the lock of a key', () => {
		const stripes = { a: '12', 'sess:a': '46', 'SESS:A': '46', '6f1de3d4-2c0c-4c3f-9d0e-0f6c5a1b2c3d': '48' };
		for (const [key, stripe] of Object.entries(stripes)) assert.equal(stripeOf(key), stripe);
	});

	test('when a file ends', () => {
		const now = 1_795_431_615_459;
		assert.equal(times.deadlineOf(times.modifiedFor(now + 5000, now)), now + 5000);
		assert.equal(times.deadlineOf(times.modifiedFor(undefined, now)), undefined);
		assert.equal(times.deadlineOf(now), undefined);
		for (const ahead of [0, 1, 15, 31, 33, 600, 86_400, 604_800]) {
			const end = Number(times.bucketOf(now + ahead * 1000, now));
			assert.ok(end * 1000 > now + ahead * 1000 && end * 1000 <= now + (ahead + Math.max(ahead / 16, 1) + 1) * 1000, `${ahead}`);
		}
	});
});

describe('who of a process writes a session next', () => {
	beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
	afterEach(() => mock.timers.reset());

	/** Some who want a turn, and the ends of those who have one. */
	function wanted(id, count) {
		const ends = [];
		for (let index = 0; index < count; index++) takeTurn(id).then((end) => ends.push(end));
		return ends;
	}

	test('one after the other, however long it takes in all', async () => {
		const ends = wanted('slow', 10);
		for (let index = 0; index < 10; index++) {
			await settle();
			assert.equal(ends.length, index + 1);
			mock.timers.tick(900);
			ends[index]();
		}
	});

	test('one more where nobody comes to an end, and then as many at once', async () => {
		const ends = wanted('stuck', 10);
		await settle();
		mock.timers.tick(999);
		await settle();
		assert.equal(ends.length, 1);
		mock.timers.tick(1);
		await settle();
		assert.equal(ends.length, 2);
		ends[1]();
		await settle();
		assert.equal(ends.length, 3);
	});

	test('sessions do not wait for each other', async () => {
		const ends = ['a', 'b', 'c'].map((id) => wanted(id, 2));
		await settle();
		assert.deepEqual(ends.map(({ length }) => length), [1, 1, 1]);
	});
});

suiteOver(packageStores, 'A site with the package', { needs: [] }, (Store) => {
	let store, astro, plainStore, plain;
	before(async () => {
		store = await Store.open();
		astro = await startAstro(store);
		const Plain = Object.getPrototypeOf(Store);
		plainStore = await Plain.open();
		plain = await startAstro(plainStore);
	});
	after(async () => {
		await store?.close();
		await plainStore?.close();
	});

	test('the same calls leave the same bytes, the same answers and the same cookies as without it', async () => {
		let state = 11;
		const random = (below) => {
			state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
			return Math.floor((state / 0x80000000) * below);
		};
		const values = [1, 'dark', ['hat'], { name: 'Ada' }, null, undefined, new Date(0), new Map([[1, new Set([2n])]]), -0];
		const keys = ['a', 'b', 'c', 'd'];
		const steps = () =>
			Array.from({ length: 1 + random(5) }, () => {
				const key = keys[random(keys.length)];
				switch (random(8)) {
					case 0:
					case 1:
						return { do: 'get', key };
					case 2:
						return { do: 'has', key };
					case 3:
						return { do: 'keys' };
					case 4:
						return { do: 'delete', key };
					case 5:
						return { do: 'append', key: 'list', item: random(9) };
					default:
						return { do: 'set', key, value: stringify(values[random(values.length)]) };
				}
			});
		for (let visit = 0; visit < 12; visit++) {
			const clients = [new Client(), new Client()];
			for (const [client, server] of [[clients[0], astro], [clients[1], plain]]) await client.set(server, 'first', visit);
			for (let request = 0; request < 10; request++) {
				const taken = steps();
				// Astro loses what is deleted and then set in one request before it is loaded: ours does not.
				if (!['get', 'has', 'keys', 'append'].includes(taken[0].do)) taken.unshift({ do: 'has', key: 'first' });
				const answers = [await clients[0].steps(astro, ...taken), await clients[1].steps(plain, ...taken)];
				assert.deepEqual(answers[0], answers[1], JSON.stringify(taken));
				assert.equal(await store.read(clients[0].id), await plainStore.read(clients[1].id), JSON.stringify(taken));
			}
			assert.deepEqual(
				clients[0].setCookies.map((cookie) => cookie.replace(clients[0].id, 'id')),
				[],
				'a cookie that the browser has is not sent again',
			);
		}
	});

	test('pages are run again where another request was faster, so that each visit counts', async () => {
		const client = new Client();
		await client.set(astro, 'theme', 'dark');
		const visits = Array.from({ length: 12 }, () => new Client(client.cookies).request(astro, '/cart'));
		for (const response of await Promise.all(visits)) assert.equal(response.status, 200);
	});

	test('a page that is rewritten to another has the session and its cookie', async () => {
		const client = new Client();
		assert.match(await client.page(astro, '/rewrites'), /rewritten/);
		assert.equal(await client.get(astro, 'rewritten'), true);
	});

	test('several updates at once within one request all count', async () => {
		const client = new Client();
		await client.steps(astro, { do: 'pushAll', key: 'cart', items: ['a', 'b', 'c', 'd', 'e'] });
		assert.deepEqual((await client.get(astro, 'cart')).toSorted(), ['a', 'b', 'c', 'd', 'e']);
	});

	test('an entry that expires takes nothing along that is set later', async () => {
		const client = new Client();
		await client.set(astro, 'flash', 'saved', { ttl: 0.3 });
		await client.set(astro, 'cart', ['hat']);
		await until('the flash has expired', async () => !(await client.has(astro, 'flash')));
		assert.deepEqual(await client.get(astro, 'cart'), ['hat']);
	});

	test('what a page sets while it streams is saved, and a page without a session is served', async () => {
		const client = new Client();
		await client.set(astro, 'theme', 'dark');
		assert.match(await client.page(astro, '/late'), /late-9/);
		const late = async () => (await client.keys(astro)).filter((key) => key.startsWith('late-'));
		await until('all is saved', async () => (await late()).length === 10);
		assert.match(await new Client().page(astro, '/late'), /late-9/);
	});

	test('a cookie that names no session is not adopted', async () => {
		const made = '6f1de3d4-2c0c-4c3f-9d0e-0f6c5a1b2c3d';
		for (const id of [made, '../../etc/passwd', 'deleted']) {
			const client = new Client([['astro-session', id]]);
			assert.deepEqual(await client.keys(astro), []);
			await client.set(astro, 'theme', 'dark');
			assert.match(client.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
			assert.notEqual(client.id, made);
			assert.equal(await store.find(made), null);
		}
	});

	test('what cannot be read is kept, and the cookie with it', async () => {
		const client = new Client();
		await client.set(astro, 'theme', 'dark');
		const whole = await store.read(client.id);
		const torn = `${whole.slice(0, -3)}`;
		const driver = store.driver();
		await driver.setItem(client.id, torn, {});
		await assert.rejects(client.set(astro, 'theme', 'light'), /500/);
		assert.equal(await store.read(client.id), torn);
		assert.deepEqual(client.setCookies, []);
		await driver.setItem(client.id, whole, {});
		assert.equal(await client.get(astro, 'theme'), 'dark');
		await driver.dispose?.();
	});
});

suite('Astro with the package, on Redis that goes away', { needs: ['redis'] }, () => {
	const [, RedisWithPackage] = packageStores;
	let store, astro;
	before(async () => {
		store = await RedisWithPackage.open();
		astro = await startAstro(store);
	});
	after(() => store?.close());

	test('the answer is 503, and says nothing of the store', async () => {
		const client = new Client();
		await client.set(astro, 'theme', 'dark');
		await store.peer.stop();
		for (const step of [{ do: 'get', key: 'theme' }, { do: 'set', key: 'theme', value: '["light"]' }]) {
			const response = await client.request(astro, '/api/session', {
				method: 'POST',
				body: JSON.stringify([step]),
				headers: { 'content-type': 'application/json' },
			});
			const text = await response.text();
			assert.equal(response.status, 503, text);
			assert.equal(response.headers.get('retry-after'), '1');
			assert.doesNotMatch(text, /redis|sock|ECONN/i);
		}
	});
});

describe('a site that knows nothing of this repository', () => {
	let site;
	const configured = (integration, session = '') => `import node from '@astrojs/node';
import { defineConfig, sessionDrivers } from 'astro/config';
import cloakroom from '@cloakroom/astro';
export default defineConfig({ adapter: node({ mode: 'standalone' }), integrations: [${integration}], ${session} });
`;
	before(() => {
		site = new FreshSite();
		site.write('astro.config.mjs', configured('cloakroom()'));
		site.write(
			'src/pages/index.astro',
			`---
export const prerender = false;
const visits = await Astro.session?.update('visits', (visits = 0) => visits + 1);
---
<p>visit {visits}</p>
`,
		);
		site.run('astro', 'bin/astro.mjs', 'build');
	});
	after(() => site?.remove());

	test('the package is found by `astro add`, and brings nothing along', () => {
		const { dependencies, keywords } = site.manifest;
		assert.deepEqual(Object.keys(dependencies ?? {}), []);
		assert.ok(keywords.includes('astro-integration') && keywords.includes('withastro'));
	});

	/** Lets somebody visit the built site, and gives what it has said on its standard error meanwhile. */
	async function serve(visit, variables = {}) {
		const server = spawn(process.execPath, [path.join(site.root, 'dist/server/entry.mjs')], {
			cwd: site.root,
			env: { ...process.env, HOST: '127.0.0.1', PORT: '0', ...variables },
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		let errors = '';
		server.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
		const closed = new Promise((resolve) => server.once('close', resolve));
		try {
			const url = await new Promise((resolve, reject) => {
				closed.then(() => reject(new Error(`the site did not start: ${errors}`)));
				server.stdout.on('data', (text) => {
					const found = /listening on (http:\/\/\S+)/.exec(text);
					if (found) resolve(found[1]);
				});
			});
			await visit({ name: 'site', url });
		} finally {
			server.kill();
		}
		await closed;
		return errors;
	}

	test('one line is enough', async () => {
		await serve(async (here) => {
			const client = new Client();
			assert.match(await client.page(here, '/'), /visit 1/);
			await Promise.all(Array.from({ length: 20 }, () => new Client(client.cookies).page(here, '/')));
			assert.match(await client.page(here, '/'), /visit 22/);
		});
	});

	test('a database needs its own client and no other, and SQLite none', async () => {
		site.write('astro.config.mjs', configured("cloakroom({ driver: { entrypoint: 'unstorage/drivers/db0', config: { url: { $env: 'DATABASE_URL' } } } })"));
		site.run('astro', 'bin/astro.mjs', 'build');
		const visit = async (here) => assert.match(await new Client().page(here, '/'), /visit 1/);
		await serve(visit, { DATABASE_URL: 'sqlite:sessions.db' });
		for (const [scheme, name] of [['postgres', 'pg'], ['mysql', 'mysql2']]) {
			const refused = async ({ url }) => assert.equal((await fetch(url)).status, 503);
			const errors = await serve(refused, { DATABASE_URL: `${scheme}://127.0.0.1:1/shop` });
			assert.match(errors, new RegExp(`needs the package ${name}, which is not installed: npm install ${name}\\b`));
		}
	});

	test('right uses of the types compile, and wrong ones do not', () => {
		site.write('tsconfig.json', JSON.stringify({ extends: 'astro/tsconfigs/strictest', include: ['.astro/types.d.ts', 'src'] }));
		site.write('src/env.d.ts', 'declare namespace App { interface SessionData { cart: string[] } }\n');
		site.write(
			'src/actions/index.ts',
			`import { defineAction } from 'astro:actions';
export const server = {
	add: defineAction({
		handler: (_, { session }): Promise<string[]> | undefined => session?.update('cart', (cart = []) => [...cart, 'hat']),
	}),
};
`,
		);
		site.write(
			'src/middleware.ts',
			`import { defineMiddleware } from 'astro:middleware';
export const onRequest = defineMiddleware(async ({ session }, next) => {
	await session?.update('visits', async (visits = 0) => visits + 1);
	return next();
});
`,
		);
		site.write(
			'src/pages/cart.ts',
			`import type { APIRoute } from 'astro';
import { SessionConflictError, update } from '@cloakroom/astro/session';

export const GET: APIRoute = async ({ session }) => {
	const cart: string[] | undefined = await session?.update('cart', (cart = []) => [...cart, 'hat']);
	const same: string[] = await update(session, 'cart', (cart = []) => [...cart, 'hat']);
	const visits: number | undefined = await session?.update<number>('visits', (visits = 0) => visits + 1);
	const again: number = await update<number>(session, 'visits', async (visits = 0) => visits + 1);
	return Response.json([cart, same, visits, again, SessionConflictError.name]);
};

export const POST: APIRoute = async ({ session }) => {
	// @ts-expect-error A cart holds texts.
	await session?.update('cart', (cart = []) => [...cart, 1]);
	// @ts-expect-error
	await update(session, 'cart', (cart = []) => [...cart, 1]);
	// @ts-expect-error There may be none yet.
	await session?.update('cart', (cart) => cart.concat('hat'));
	// @ts-expect-error
	await update(session, 'cart', (cart) => cart.concat('hat'));
	// @ts-expect-error Its answer is a cart.
	const visits: number | undefined = await session?.update('cart', (cart = []) => cart);
	// @ts-expect-error
	const again: number = await update(session, 'cart', (cart = []) => cart);
	// @ts-expect-error A value is no function.
	await session?.update('visits', 1);
	// @ts-expect-error
	await update<number>(session, 'visits', () => 'one');
	return Response.json([visits, again]);
};
`,
		);
		assert.doesNotThrow(() => site.run('typescript', 'bin/tsc', '--noEmit'), ({ stdout }) => assert.fail(stdout));
	});

	test('a page that is made at build time has no session to change, and says what to do', () => {
		site.write('src/pages/index.astro', `---\nawait Astro.session?.update('visits', (visits = 0) => visits + 1);\n---\n`);
		assert.throws(() => site.run('astro', 'bin/astro.mjs', 'build'), /`export const prerender = false`/);
	});

	test('a driver whose package is not installed says which one it is', () => {
		site.write('astro.config.mjs', configured('cloakroom()', 'session: { driver: sessionDrivers.redis({}) }'));
		assert.throws(() => site.run('astro', 'bin/astro.mjs', 'build'), /session driver redis needs the package ioredis.*npm install ioredis/);
	});
});
