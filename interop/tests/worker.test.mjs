// Sessions and items inside of Cloudflare's own runtime: a Worker in Rust, and in the same Worker Astro's session and
// unstorage's drivers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from 'devalue';
import { Client } from '../lib/client.mjs';
import { suite } from '../lib/suite.mjs';
import { call, startWorker, trips } from '../lib/workers.mjs';
import { isTombstone } from '../lib/store.mjs';

const WEEK = 7 * 24 * 60 * 60;

suite('A session in a Worker, shared by Rust and Astro over KV', { needs: ['worker'] }, () => {
	let worker, astro, kv;
	before(async () => {
		worker = await startWorker('example-worker');
		kv = await worker.kv('SESSION');
		// The same Worker, where its session is Astro's.
		astro = { name: 'astro', url: `${worker.url}/astro` };
	});
	after(() => worker?.stop());

	const cart = async (client) => JSON.parse(await client.page(worker, '/cart'));

	test('what Rust wrote is read by Astro', async () => {
		const client = new Client();
		await client.post(worker, '/cart', { item: 'scarf' });
		assert.deepEqual(await client.post(worker, '/cart', { item: 'hat' }), ['scarf', 'hat']);
		assert.deepEqual(await client.get(astro, 'cart'), ['scarf', 'hat']);
		assert.deepEqual(await client.keys(astro), ['cart']);
	});

	test('what Astro wrote is read and extended by Rust', async () => {
		const client = new Client();
		await client.set(astro, 'cart', ['umbrella']);
		await client.set(astro, 'since', new Date(86_400_000));
		assert.deepEqual(await cart(client), ['umbrella']);
		await client.post(worker, '/cart', { item: 'scarf' });
		assert.deepEqual(await client.get(astro, 'cart'), ['umbrella', 'scarf']);
		assert.deepEqual(await client.get(astro, 'since'), new Date(86_400_000), 'what Rust does not know is kept');
	});

	test('the record is what Astro writes, under the ID alone', async () => {
		const client = new Client();
		await client.post(worker, '/cart', { item: 'scarf' });
		const record = parse(await kv.get(client.id));
		assert.deepEqual(record.get('cart').data, ['scarf']);
		assert.ok(record.get('cart').expires > Date.now());
	});

	test('both hand out the same cookie', async () => {
		const cookie = async (server, send) => {
			const client = new Client();
			await send(client, server);
			assert.equal(client.setCookies.length, 1);
			return client.setCookies[0].replace(client.id, '<id>');
		};
		const ofRust = await cookie(worker, (client) => client.post(worker, '/cart', { item: 'scarf' }));
		assert.equal(ofRust, await cookie(astro, (client) => client.set(astro, 'cart', ['scarf'])));
	});

	test('a log-in on either side changes the ID, keeps the data and removes the old record', async () => {
		const client = new Client();
		await client.post(worker, '/cart', { item: 'scarf' });
		const anonymous = client.id;
		await client.request(worker, '/login', {
			method: 'POST',
			body: '{"user":"Ada"}',
			headers: { 'content-type': 'application/json' },
		});
		const loggedIn = client.id;
		assert.notEqual(loggedIn, anonymous);
		assert.ok(isTombstone(await kv.get(anonymous)), 'the old ID is remembered as retired');
		assert.equal(await client.get(astro, 'user'), 'Ada');

		await client.steps(astro, { do: 'regenerate' });
		assert.notEqual(client.id, loggedIn);
		assert.deepEqual(await cart(client), ['scarf']);
		assert.equal(await client.page(worker, '/'), 'Hello, Ada. Visit 1.');
	});

	test('a log-out on either side ends the session on both', async () => {
		for (const [logOut, isGone] of [
			[(client) => client.request(worker, '/logout', { method: 'POST' }), isTombstone],
			[(client) => client.steps(astro, { do: 'destroy' }), (record) => record === null],
		]) {
			const client = new Client();
			await client.post(worker, '/cart', { item: 'scarf' });
			const { id } = client;
			await logOut(client);
			assert.equal(client.id, undefined, 'the cookie is gone');
			assert.ok(isGone(await kv.get(id)), 'the record is gone');
			const thief = new Client([['astro-session', id]]);
			assert.deepEqual(await cart(thief), []);
			assert.equal(await thief.get(astro, 'cart'), undefined);
		}
	});

	test('KV lets a session go when its last entry has expired', async () => {
		const client = new Client();
		await client.page(worker, '/');
		const { keys } = await kv.list({ prefix: client.id });
		const week = Date.now() / 1000 + WEEK;
		assert.equal(keys.length, 1);
		assert.ok(Math.abs(keys[0].expiration - week) < 60, `${keys[0].expiration} is not ${week}`);
		assert.ok(Math.abs(keys[0].metadata.expires / 1000 - week) < 60);
	});

	test('visits are counted over many requests', async () => {
		const client = new Client();
		for (let visit = 1; visit <= 10; visit++) {
			assert.equal(await client.page(worker, '/'), `Hello, stranger. Visit ${visit}.`);
		}
	});
});

suite('Items in a Worker, by Rust and by unstorage', { needs: ['worker'] }, () => {
	let worker;
	before(async () => {
		worker = await startWorker('interop-worker');
	});
	after(() => worker?.stop());

	const value = '[["Map",1,2],"cart",{"data":3},[4],"grüße 🧥"]';
	const stores = {
		'cloudflare-kv-binding': async (name) => (await worker.kv('STORAGE')).get(name),
		'cloudflare-r2-binding': async (name) => (await (await worker.r2('BUCKET')).get(name))?.text() ?? null,
	};

	for (const [driver, stored] of Object.entries(stores)) {
		for (const [base, name] of [[undefined, 'id'], ['sess', 'sess:id'], ['/a/b:', 'a:b:id']]) {
			test(`${driver} with the base ${base}: one writes, the other reads and removes`, async () => {
				const options = { base };
				for (const [writer, reader] of [['items', 'unstorage'], ['unstorage', 'items']]) {
					await call(worker, writer, driver, options, { do: 'set', key: 'id', value });
					assert.equal(await stored(name), value, `written by ${writer}`);
					const [read] = await call(worker, reader, driver, options, { do: 'get', key: 'id' });
					assert.equal(read, value, `read by ${reader}`);
					await call(worker, reader, driver, options, { do: 'remove', key: 'id' });
					assert.equal(await stored(name), null, `removed by ${reader}`);
				}
			});
		}
	}

	test('a ttl that is shorter than KV takes is lengthened, as unstorage does it', async () => {
		const kv = await worker.kv('STORAGE');
		for (const [minTTL, ttl, seconds] of [[undefined, 5, 60], [undefined, 3600, 3600], [90, 5, 90]]) {
			for (const side of ['items', 'unstorage']) {
				await call(worker, side, 'cloudflare-kv-binding', { minTTL }, { do: 'set', key: 'ttl', value, ttl });
				const { keys } = await kv.list({ prefix: 'ttl' });
				const left = keys[0].expiration - Date.now() / 1000;
				assert.ok(Math.abs(left - seconds) < 10, `${side}, ttl ${ttl}: ${left} s are left and not ${seconds}`);
			}
		}
	});

	test('R2 is told of a deadline in the metadata of the object', async () => {
		const bucket = await worker.r2('BUCKET');
		await call(worker, 'items', 'cloudflare-r2-binding', {}, { do: 'set', key: 'ttl', value, ttl: 3600 });
		const { expires } = (await bucket.head('ttl')).customMetadata;
		assert.ok(Math.abs(Number(expires) - Date.now() - 3_600_000) < 60_000, expires);
		await call(worker, 'unstorage', 'cloudflare-r2-binding', {}, { do: 'set', key: 'ttl', value });
		assert.deepEqual((await bucket.head('ttl')).customMetadata, {}, 'what JavaScript writes stays');
	});

	for (const [driver, store] of [
		['cloudflare-kv-binding', () => worker.kv('STORAGE')],
		['cloudflare-r2-binding', () => worker.r2('BUCKET')],
	]) {
		test(`${driver}: more items than a page has are all listed, and what is not ours is not`, async () => {
			const client = await store();
			const keys = Array.from({ length: 1001 }, (_, index) => `item-${index}`);
			const names = [...keys.map((key) => `many:${key}`), 'many::no-key', 'many2:other'];
			await Promise.all(names.map((name) => client.put(name, value)));
			const [listed] = await call(worker, 'items', driver, { base: 'many' }, { do: 'keys' });
			assert.deepEqual(listed.toSorted(), keys.toSorted());
		});
	}

	for (const [driver, expected] of Object.entries({
		'cloudflare-kv-binding': { create: 'put', read: 'getWithMetadata', write: 'put', touch: 'getWithMetadata, put' },
		'cloudflare-r2-binding': { create: 'put', read: 'get', write: 'head, put', touch: 'get, put' },
	})) {
		test(`${driver}: round trips`, async () => {
			const key = 'counted';
			assert.equal(await trips(worker, driver, { do: 'create', key, value }), expected.create);
			assert.equal(await trips(worker, driver, { do: 'get', key }), expected.read);
			const update = await trips(worker, driver, { do: 'update', key, value: 'other' });
			assert.equal(update, `${expected.read}, ${expected.write}`);
			assert.equal(await trips(worker, driver, { do: 'touch', key, ttl: 3600 }), expected.touch);
		});
	}

	test('of many requests at once that change one session in R2, none is lost', async () => {
		const client = new Client();
		const push = (item) => client.post(worker, '/list', { item });
		await push('first');
		const items = Array.from({ length: 40 }, (_, index) => `item ${index}`);
		await Promise.all(items.map(push));
		const list = await push('last');
		assert.deepEqual(list.toSorted(), ['first', ...items, 'last'].toSorted());
	});

	test('a binding that is not there is named', async () => {
		const body = JSON.stringify({ options: { binding: 'ELSEWHERE' }, calls: [] });
		const response = await fetch(`${worker.url}/items/cloudflare-kv-binding`, { method: 'POST', body });
		assert.match(await response.text(), /option `binding`: this Worker has no such store as `ELSEWHERE`/);
	});
});
