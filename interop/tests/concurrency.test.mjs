// Many requests at once: nothing is lost, and nobody reads half a record.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startAstro, startProbe, startShop } from '../lib/servers.mjs';
import { astroStores, packageStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';

suiteOver([...astroStores, ...packageStores], 'Many requests at once in one session', { needs: ['shop', 'probe'] }, (Store) => {
	let store, astro, shop, otherShop, probe;
	before(async () => {
		store = await Store.open();
		[astro, shop, otherShop, probe] = await Promise.all([
			startAstro(store),
			startShop(store),
			startShop(store),
			startProbe(store),
		]);
	});
	after(() => store?.close());

	/** Reads a key on a server again and again while `work` runs. Returns how often; fails if the ID ever changes. */
	async function readDuring(work, client, server, key, check) {
		let working = true;
		const ended = work.finally(() => (working = false));
		let reads = 0;
		do {
			const reader = new Client(client.cookies);
			const [text, id] = await reader.steps(server, { do: 'get', key }, { do: 'id' });
			assert.equal(id, client.id, `${server.name} moved the client to a new ID`);
			assert.deepEqual(reader.setCookies, []);
			check(text);
			reads++;
		} while (working);
		await ended;
		return reads;
	}

	for (const [name, shops] of [
		['one shop', () => [shop]],
		['two shops on one store', () => [shop, otherShop]],
	]) {
		test(`200 parallel additions to the cart on ${name}, read by Astro all the while: all 200 are there`, async (t) => {
			const client = new Client();
			const items = Array.from({ length: 200 }, (_, index) => `item-${index}`);
			await client.post(shop, '/api/addToCart', { item: 'first' });
			const additions = Promise.all(
				items.map((item, index) =>
					new Client(client.cookies).post(shops()[index % shops().length], '/api/addToCart', { item }),
				),
			);
			const reads = await readDuring(additions, client, astro, 'cart', (text) => assert.match(text, /first/));
			t.diagnostic(`${reads} reads by Astro`);
			const cart = await client.get(astro, 'cart');
			assert.deepEqual(cart.toSorted(), ['first', ...items].toSorted());
		});
	}

	test('Rust reads a whole record while Astro writes it', async (t) => {
		const client = new Client();
		const value = 'wool '.repeat(100_000);
		await client.set(astro, 'big', value);
		// One after the other: in a file several at once would cut each other's records for good.
		const writes = (async () => {
			for (let round = 0; round < 100; round++) await new Client(client.cookies).set(astro, 'round', round);
		})();
		const reads = await readDuring(writes, client, probe, 'big', (text) => assert.equal(text.length, value.length + 4));
		t.diagnostic(`${reads} reads by Rust`);
	});

	test('changes of different keys on Rust at the same time are all kept', async () => {
		const client = new Client();
		await client.set(probe, 'first', 0);
		const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
		await Promise.all(keys.map((key) => new Client(client.cookies).set(probe, key, key)));
		assert.deepEqual((await client.keys(astro)).toSorted(), ['first', ...keys].toSorted());
	});
});
