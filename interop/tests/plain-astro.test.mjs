// A plain Astro site, without `@cloakroom/astro`, beside Rust: what it overwrites is noticed, the operator is told once of each
// kind, and no session that Rust has ended is served again.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'devalue';
import { Client } from '../lib/client.mjs';
import { Folder } from '../lib/folder.mjs';
import { interleave } from '../lib/gate.mjs';
import { startAstro, startProbe } from '../lib/servers.mjs';
import { astroStores, packageStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';

const idle = 1800;
const get = (key) => ({ do: 'get', key });
const set = (key, value) => ({ do: 'set', key, value: stringify(value) });

/** The kinds that a probe has warned of. */
const warned = (probe) => [...probe.output().matchAll(/WARN .*kind="?(\w+)/g)].map(([, kind]) => kind);

suiteOver(astroStores, 'A plain Astro site beside Rust', { needs: ['probe'] }, (Store) => {
	let store, astro, probe;
	before(async () => {
		store = await Store.open();
		[astro, probe] = await Promise.all([startAstro(store), startProbe(store, { idle })]);
	});
	after(() => store?.close());

	/** A visitor whom Rust knows. */
	async function visitor() {
		const client = new Client();
		await client.set(probe, 'user', 'Ada');
		return client;
	}

	/** Nobody is anybody by this ID: not on Rust, and then not on Astro either. */
	async function assertEnded(id) {
		const late = new Client([['astro-session', id]]);
		assert.deepEqual(await late.keys(probe), []);
		await late.set(probe, 'theme', 'dark');
		assert.deepEqual(late.setCookies, []);
		assert.ok(!(await store.exists(id)));
		assert.deepEqual(await late.keys(astro), []);
	}

	for (const [name, step] of [
		['a logout', { do: 'destroy' }],
		['a login', { do: 'regenerate' }],
	]) {
		test(`${name} on Rust beside a slow request of Astro's: what that brings back is served to nobody, and ended again`, async () => {
			for (let round = 0; round < 20; round++) {
				const client = await visitor();
				const { id } = client;
				await interleave(new Client(client.cookies), astro, {
					before: [get('user')],
					meanwhile: () => client.steps(probe, step),
					after: [set('theme', 'light')],
				});
				assert.ok(await store.exists(id), 'it is back');
				await assertEnded(id);
			}
		});
	}

	test('a deadline that Astro has taken away', async () => {
		for (let round = 0; round < 3; round++) {
			const client = await visitor();
			await client.set(astro, 'theme', 'light');
			assert.equal(await client.get(probe, 'theme'), 'light');
		}
	});

	test('the operator was told once of each kind, and what to do, and of no session', () => {
		assert.deepEqual(warned(probe).toSorted(), ['lost_deadline', 'revived']);
		assert.equal(probe.output().match(/install it there/g).length, 2);
		assert.doesNotMatch(probe.output(), /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}|Ada/);
	});
});

suiteOver([Folder], 'What a plain Astro site has torn', { needs: ['probe'] }, (Store) => {
	let store, astro, probe, careful;
	before(async () => {
		store = await Store.open();
		const starting = [startAstro(store), startProbe(store), startProbe(store, { corrupt: 'quarantine' })];
		[astro, probe, careful] = await Promise.all(starting);
	});
	after(() => store?.close());

	/** A visitor whose record 16 writes at once have torn; undefined where they are too lucky. */
	async function unluckyVisitor() {
		for (let round = 0; round < 100; round++) {
			const client = new Client();
			await client.set(astro, 'user', 'Ada');
			const append = (_, item) => new Client(client.cookies).steps(astro, { do: 'append', key: 'cart', item: 'x'.repeat(item * 100) });
			await Promise.allSettled(Array.from({ length: 16 }, append));
			const record = await store.find(client.id);
			try {
				if (record) parse(record);
			} catch {
				return { client, record };
			}
		}
	}

	test('is an error, or is moved aside where the configuration says so, and the visitor begins anew', async (t) => {
		const unlucky = await unluckyVisitor();
		if (!unlucky) return t.skip('in 100 rounds of 16 writes at once nothing was torn');
		const { client, record } = unlucky;
		const { id } = client;
		await assert.rejects(new Client(client.cookies).get(probe, 'user'), /500 /);
		assert.equal(await store.find(id), record);

		assert.equal(await client.get(careful, 'user'), undefined);
		assert.equal(await store.find(id), null);
		assert.equal(await readFile(path.join(store.sessions, 'corrupt', id), 'utf8'), record);
		await client.set(careful, 'user', 'Eve');
		assert.notEqual(client.id, id);
		for (const server of [astro, probe, careful]) assert.equal(await new Client(client.cookies).get(server, 'user'), 'Eve');
	});
});

suiteOver(packageStores, 'A site with @cloakroom/astro is not taken for a plain one', { needs: ['probe'] }, (Store) => {
	let store, astro, probe;
	before(async () => {
		store = await Store.open();
		[astro, probe] = await Promise.all([startAstro(store), startProbe(store, { idle, absolute: idle * 2, ttl: idle * 4 })]);
	});
	after(() => store?.close());

	test('by changes on both sides at once, logouts and logins', async () => {
		for (let round = 0; round < 10; round++) {
			const client = new Client();
			await client.set(probe, 'theme', 'dark');
			const steps = [set('theme', round), { do: 'delete', key: 'theme' }, { do: 'push', key: 'cart', item: round }];
			const changes = Array.from({ length: 12 }, (_, index) => {
				const server = index % 2 ? astro : probe;
				return new Client(client.cookies).steps(server, steps[index % steps.length]);
			});
			await Promise.allSettled(changes);
			await interleave(new Client(client.cookies), astro, {
				before: [get('cart')],
				meanwhile: () => client.steps(probe, { do: round % 2 ? 'destroy' : 'regenerate' }),
				after: [set('user', round)],
			}).catch(() => {});
			await new Client(client.cookies).keys(probe);
		}
		assert.deepEqual(warned(probe), []);
	});
});
