// Sessions that end when they are old: Rust notes in the record when one began, and Astro carries the note along.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'devalue';
import { Client } from '../lib/client.mjs';
import { interleave } from '../lib/gate.mjs';
import { startAstro, startProbe } from '../lib/servers.mjs';
import { astroStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';

const hour = 3600;
const note = 'cloakroom.created';

suiteOver(astroStores, 'Sessions with an absolute timeout on Rust', { needs: ['probe'] }, (Store) => {
	let store, astro, probe, driver;
	before(async () => {
		store = await Store.open();
		[astro, probe] = await Promise.all([startAstro(store), startProbe(store, { absolute: hour })]);
		driver = store.driver();
	});
	after(async () => {
		await driver?.dispose?.();
		await store?.close();
	});

	/** When the record says that the session began. */
	const created = async (id) => parse(await store.read(id)).get(note)?.data;

	test('a session that Rust began says when, and only Astro shows that among its keys', async () => {
		const client = new Client();
		const from = Date.now();
		await client.set(probe, 'cart', ['felt-hat']);
		const to = Date.now();
		const at = await created(client.id);
		assert.ok(from <= at && at <= to, `${at} is when the request was`);
		assert.deepEqual(await client.keys(probe), ['cart']);
		assert.deepEqual(await client.get(astro, 'cart'), ['felt-hat']);
		assert.deepEqual((await client.keys(astro)).toSorted(), ['cart', note]);
	});

	test('what Astro writes keeps the note, to the byte', async () => {
		const client = new Client();
		await client.set(probe, 'cart', ['felt-hat']);
		const at = await created(client.id);
		await client.set(astro, 'user', { name: 'Ada' });
		await client.steps(astro, { do: 'delete', key: 'cart' });
		assert.equal(await created(client.id), at);
		const record = await store.read(client.id);
		await client.set(probe, 'user', { name: 'Ada' });
		assert.equal(await store.read(client.id), record);
	});

	test("a session that Astro began gets the note at Rust's first read, once, and no cookie", async () => {
		const client = new Client();
		await client.set(astro, 'cart', ['felt-hat']);
		assert.equal(await created(client.id), undefined);
		const from = Date.now();
		assert.deepEqual(await client.get(probe, 'cart'), ['felt-hat']);
		const to = Date.now();
		assert.deepEqual(client.setCookies, []);
		const record = await store.read(client.id);
		const at = await created(client.id);
		assert.ok(from <= at && at <= to, `${at} is when Rust read it`);
		assert.deepEqual(await client.get(probe, 'cart'), ['felt-hat']);
		assert.equal(await store.read(client.id), record);
		assert.deepEqual(await client.get(astro, 'cart'), ['felt-hat']);
	});

	test('a session that Astro began is as Astro would have written it, but for the note', async () => {
		const client = new Client();
		await client.set(astro, 'cart', ['felt-hat', new Date(0)]);
		const entries = parse(await store.read(client.id));
		await client.get(probe, 'cart');
		entries.set(note, { data: await created(client.id), expires: undefined });
		assert.equal(await store.read(client.id), stringify(entries));
	});

	test('what Astro writes before Rust has made the note is kept, and the next read makes it', async () => {
		const client = new Client();
		await client.set(astro, 'cart', ['felt-hat']);
		await interleave(client, probe, {
			before: [{ do: 'keys' }],
			meanwhile: () => new Client(client.cookies).set(astro, 'theme', 'dark'),
			after: [],
		});
		assert.equal(await client.get(astro, 'theme'), 'dark');
		assert.deepEqual((await client.keys(probe)).toSorted(), ['cart', 'theme']);
		assert.equal(typeof (await created(client.id)), 'number');
	});

	test('a session that Astro ends before Rust has made the note stays ended', async () => {
		const client = new Client();
		await client.set(astro, 'cart', ['felt-hat']);
		const { id } = client;
		await interleave(client, probe, {
			before: [{ do: 'keys' }],
			meanwhile: () => new Client(client.cookies).steps(astro, { do: 'destroy' }),
			after: [],
		});
		assert.deepEqual(client.setCookies, []);
		assert.ok(!(await store.exists(id)));
	});

	for (const [name, server] of [
		['Astro', () => astro],
		['Rust', () => probe],
	]) {
		test(`a regeneration by ${name} makes a session no younger`, async () => {
			const client = new Client();
			await client.set(probe, 'cart', ['felt-hat']);
			const { id } = client;
			const at = await created(id);
			await client.steps(server(), { do: 'regenerate' });
			assert.notEqual(client.id, id);
			assert.equal(await created(client.id), at);
		});
	}

	/** A visitor whose session began so many seconds ago, as Astro may have carried it along. */
	async function visitorSince(seconds) {
		const id = randomUUID();
		const entries = new Map([
			['cart', { data: ['felt-hat'], expires: undefined }],
			[note, { data: Date.now() - seconds * 1000, expires: undefined }],
		]);
		await driver.setItem(id, stringify(entries), {});
		return new Client([['astro-session', id]]);
	}

	test('a session just below its age is there for both', async () => {
		const client = await visitorSince(hour - 60);
		assert.deepEqual(await client.get(probe, 'cart'), ['felt-hat']);
		assert.deepEqual(await client.get(astro, 'cart'), ['felt-hat']);
	});

	test('a session over its age is gone for Rust, which removes its record, and so for Astro', async () => {
		const client = await visitorSince(hour + 1);
		assert.deepEqual(await client.get(astro, 'cart'), ['felt-hat']);
		const { id } = client;
		assert.deepEqual(await new Client(client.cookies).keys(probe), []);
		await until('its record is gone', async () => !(await store.exists(id)));
		assert.deepEqual(await new Client(client.cookies).keys(astro), []);
	});

	test('who comes with a session over its age gets a new one, with nothing of the old', async () => {
		const client = await visitorSince(hour + 1);
		const { id } = client;
		await client.set(probe, 'user', { name: 'Ada' });
		assert.notEqual(client.id, id);
		assert.deepEqual(await client.keys(probe), ['user']);
		assert.ok(Date.now() - (await created(client.id)) < hour * 1000);
	});
});
