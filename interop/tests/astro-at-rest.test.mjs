// A site with `@cloakroom/astro` and a Rust server in one store whose IDs are hashed and whose records are sealed; and who has
// other keys, or none. `together.test.mjs` has what all of them do at once.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { stringify } from 'devalue';
import { Client } from '../lib/client.mjs';
import { startAstro, startProbe } from '../lib/servers.mjs';
import { atRestStores, packageStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';

const set = (key, value) => ({ do: 'set', key, value: stringify(value) });
const push = (item) => ({ do: 'push', key: 'cart', item });

/** What the site has told when it was built. */
const told = (store) => path.resolve(import.meta.dirname, '../site', store.build, 'server/cloakroom.json');

/** A Rust server on what the site has told. */
const startOnWhatIsTold = (store) => startProbe(store, told(store));

/** How many records `cloakroom rotate` has sealed anew, with what the site has told. */
async function rotate(store) {
	const options = { cwd: store.root, env: { ...process.env, ...store.environment } };
	const rotating = promisify(execFile)(process.env.CLOAKROOM_SERVE, ['rotate', '--config', told(store), '--json'], options);
	const { stdout } = await rotating.catch((error) => {
		// Others have sealed some with keys that are not there.
		if (error.code !== 4) throw error;
		return error;
	});
	return JSON.parse(stdout).sealed;
}

/** The same store, to servers with other variables. */
const withVariables = (store, environment) => ({ ...store, environment });

/** Every item of the store, as who reads it sees it; of files, none of those that Cloakroom keeps beside them. */
async function dump(store) {
	const driver = store.driver();
	try {
		const keys = (await driver.getKeys('', {})).filter((key) => !key.startsWith('.cloakroom'));
		return await Promise.all(keys.map(async (key) => [key, String(await driver.getItem(key))]));
	} finally {
		await driver.dispose?.();
	}
}

/** What a server answers to these steps, whatever it is. */
async function answer(client, server, ...steps) {
	const init = { method: 'POST', body: JSON.stringify(steps), headers: { 'content-type': 'application/json', origin: server.url } };
	const response = await client.request(server, '/api/session', init);
	return { status: response.status, text: await response.text() };
}

suiteOver(atRestStores, 'Secrets at rest', { needs: ['probe', 'serve'] }, (Store) => {
	let store, astro, rust;
	before(async () => {
		store = await Store.open();
		[astro, rust] = await Promise.all([startAstro(store), startOnWhatIsTold(store)]);
	});
	after(() => store?.close());

	for (const [name, servers] of [
		['begun by Astro', () => [astro, rust]],
		['begun by Rust', () => [rust, astro]],
	]) {
		describe(`A session that was ${name}`, () => {
			let here, there;
			before(() => ([here, there] = servers()));

			test('is read and changed by the other', async () => {
				const client = new Client();
				await client.set(here, 'user', { name: 'Ada' });
				const { id } = client;
				assert.deepEqual(await client.get(there, 'user'), { name: 'Ada' });
				await client.set(there, 'theme', 'dark');
				assert.deepEqual((await client.keys(here)).toSorted(), ['theme', 'user']);
				assert.equal(client.id, id);
			});

			test('is ended by the other, and stays so', async () => {
				const client = new Client();
				await client.set(here, 'user', 'Ada');
				const stale = new Client(client.cookies);
				await client.steps(there, { do: 'destroy' });
				assert.equal(client.id, undefined);
				assert.ok(!(await store.exists(stale.id)));
				await stale.set(here, 'user', 'Eve');
				assert.deepEqual(stale.setCookies, []);
				for (const server of [here, there]) assert.deepEqual(await new Client(stale.cookies).keys(server), []);
			});

			test('has a new ID after a login, and the old one is dead', async () => {
				const client = new Client();
				await client.set(here, 'theme', 'dark');
				const old = new Client(client.cookies);
				await client.steps(there, set('user', 'Ada'), { do: 'regenerate' });
				assert.notEqual(client.id, old.id);
				assert.equal(await client.get(here, 'user'), 'Ada');
				assert.deepEqual(await old.keys(here), []);
			});

			test('loses nothing of what both add at once', async () => {
				const client = new Client();
				await client.set(here, 'theme', 'dark');
				const items = Array.from({ length: 60 }, (_, index) => `item-${index}`);
				await Promise.all(items.map((item, index) => new Client(client.cookies).steps(index % 2 ? here : there, push(item))));
				assert.deepEqual((await client.get(there, 'cart')).toSorted(), items.toSorted());
			});
		});
	}

	test('the store has neither an ID nor what is in a session', async () => {
		const ids = [];
		for (const server of [astro, rust]) {
			const client = new Client();
			await client.set(server, 'card', '4111-1111');
			ids.push(client.id);
		}
		const items = await dump(store);
		assert.ok(items.length >= 2);
		for (const [key, text] of items) {
			assert.match(key, /^[0-9a-f]{64}$/);
			assert.match(text, /^sealed\.1\.[\w-]{8}\.[\w-]+$/);
			// Nothing short, which is among so many letters by chance.
			for (const secret of [...ids, '4111-1111', '"card"', '["Map"']) assert.ok(!key.includes(secret) && !text.includes(secret));
		}
		// What is read there is no cookie either.
		const [key] = items[0];
		const cut = `${key.slice(0, 8)}-${key.slice(8, 12)}-4${key.slice(13, 16)}-8${key.slice(17, 20)}-${key.slice(20, 32)}`;
		for (const id of [key, cut]) {
			for (const server of [astro, rust]) assert.deepEqual(await new Client([['astro-session', id]]).keys(server), []);
		}
	});

	test('a record in the place of another opens on neither side, is kept, and is ended by a logout', async () => {
		for (const server of [astro, rust]) {
			const [ada, eve] = [new Client(), new Client()];
			const places = [];
			for (const client of [ada, eve]) {
				const before = new Set((await dump(store)).map(([key]) => key));
				await client.set(server, 'user', 'somebody');
				places.push((await dump(store)).map(([key]) => key).find((key) => !before.has(key)));
			}
			const driver = store.driver();
			await driver.setItem(places[1], String(await driver.getItem(places[0])), {});
			for (const reader of [astro, rust]) {
				const { status } = await answer(new Client(eve.cookies), reader, { do: 'get', key: 'user' });
				assert.equal(status, 500);
				assert.match(reader.output(), /it was changed, or sealed for another/);
			}
			assert.equal(await driver.getItem(places[1]), await driver.getItem(places[0]));
			await driver.dispose?.();
			await eve.steps(server, { do: 'destroy' });
			assert.equal(eve.id, undefined);
			assert.equal(await ada.get(server, 'user'), 'somebody');
		}
	});

	test('a key is changed without anybody being logged out', async () => {
		const [old, next] = [store.sealedWith, randomBytes(32).toString('base64')];
		const client = new Client();
		await client.set(rust, 'turn', 0);
		// As they are deployed, one after the other: each pair is on the store at the same time.
		const deployed = [old, `${old},${next}`, `${next},${old}`, next];
		let previous = [];
		for (const [turn, keys] of deployed.entries()) {
			const of = withVariables(store, store.variables(keys));
			const both = await Promise.all([startAstro(of), startOnWhatIsTold(of)]);
			for (const server of [...previous, ...both]) {
				assert.equal(await client.get(server, 'turn'), turn && turn - 1 / 2);
			}
			for (const server of [...both, ...previous]) await client.set(server, 'turn', turn);
			for (const server of [...previous, ...both]) assert.equal(await client.get(server, 'turn'), turn);
			for (const server of both) await client.set(server, 'turn', turn + 1 / 2);
			previous = both;
		}
		// Who has the old one alone says which is missing.
		const { status } = await answer(new Client(client.cookies), astro, { do: 'get', key: 'turn' });
		assert.equal(status, 500);
		assert.match(astro.output(), /is sealed with the key [\w-]{8}, which is not among the keys that there are/);
	});

	test('all is sealed with the new key while both serve, and no update is lost', async () => {
		const [old, next] = [store.sealedWith, randomBytes(32).toString('base64')];
		const visitors = await Promise.all(
			Array.from({ length: 8 }, async (_, number) => {
				const client = new Client();
				await client.set([astro, rust][number % 2], 'user', number);
				return { client, number, pushed: 0 };
			}),
		);
		const both = withVariables(store, store.variables(`${next},${old}`));
		const servers = await Promise.all([startAstro(both), startOnWhatIsTold(both)]);
		let isOver = false;
		const busy = visitors.slice(1).map(async (visitor) => {
			while (!isOver) {
				await visitor.client.steps(servers[visitor.pushed % 2], push(`${visitor.number}-${visitor.pushed}`));
				visitor.pushed++;
			}
		});
		// The one who does nothing is among those that nobody else would seal anew.
		assert.ok((await rotate(both)) > 0);
		isOver = true;
		await Promise.all(busy);
		assert.equal(await rotate(both), 0);

		const alone = withVariables(store, store.variables(next));
		for (const server of await Promise.all([startAstro(alone), startOnWhatIsTold(alone)])) {
			for (const { client, number, pushed } of visitors) {
				assert.equal(await client.get(server, 'user'), number);
				const cart = (await client.get(server, 'cart')) ?? [];
				assert.deepEqual(cart, Array.from({ length: pushed }, (_, item) => `${number}-${item}`));
			}
		}
	});

	test('a site whose variable is not set says which', async () => {
		const { SITE_SECRET, ...rest } = store.environment;
		const without = await startAstro(withVariables(store, rest));
		const { status } = await answer(new Client(), without, set('user', 'Ada'));
		assert.equal(status, 500);
		assert.match(without.output(), /the environment variable SITE_SECRET, which `hashIds` name, is not set/);
		const refused = { ...withVariables(store, rest), servers: [] };
		await assert.rejects(startOnWhatIsTold(refused), /the environment variable SITE_SECRET, which the site takes its `hashIds` from, is not set/);
	});
});

suiteOver(packageStores, 'A site without keys beside a server that seals', { needs: ['probe'] }, (Store) => {
	let store, astro, rust;
	before(async () => {
		store = await Store.open();
		const encryption = { keys: [randomBytes(32).toString('base64')] };
		[astro, rust] = await Promise.all([startAstro(store), startProbe(store, { encryption })]);
	});
	after(() => store?.close());

	test('says so, and leaves the session as it is', async () => {
		const client = new Client();
		await client.set(rust, 'user', 'Ada');
		const record = await store.read(client.id);
		for (const steps of [[{ do: 'get', key: 'user' }], [set('user', 'Eve')], [push('hat')]]) {
			const { status } = await answer(new Client(client.cookies), astro, ...steps);
			assert.equal(status, 500);
		}
		assert.match(astro.output(), /The session data is sealed, and this site has no keys: it needs the `encryption` that the servers beside it have/);
		assert.equal(await store.read(client.id), record);
		assert.equal(await client.get(rust, 'user'), 'Ada');
	});

	test('is answered by the server what its own sessions are', async () => {
		const client = new Client();
		await client.set(astro, 'user', 'Ada');
		assert.notEqual((await answer(new Client(client.cookies), rust, { do: 'get', key: 'user' })).status, 200);
		assert.match(rust.output(), /it is not sealed, and plain values are not accepted/);
		await client.steps(astro, { do: 'destroy' });
	});
});
