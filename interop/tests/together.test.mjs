// An Astro site with `@cloakroom/astro` and Rust servers, one session: no acknowledged update is lost, no logout undone.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'devalue';
import { Client } from '../lib/client.mjs';
import { interleave } from '../lib/gate.mjs';
import { startAstro, startProbe } from '../lib/servers.mjs';
import { atRestStores, sharedStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';

const set = (key, value) => ({ do: 'set', key, value: stringify(value) });
const push = (key, item) => ({ do: 'push', key, item: `item-${item}` });
const get = (key) => ({ do: 'get', key });

suiteOver([...sharedStores, ...atRestStores], 'Astro and Rust together', { needs: ['probe'] }, (Store) => {
	let store, astro, secondAstro, probe;
	before(async () => {
		store = await Store.open();
		[astro, secondAstro, probe] = await Promise.all([startAstro(store), startAstro(store), startProbe(store)]);
	});
	after(() => store?.close());

	/** A visitor with something in the session. */
	async function visitor(server = probe) {
		const client = new Client();
		await client.set(server, 'theme', 'dark');
		return client;
	}

	/** The pairs of two servers, by name: the one that is slow, and the one that is quick. */
	const pairs = [
		['Astro beside Rust', () => [astro, probe]],
		['Rust beside Astro', () => [probe, astro]],
		['Astro beside another Astro', () => [astro, secondAstro]],
		['Astro beside itself', () => [astro, astro]],
	];

	describe('many requests at once', () => {
		/** Takes `total` steps from all three servers, so many at a time. */
		async function burst(client, total, atOnce, step) {
			const servers = [astro, probe, secondAstro];
			let next = 0;
			const worker = async () => {
				while (next < total) {
					const index = next++;
					await new Client(client.cookies).steps(servers[index % servers.length], step(index));
				}
			};
			await Promise.all(Array.from({ length: atOnce }, worker));
		}

		for (const [total, atOnce] of [
			[30, 2],
			[100, 16],
			[200, 200],
		]) {
			test(`${total} updates of one key, ${atOnce} at a time: all are there, once`, async () => {
				const client = await visitor();
				await burst(client, total, atOnce, (index) => push('cart', index));
				const cart = await client.get(probe, 'cart');
				assert.deepEqual(cart.toSorted(), Array.from({ length: total }, (_, index) => `item-${index}`).toSorted());
			});

			test(`${total} changes of different keys, ${atOnce} at a time: all are there`, async () => {
				const client = await visitor();
				await burst(client, total, atOnce, (index) => set(`key-${index}`, index));
				const keys = await client.keys(probe);
				assert.deepEqual(keys.toSorted(), ['theme', ...Array.from({ length: total }, (_, index) => `key-${index}`)].toSorted());
				assert.equal(client.id, (await client.steps(astro, get('theme'), { do: 'id' }))[1]);
			});
		}

		test('a key that is read and set: what was acknowledged is there, and the others were told', async () => {
			const client = await visitor();
			let told = 0;
			const acknowledged = [];
			await Promise.all(
				Array.from({ length: 60 }, async (_, item) => {
					const server = item % 2 ? astro : secondAstro;
					const init = {
						method: 'POST',
						body: JSON.stringify([{ do: 'append', key: 'cart', item }]),
						headers: { 'content-type': 'application/json' },
					};
					const response = await new Client(client.cookies).request(server, '/api/session', init);
					if (response.status === 200) acknowledged.push(item);
					else if (response.status === 409) told++;
				}),
			);
			assert.equal(acknowledged.length + told, 60);
			assert.deepEqual((await client.get(probe, 'cart')).toSorted(), acknowledged.toSorted());
		});
	});

	for (const [name, servers] of pairs) {
		describe(name, () => {
			let slow, quick;
			before(() => ([slow, quick] = servers()));

			test('a change of another key: both changes are there', async () => {
				const client = await visitor();
				await interleave(client, slow, {
					before: [get('cart')],
					meanwhile: () => new Client(client.cookies).set(quick, 'language', 'nb'),
					after: [set('user', { name: 'Ada' })],
				});
				assert.deepEqual((await client.keys(quick)).toSorted(), ['language', 'theme', 'user']);
			});

			test('an update of the same key is made on what is stored', async () => {
				const client = await visitor();
				await interleave(client, slow, {
					before: [get('cart'), push('cart', 'hat')],
					meanwhile: () => new Client(client.cookies).steps(quick, push('cart', 'boots')),
					after: [],
				});
				assert.deepEqual((await client.get(quick, 'cart')).toSorted(), ['item-boots', 'item-hat']);
			});

			test('a logout beside a slow request: the session stays ended, and no cookie is sent', async () => {
				const client = await visitor();
				const { id } = client;
				const logout = new Client(client.cookies);
				await interleave(client, slow, {
					before: [get('theme')],
					meanwhile: () => logout.steps(quick, { do: 'destroy' }),
					after: [set('user', { name: 'Ada' })],
				});
				assert.ok(!(await store.exists(id)));
				assert.deepEqual(client.setCookies, []);
				assert.equal(logout.id, undefined);
				for (const server of [slow, quick]) assert.deepEqual(await new Client(client.cookies).keys(server), []);
			});

			test('a slow logout beside a change: the session is ended', async () => {
				const client = await visitor();
				const { id } = client;
				await interleave(client, slow, {
					before: [get('theme')],
					meanwhile: () => new Client([['astro-session', id]]).set(quick, 'user', { name: 'Ada' }),
					after: [{ do: 'destroy' }],
				});
				assert.ok(!(await store.exists(id)));
			});

			test('a slow login takes along what was saved meanwhile, and the old ID is dead', async () => {
				const client = await visitor();
				const { id } = client;
				const other = new Client(client.cookies);
				await interleave(client, slow, {
					before: [get('theme'), set('user', { name: 'Ada' })],
					meanwhile: async () => {
						for (let item = 0; item < 10; item++) await new Client(other.cookies).steps(quick, push('cart', item));
					},
					after: [{ do: 'regenerate' }],
				});
				assert.notEqual(client.id, id);
				assert.deepEqual((await client.keys(quick)).toSorted(), ['cart', 'theme', 'user']);
				assert.equal((await client.get(quick, 'cart')).length, 10);
				assert.ok(!(await store.exists(id)));
				// What comes late with the old ID is given no session of its own.
				await other.set(quick, 'late', true);
				assert.deepEqual(other.setCookies, []);
			});

			test('a logout beside a slow login: the data has no new ID', async () => {
				const client = await visitor();
				const request = interleave(client, slow, {
					before: [get('theme')],
					meanwhile: () => new Client(client.cookies).steps(quick, { do: 'destroy' }),
					after: [{ do: 'regenerate' }],
				});
				await assert.rejects(request, /The session has ended in the meantime\. Nothing was saved\.\s+409 /);
				assert.deepEqual(client.setCookies, []);
			});

			test('of two logins at once one wins', async () => {
				const client = await visitor();
				const winner = new Client(client.cookies);
				const request = interleave(client, slow, {
					before: [get('theme')],
					meanwhile: () => winner.steps(quick, set('user', 'Ada'), { do: 'regenerate' }),
					after: [set('user', 'Eve'), { do: 'regenerate' }],
				});
				await assert.rejects(request, /409 /);
				assert.equal(await winner.get(slow, 'user'), 'Ada');
			});

			test('20 logouts beside bursts of 8 changes: no session comes back', async () => {
				for (let round = 0; round < 20; round++) {
					const client = await visitor();
					const { id } = client;
					const changes = Array.from({ length: 8 }, (_, index) => new Client(client.cookies).steps(index % 2 ? slow : quick, push('cart', index)).catch(() => {}));
					await new Client(client.cookies).steps(round % 2 ? slow : quick, { do: 'destroy' });
					await Promise.all(changes);
					assert.ok(!(await store.exists(id)), `round ${round}`);
				}
			});
		});
	}
});
