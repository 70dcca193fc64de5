// Items below the sessions: unstorage's own drivers and ours have the same keys and the same bytes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createStorage } from 'unstorage';
import { Folder } from '../lib/folder.mjs';
import * as items from '../lib/items.mjs';
import { startProbe } from '../lib/servers.mjs';
import { databaseStores, unstorageStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';

const texts = {
	'a session': '[["Map",1,2],"cart",{"data":3,"expires":-1},[4],"felt-hat"]',
	'an empty text': '',
	'quotes, backslashes and placeholders': `'"\\ \`?$1:key%_\${}--/*`,
	'letters of many scripts, and an emoji': 'æøå ßẞ Ⅻ 汉字 עברית 🧥👨‍👩‍👧',
	'white space at both ends': ' \t\r\n text \n\r\t ',
	'what looks like a number': '0012.50e1',
	'what looks like null': 'null',
	'100 kB': '🧥 wool '.repeat(9_000),
};

suiteOver(unstorageStores, "unstorage's driver and ours", { needs: ['probe'] }, (Store) => {
	let store, probe, driver, storage;
	before(async () => {
		store = await Store.open();
		probe = await startProbe(store);
		driver = store.driver();
		storage = createStorage({ driver });
	});
	after(async () => {
		await storage?.dispose();
		await store?.close();
	});

	for (const [name, text] of Object.entries(texts)) {
		// An empty file cannot be told from one that is being written.
		if (text === '' && Store === Folder) continue;

		test(`${name}: written by JavaScript, read by Rust`, async () => {
			await storage.setItem('text', text);
			assert.equal(await store.read('text'), text);
			assert.equal(String(await items.get(probe, 'text')), text);
		});

		test(`${name}: written by Rust, read by JavaScript`, async () => {
			await items.set(probe, 'text', text);
			assert.equal(await store.read('text'), text);
			assert.equal(await driver.getItem('text'), text);
		});
	}

	test('each has the value that the other wrote over its own', async () => {
		await storage.setItem('turns', 'first');
		await items.set(probe, 'turns', 'second');
		assert.equal(await driver.getItem('turns'), 'second');
		await storage.setItem('turns', 'third');
		assert.equal(String(await items.get(probe, 'turns')), 'third');
	});

	test('what one removes is gone for the other', async () => {
		await storage.setItem('removed', 'by Rust');
		await items.remove(probe, 'removed');
		assert.equal(await driver.hasItem('removed'), false);
		assert.equal(await driver.getItem('removed'), null);
		await items.set(probe, 'removed', 'by JavaScript');
		await storage.removeItem('removed');
		assert.equal(await items.get(probe, 'removed'), null);
	});

	test('both list the same keys', async () => {
		await storage.clear();
		const [ours, theirs] = [['1-ours', 'shop:ours', 'shop:a:b'], ['2-theirs', 'shop:theirs', 'shop:c:d']];
		for (const key of ours) await items.set(probe, key, key);
		for (const key of theirs) await storage.setItem(key, key);
		const all = [...ours, ...theirs].toSorted();
		assert.deepEqual((await storage.getKeys()).toSorted(), all);
		assert.deepEqual(await items.keys(probe), all);
		assert.deepEqual((await storage.getKeys('shop')).toSorted(), all.filter((key) => key.startsWith('shop:')));
		for (const key of all) {
			assert.equal(await driver.getItem(key), key);
			assert.equal(String(await items.get(probe, key)), key);
		}
	});

	test('what Rust gives a lifetime is there for JavaScript until it ends', async () => {
		await items.set(probe, 'lasting', 'coat', { ttl: 60_000 });
		assert.equal(await driver.getItem('lasting'), 'coat');
		assert.equal(String(await items.get(probe, 'lasting')), 'coat');
	});

	test('what JavaScript writes over an item with a lifetime lives on', async () => {
		await items.set(probe, 'written over', 'snow', { ttl: 300 });
		await items.set(probe, 'left alone', 'snow', { ttl: 300 });
		await storage.setItem('written over', 'coat');
		await until('the other item has expired', async () => !(await items.get(probe, 'left alone')));
		assert.equal(String(await items.get(probe, 'written over')), 'coat');
		assert.equal(await driver.getItem('written over'), 'coat');
	});
});

suiteOver(databaseStores, "unstorage's table", { needs: ['probe'] }, (Store) => {
	let store;
	before(async () => {
		store = await Store.open();
	});
	after(() => store?.close());

	/** Runs with both sides on a table of its own. */
	async function withTable(name, run) {
		const driver = store.driver(name);
		const start = () => startProbe(store, { options: { ...store.config.options, tableName: name } });
		try {
			await run(driver, start);
		} finally {
			await driver.dispose();
		}
	}

	test('JavaScript made it first: Rust reads, writes and expires in it', () =>
		withTable('javascript_first', async (driver, start) => {
			await driver.setItem('theirs', 'coat');
			const probe = await start();
			assert.equal(String(await items.get(probe, 'theirs')), 'coat');
			await items.set(probe, 'ours', 'hat');
			await items.set(probe, 'fleeting', 'snow', { ttl: 100 });
			await until('the item has expired', async () => !(await items.get(probe, 'fleeting')));
			assert.equal(await driver.getItem('ours'), 'hat');
			await driver.setItem('ours', 'boots');
			assert.equal(String(await items.get(probe, 'ours')), 'boots');
		}));

	test('Rust made it first: JavaScript reads and writes in it', () =>
		withTable('rust_first', async (driver, start) => {
			const probe = await start();
			await items.set(probe, 'ours', 'hat', { ttl: 60_000 });
			assert.equal(await driver.getItem('ours'), 'hat');
			await driver.setItem('theirs', 'coat');
			assert.equal(String(await items.get(probe, 'theirs')), 'coat');
			assert.deepEqual((await driver.getKeys()).toSorted(), ['ours', 'theirs']);
			const { birthtime, mtime } = await driver.getMeta('ours');
			assert.ok(birthtime instanceof Date && !Number.isNaN(birthtime.getTime()), 'it has a time of creation');
			assert.ok(mtime instanceof Date && !Number.isNaN(mtime.getTime()), 'it has a time of change');
		}));

	test('bytes that are no text: each reads what the other wrote', () =>
		withTable('bytes', async (driver, start) => {
			const probe = await start();
			const bytes = Buffer.from([0, 1, 127, 128, 254, 255, 0]);
			await driver.setItemRaw('theirs', bytes);
			assert.deepEqual(await items.get(probe, 'theirs'), bytes);
			await items.set(probe, 'ours', bytes);
			assert.deepEqual(Buffer.from(await driver.getItemRaw('ours')), bytes);
		}));
});
