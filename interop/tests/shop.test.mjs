// One visitor, two shops: what happens in the Rust shop is known to the Astro site, and the reverse.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from 'devalue';
import { Client } from '../lib/client.mjs';
import { startAstro, startShop } from '../lib/servers.mjs';
import { astroStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';

suiteOver(astroStores, 'One session in the Rust shop and the Astro site', { needs: ['shop'] }, (Store) => {
	let store, astro, shop;
	before(async () => {
		store = await Store.open();
		[astro, shop] = await Promise.all([startAstro(store), startShop(store)]);
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
		assert.match(await client.page(astro, '/'), /Hello, Ada Lovelace/);
	});

	test('a name with markup and an emoji is shown the same by both', async () => {
		const client = new Client();
		await client.submit(shop, '/login', { name: '<b>Ada</b> & 🧥' });
		assert.match(await client.page(shop, '/login'), /Hello, &lt;b&gt;Ada&lt;\/b&gt; &amp; 🧥/);
		assert.match(await client.page(astro, '/'), /Hello, &lt;b&gt;Ada&lt;\/b&gt; &amp; 🧥/);
	});

	test('what is added to the cart in the Rust shop is counted by the CartButton on Astro', async () => {
		const client = new Client();
		await client.post(shop, '/api/addToCart', { item: 'felt-hat' });
		await client.post(shop, '/api/addToCart', { item: 'garden-boots' });
		assert.match(await client.page(astro, '/'), /<a href="\/checkout">🛒 2 items<\/a>/);
	});

	test('what is added to the cart on Astro is counted by the CartButton of the Rust shop', async () => {
		const client = new Client();
		await client.post(astro, '/api/addToCart', { item: 'felt-hat' });
		await client.post(astro, '/api/addToCart', { item: 'garden-boots' });
		assert.match(await client.page(shop, '/'), /<a [^>]*href="\/checkout"[^>]*>🛒 2 items<\/a>/);
	});

	test('both answer addToCart with the whole cart, in the order of the additions', async () => {
		const client = new Client();
		assert.deepEqual(await client.post(shop, '/api/addToCart', { item: 'felt-hat' }), ['felt-hat']);
		assert.deepEqual(await client.post(astro, '/api/addToCart', { item: 'from-elsewhere' }), ['felt-hat', 'from-elsewhere']);
		assert.deepEqual(await client.post(shop, '/api/addToCart', { item: 'felt-hat' }), ['felt-hat', 'from-elsewhere', 'felt-hat']);
	});

	test('a cart filled by both is stored as Astro alone would store it', async () => {
		const fill = async (hands) => {
			const client = new Client();
			for (const [turn, item] of ['felt-hat', '<b>', 'felt-hat', '🧥'].entries()) {
				await client.post(hands[turn % hands.length], '/api/addToCart', { item });
			}
			return store.read(client.id);
		};
		const record = await fill([astro]);
		assert.equal(await fill([astro, shop]), record);
		assert.equal(await fill([shop, astro]), record);
		assert.equal(await fill([shop]), record);
	});

	test('an item that only Astro sells is shown in the cart of the Rust shop', async () => {
		const client = new Client();
		await client.submit(astro, '/cart', { item: 'a-tent' });
		assert.match(await client.page(shop, '/cart'), /a-tent/);
	});

	test('the last visit to the Rust shop is shown by Astro, to the millisecond', async () => {
		const client = new Client();
		await client.page(shop, '/');
		const { data } = parse(await store.read(client.id)).get('lastVisit');
		assert.match(await client.page(astro, '/'), new RegExp(`datetime="${data.toISOString()}"`));
	});

	test('the last visit to Astro is shown by the Rust shop, to the millisecond', async () => {
		const client = new Client();
		await client.page(astro, '/');
		const { data } = parse(await store.read(client.id)).get('lastVisit');
		// Rust leaves out the milliseconds where there are none.
		const shown = data.toISOString().replace(/\.?0*Z$/, '') + '\\d*Z';
		assert.match(await client.page(shop, '/'), new RegExp(`Welcome back, last visit.*datetime="${shown}"`));
	});

	test('settings saved in the Rust shop are a URL, a Set and a Map on Astro', async () => {
		const client = new Client();
		await client.submit(shop, '/settings', [
			['homepage', 'https://ada.example/notes?of=1843'],
			['interest', 'coats'],
			['interest', 'hats'],
			['sizes.coat', '42'],
			['sizes.gloves', '8.5'],
		]);
		const page = await client.page(astro, '/settings');
		assert.match(page, /<dd id="homepage">ada\.example<\/dd>/);
		assert.match(page, /<dd id="interests">coats, hats<\/dd>/);
		assert.match(page, /<dd id="sizes">coat 42, gloves 8\.5<\/dd>/);
	});

	test('settings saved on Astro are known to the Rust shop', async () => {
		const client = new Client();
		await client.submit(astro, '/settings', [
			['homepage', 'https://ada.example/notes?of=1843'],
			['interest', 'hats'],
			['coat', '42'],
			['gloves', '8.5'],
		]);
		const page = await client.page(shop, '/settings');
		assert.match(page, /name="homepage"[^>]*value="https:\/\/ada\.example\/notes\?of=1843"/);
		assert.match(page, /value="hats"[^>]* checked/);
		assert.doesNotMatch(page, /value="coats"[^>]* checked/);
		assert.match(page, /<option value="8\.5" selected/);
	});

	for (const [name, here, there] of [
		['on Astro', () => astro, () => shop],
		['in the Rust shop', () => shop, () => astro],
	]) {
		test(`logging in ${name} moves the cart to a new ID, and the old ID is dead for both`, async () => {
			const client = new Client();
			await client.post(there(), '/api/addToCart', { item: 'felt-hat' });
			const old = new Client(client.cookies);
			await client.submit(here(), '/login', { name: 'Ada' });
			assert.notEqual(client.id, old.id);
			assert.match(await client.page(there(), '/'), /🛒 1 items/);
			await until('the old record is gone', async () => !(await store.exists(old.id)));
			for (const server of [here(), there()]) {
				assert.match(await new Client(old.cookies).page(server, '/'), /🛒 0 items/);
			}
		});

		test(`logging out ${name} logs out of both`, async () => {
			const client = new Client();
			await client.submit(there(), '/login', { name: 'Ada' });
			const kept = new Client(client.cookies);
			await client.submit(here(), '/logout', {});
			assert.equal(client.id, undefined);
			assert.ok(!(await store.exists(kept.id)));
			for (const server of [here(), there()]) {
				assert.doesNotMatch(await new Client(kept.cookies).page(server, '/'), /Ada/);
			}
		});
	}

	for (const signal of ['SIGTERM', 'SIGINT']) {
		test(`the Rust shop ends cleanly on ${signal}, and the one that is started next knows the visitor`, async () => {
			const client = new Client();
			const first = await startShop(store);
			await client.submit(first, '/login', { name: 'Ada' });
			assert.equal(await first.stop(signal), 0);
			const second = await startShop(store);
			assert.match(await client.page(second, '/login'), /Hello, Ada/);
			assert.equal(await second.stop(signal), 0);
		});
	}
});
