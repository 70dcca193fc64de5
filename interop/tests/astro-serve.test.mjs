// The sessions of `@cloakroom/astro` over `cloakroom serve`: beside Rust's on the same store, and before one that lets nothing expire.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, mock, test } from 'node:test';
import { load } from '../lib/astro-package.mjs';
import { Client } from '../lib/client.mjs';
import { Folder } from '../lib/folder.mjs';
import { startServe } from '../lib/serve.mjs';
import { startProbe } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';

const { Session } = await load('session/session.js');
const { Store } = await load('session/store.js');
const { cookieSettings } = await load('session/cookie.js');
const { default: open } = await load('drivers/http.js');

suite('Sessions of JavaScript over `cloakroom serve`, and of Rust on what is behind it', { needs: ['serve', 'probe'] }, () => {
	let serve, store, probe, site;
	before(async () => {
		store = await Folder.open();
		serve = await startServe('fs-lite', { base: store.sessions });
		probe = await startProbe(store);
		site = {
			store: new Store(open({ base: serve.url })),
			rules: { limits: {}, conflict: 'error' },
			cookie: cookieSettings(undefined, true),
		};
	});
	after(async () => {
		await store?.close();
		await serve?.stop();
	});

	test('200 updates at once, half from each: all are there, once', async () => {
		const client = new Client();
		await client.set(probe, 'theme', 'dark');
		const cookies = { get: () => ({ value: client.id }), set: assert.fail, delete: assert.fail };
		const one = async (index) => {
			if (index % 2) return new Client(client.cookies).steps(probe, { do: 'push', key: 'cart', item: `${index}` });
			const session = new Session(site, cookies);
			await session.update('cart', (cart = []) => [...cart, `${index}`]);
			await session.commit();
		};
		await Promise.all(Array.from({ length: 200 }, (_, index) => one(index)));
		const cart = await client.get(probe, 'cart');
		assert.deepEqual(cart.toSorted(), Array.from({ length: 200 }, (_, index) => `${index}`).toSorted());
	});

	test('what is no `cloakroom serve` is told so, and is no empty session', async () => {
		const session = new Session({ ...site, store: new Store(open({ base: probe.url })) }, { get: () => ({ value: randomUUID() }) });
		await assert.rejects(session.get('theme'), { name: 'SessionUnavailableError', status: 503, message: /is no `cloakroom serve`/ });
	});
});

suite('Sessions of JavaScript over `cloakroom serve`, before a store that lets nothing expire', { needs: ['serve'] }, () => {
	let folder, serve, driver;
	before(async () => {
		folder = mkdtempSync(path.join(tmpdir(), 'cloakroom-sqlite-'));
		const file = path.join(folder, 'sessions.db');
		// As unstorage makes it: without columns for deadlines.
		const database = new DatabaseSync(file);
		database.exec('CREATE TABLE unstorage (key TEXT PRIMARY KEY, value TEXT, blob BLOB, created_at TEXT, updated_at TEXT)');
		database.close();
		serve = await startServe('db0', { url: `sqlite:${file}`, migrate: false });
		driver = open({ base: serve.url });
	});
	after(async () => {
		mock.restoreAll();
		await serve?.stop();
		rmSync(folder, { recursive: true });
	});

	test('a logout leaves nothing there, and that `idle` has no effect is said once', async () => {
		const warn = mock.method(console, 'warn', () => {});
		const site = { store: new Store(driver), rules: { limits: { idle: 600 }, conflict: 'error' }, cookie: cookieSettings(undefined, true) };
		for (let visitor = 0; visitor < 2; visitor++) {
			let id;
			const jar = { get: () => (id ? { value: id } : undefined), set: (_, value) => (id = value), delete() {} };
			const login = new Session(site, jar);
			login.set('user', 'Ada');
			await login.commit();
			const visit = new Session(site, jar);
			assert.equal(await visit.get('user'), 'Ada');
			await visit.commit();
			const logout = new Session(site, jar);
			logout.destroy();
			await logout.commit();
			assert.equal(await driver.get(id), null);
		}
		assert.equal(warn.mock.callCount(), 1);
		assert.match(warn.mock.calls[0].arguments[0], /cannot let a session expire.*leave `idle` out/);
	});
});
