// JavaScript that writes a record between Rust's load and Rust's commit. JavaScript knows no compare-and-swap, but its
// write is a conflict for ours: neither is lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stringify } from 'devalue';
import { Client } from '../lib/client.mjs';
import { interleave } from '../lib/gate.mjs';
import { startProbe } from '../lib/servers.mjs';
import { astroStores, racedStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';
import { AstroWriter, UnstorageWriter } from '../lib/writers.mjs';

for (const [Writer, stores] of [
	[UnstorageWriter, racedStores],
	[AstroWriter, astroStores],
]) {
	suiteOver(stores, `${Writer.title} writes between Rust's load and its commit`, { needs: ['probe'] }, (Store) => {
		let store, probe, writer;
		before(async () => {
			store = await Store.open();
			probe = await startProbe(store);
			writer = await Writer.start(store);
		});
		after(async () => {
			await writer?.close();
			await store?.close();
		});

		const load = { do: 'get', key: 'cart' };
		const set = (key, value) => ({ do: 'set', key, value: stringify(value) });

		/** A visitor whose record Rust wrote. */
		async function visitor() {
			const client = new Client();
			await client.set(probe, 'cart', ['felt-hat']);
			return client;
		}

		/** What a visitor's session is on a new request. */
		async function entries(client) {
			const fresh = new Client(client.cookies);
			const keys = await fresh.keys(probe);
			return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await fresh.get(probe, key)])));
		}

		test('a change of another key: both changes are there', async () => {
			const client = await visitor();
			await interleave(client, probe, {
				before: [load],
				meanwhile: () => writer.set(client, 'theme', 'dark'),
				after: [set('user', { name: 'Ada' })],
			});
			assert.deepEqual(await entries(client), { cart: ['felt-hat'], theme: 'dark', user: { name: 'Ada' } });
		});

		test('a change of the same key: the later writer has it, and what else was changed stays', async () => {
			const client = await visitor();
			await interleave(client, probe, {
				before: [load],
				meanwhile: async () => {
					await writer.set(client, 'theme', 'dark');
					await writer.set(client, 'language', 'nb');
				},
				after: [set('theme', 'light')],
			});
			assert.deepEqual(await entries(client), { cart: ['felt-hat'], theme: 'light', language: 'nb' });
		});

		test('a change of a key that Rust only read stays', async () => {
			const client = await visitor();
			await interleave(client, probe, {
				before: [load],
				meanwhile: () => writer.set(client, 'cart', ['garden-boots']),
				after: [load, set('theme', 'light')],
			});
			assert.deepEqual(await entries(client), { cart: ['garden-boots'], theme: 'light' });
		});

		test('a key that was deleted stays deleted', async () => {
			const client = await visitor();
			await interleave(client, probe, {
				before: [load],
				meanwhile: () => writer.delete(client, 'cart'),
				after: [set('theme', 'light')],
			});
			assert.deepEqual(await entries(client), { theme: 'light' });
		});

		test('a key that Rust deletes is gone, and what was changed beside it stays', async () => {
			const client = await visitor();
			await interleave(client, probe, {
				before: [load],
				meanwhile: () => writer.set(client, 'theme', 'dark'),
				after: [{ do: 'delete', key: 'cart' }],
			});
			assert.deepEqual(await entries(client), { theme: 'dark' });
		});

		test('an item that is added to the list that Rust adds to: both items are there', async () => {
			const client = await visitor();
			const results = await interleave(client, probe, {
				before: [load],
				meanwhile: () => writer.set(client, 'cart', ['felt-hat', 'garden-boots']),
				after: [{ do: 'push', key: 'cart', item: 'loden-coat' }],
			});
			const cart = ['felt-hat', 'garden-boots', 'loden-coat'];
			assert.deepEqual(results.at(-1), cart);
			assert.deepEqual(await entries(client), { cart });
		});

		test('a regeneration on Rust takes the change along to the new ID', async () => {
			const client = await visitor();
			const { id } = client;
			await interleave(client, probe, {
				before: [load],
				meanwhile: () => writer.set(client, 'theme', 'dark'),
				after: [{ do: 'regenerate' }],
			});
			assert.notEqual(client.id, id);
			assert.deepEqual(await entries(client), { cart: ['felt-hat'], theme: 'dark' });
			assert.ok(!(await store.exists(id)));
		});

		test('a record that was removed stays removed, and no cookie is sent', async () => {
			const client = await visitor();
			const { id } = client;
			await interleave(client, probe, {
				before: [load],
				meanwhile: () => writer.destroy(client),
				after: [set('user', { name: 'Ada' })],
			});
			assert.deepEqual(client.setCookies, []);
			assert.ok(!(await store.exists(id)));
			assert.deepEqual(await new Client(client.cookies).keys(probe), []);
		});

		test('an update of a record that was removed fails, and no cookie is sent', async () => {
			const client = await visitor();
			const { id } = client;
			const request = interleave(client, probe, {
				before: [load],
				meanwhile: () => writer.destroy(client),
				after: [{ do: 'push', key: 'cart', item: 'loden-coat' }],
			});
			await assert.rejects(request, /The session has ended in the meantime\. Nothing was saved\.\s+409 /);
			assert.deepEqual(client.setCookies, []);
			assert.ok(!(await store.exists(id)));
		});
	});
}
