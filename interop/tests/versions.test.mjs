// `@cloakroom/astro` in every major version of Astro that it supports: built for the Node adapter in both of its modes, and in
// `astro dev`.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stringify } from 'devalue';
import { Client } from '../lib/client.mjs';
import { Folder } from '../lib/folder.mjs';
import { interleave } from '../lib/gate.mjs';
import { startProbe } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';
import { Site, versions } from '../lib/versions.mjs';

const set = (key, value) => ({ do: 'set', key, value: stringify(value) });
const push = (key, item) => ({ do: 'push', key, item });
const get = (key) => ({ do: 'get', key });

for (const [version, modules] of versions) {
	suite(`A site of Astro ${version} with the package`, { needs: ['probe', 'versions'] }, () => {
		let store, astro, plain, middleware, dev, probe;
		before(async () => {
			store = await Folder.open();
			const site = await Site.build(store, modules);
			[astro, plain, middleware, dev, probe] = await Promise.all([
				site.start('dist'),
				site.start('dist-plain'),
				site.run('server.mjs'),
				site.run('dev.mjs'),
				startProbe(store, site.told),
			]);
		});
		after(() => store?.close());

		/** A visitor with something in the session. */
		async function visitor(server = probe) {
			const client = new Client();
			await client.set(server, 'theme', 'dark');
			return client;
		}

		test('the methods leave the same bytes, answers and cookies as without it', async () => {
			const values = ['dark', ['hat', { size: 4 }], new Date(0), new Map([[1, new Set([2n])]]), new URL('https://example.com/a'), null, undefined];
			const requests = [
				values.map((value, index) => set(`key-${index}`, value)),
				[get('key-1'), { do: 'has', key: 'key-9' }, { do: 'keys' }, { do: 'id' }],
				[{ do: 'append', key: 'cart', item: 'hat' }, { do: 'delete', key: 'key-0' }, set('key-2', 'new')],
				[{ do: 'regenerate' }, set('user', 'Ada')],
				[{ do: 'keys' }],
				[{ do: 'destroy' }],
				[{ do: 'keys' }],
			];
			const [ours, theirs] = [new Client(), new Client()];
			for (const steps of requests) {
				const seen = [];
				for (const [client, server] of [[ours, astro], [theirs, plain]]) {
					const before = client.id;
					const answers = await client.steps(server, ...steps);
					const withoutID = (text) => (client.id ? text.replaceAll(client.id, 'id') : text);
					// Plain Astro sends a cookie again that the browser has.
					const cookies = client.id === before ? [] : client.setCookies.map(withoutID);
					seen.push([withoutID(JSON.stringify(answers)), cookies, client.id && (await store.read(client.id))]);
				}
				assert.deepEqual(seen[0], seen[1], JSON.stringify(steps));
			}
		});

		test('a burst of updates, on the built site, as a middleware, in `astro dev` and on Rust: all are there, once', async () => {
			const client = await visitor();
			const servers = [astro, probe, middleware, dev];
			const items = Array.from({ length: 80 }, (_, index) => `item-${index}`);
			await Promise.all(items.map((item, index) => new Client(client.cookies).steps(servers[index % 4], push('cart', item))));
			for (const server of servers) assert.deepEqual((await client.get(server, 'cart')).toSorted(), items.toSorted());
		});

		test('pages that count their visits, on each of them', async () => {
			const client = await visitor();
			const servers = [astro, middleware, dev];
			await Promise.all(Array.from({ length: 15 }, (_, index) => new Client(client.cookies).page(servers[index % 3], '/')));
			for (const [index, server] of servers.entries()) assert.match(await client.page(server, '/'), new RegExp(`visit ${16 + index}<`));
		});

		for (const [name, servers] of [
			['Astro beside Rust', () => [astro, probe]],
			['Rust beside Astro', () => [probe, astro]],
			['A middleware beside Rust', () => [middleware, probe]],
			['`astro dev` beside Rust', () => [dev, probe]],
		]) {
			test(`${name}: a logout beside a slow request stays`, async () => {
				const [slow, quick] = servers();
				const client = await visitor(slow);
				const { id } = client;
				const logout = new Client(client.cookies);
				await interleave(client, slow, {
					before: [get('theme')],
					meanwhile: () => logout.steps(quick, { do: 'destroy' }),
					after: [set('user', 'Ada')],
				});
				assert.ok(!(await store.exists(id)));
				assert.deepEqual(client.setCookies, []);
				assert.equal(logout.id, undefined);
			});

			test(`${name}: a slow login takes along what was saved meanwhile`, async () => {
				const [slow, quick] = servers();
				const client = await visitor(slow);
				const { id } = client;
				await interleave(client, slow, {
					before: [set('user', 'Ada')],
					meanwhile: () => new Client(client.cookies).steps(quick, push('cart', 'hat')),
					after: [{ do: 'regenerate' }],
				});
				assert.notEqual(client.id, id);
				assert.deepEqual((await client.keys(quick)).toSorted(), ['cart', 'theme', 'user']);
				assert.ok(!(await store.exists(id)));
			});
		}
	});
}
