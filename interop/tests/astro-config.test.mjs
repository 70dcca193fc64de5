// The Rust shop reads the configuration that the Astro site was built with, and nothing else.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Folder } from '../lib/folder.mjs';
import { RedisStore, RedisStoreWithOptions } from '../lib/redis.mjs';
import { startAstro, startShop } from '../lib/servers.mjs';
import { packageStores, sharedStores, variableStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';

const site = path.resolve(import.meta.dirname, '../site');

class FolderWithEveryCookieOption extends Folder {
	static title = 'files with every option of the cookie';
	build = 'dist-every-cookie-option';
}

/** The shop on the file that this store's site was built with, in the folder where the site runs. */
function startShopOnTheSitesFile(store) {
	for (const file of readdirSync(site).filter((name) => name.endsWith('.config.mjs'))) {
		copyFileSync(path.join(site, file), path.join(store.root, file));
	}
	// The site is built from `redis.config.mjs` into `dist-redis`.
	const [, name = 'astro'] = /^dist-(.*)/.exec(store.build) ?? [];
	const config = `${name}.config.mjs`;
	if (sharedStores.some((Store) => store instanceof Store)) {
		// The site has told what its sessions are, so that nobody has to understand its source.
		writeFileSync(path.join(store.root, config), 'what is no JavaScript');
		mkdirSync(path.join(store.root, '.astro'));
		copyFileSync(path.join(site, store.build, 'server/cloakroom.json'), path.join(store.root, '.astro/cloakroom.json'));
	}
	return startShop(store, config);
}

/** The cookies of a log-in, without the ID. */
async function cookiesOf(server) {
	const client = new Client();
	await client.submit(server, '/login', { name: 'Ada' });
	return client.setCookies.map((cookie) => cookie.replace(/=[^;]*/, '=ID'));
}

/** One that the site opens itself, and one over HTTP. */
const toldByVariable = [variableStores[0], variableStores.at(-1)];
const stores = [Folder, RedisStore, RedisStoreWithOptions, ...packageStores, ...toldByVariable];

suiteOver(stores, 'The Rust shop on the Astro site\'s own configuration', { needs: ['shop'] }, (Store) => {
	let store, astro, shop;
	before(async () => {
		store = await Store.open();
		[astro, shop] = await Promise.all([startAstro(store), startShopOnTheSitesFile(store)]);
	});
	after(() => store?.close());

	test('who logs in on Astro is greeted by name in the Rust shop', async () => {
		const client = new Client();
		await client.submit(astro, '/login', { name: 'Ada Lovelace' });
		assert.match(await client.page(shop, '/login'), /Hello, Ada Lovelace/);
	});

	test('who logs in in the Rust shop is greeted by name on Astro', async () => {
		const client = new Client();
		await client.submit(shop, '/login', { name: 'Ada Lovelace' });
		assert.ok(await store.exists(client.id));
		assert.match(await client.page(astro, '/'), /Hello, Ada Lovelace/);
	});

	test('both send the same cookie', async () => {
		assert.deepEqual(await cookiesOf(shop), await cookiesOf(astro));
	});
});

suiteOver([FolderWithEveryCookieOption], 'The cookie of the Astro site\'s own configuration', { needs: ['shop'] }, (Store) => {
	test('every option of it is the same in the Rust shop', async (t) => {
		const store = await Store.open();
		t.after(() => store.close());
		const [astro, shop] = await Promise.all([startAstro(store), startShopOnTheSitesFile(store)]);
		const cookies = await cookiesOf(shop);
		assert.deepEqual(cookies, await cookiesOf(astro));
		assert.deepEqual(cookies, ['every-option=ID; Max-Age=3600; Domain=localhost; Path=/api; HttpOnly; SameSite=Strict']);
	});
});
