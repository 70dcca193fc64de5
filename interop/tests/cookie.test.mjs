// The cookie's bytes: what Rust sends is what Astro sends.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Folder } from '../lib/folder.mjs';
import { RedisStore } from '../lib/redis.mjs';
import { startAstro, startProbe } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';
import { session } from '../site/every-cookie-option.config.mjs';

const set = { do: 'set', key: 'cart', value: '[[]]' };
const change = { do: 'set', key: 'theme', value: '["dark"]' };
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;

const sites = [
	{ options: 'the default options', Store: Folder },
	{ options: 'the default options, over Redis', Store: RedisStore },
	{ options: 'every option', Store: Folder, build: 'dist-every-cookie-option', config: session },
];

for (const { options, Store, build, config } of sites) {
	suite(`The cookie with ${options}`, { needs: ['probe', ...Store.needs] }, () => {
		let store, astro, probe;
		before(async () => {
			store = await Store.open();
			[astro, probe] = await Promise.all([startAstro(store, { build }), startProbe(store, config)]);
		});
		after(() => store?.close());

		/** What both sides send for the same steps of the same visitor; the visitor's session is made by Astro. */
		async function sent(...steps) {
			const visitor = new Client();
			await visitor.steps(astro, set);
			const answers = [];
			for (const server of [astro, probe]) {
				// A session of its own for each side, under the same ID: destroy by the first is not seen by the second.
				const client = new Client(visitor.cookies);
				await client.steps(server, ...steps);
				answers.push(client.setCookies);
			}
			return answers;
		}

		// The browser has the ID already. Rust repeats it only where its cookie would end before the session: answers arrive
		// in any order, and an old ID that comes late would replace the new one of a login.
		const repeats = config?.cookie?.maxAge !== undefined;

		test('is the same to the byte when a value is changed, where it has to be renewed', async () => {
			const [byAstro, byRust] = await sent(set, change);
			assert.equal(byAstro.length, 1);
			assert.deepEqual(byRust, repeats ? byAstro : []);
		});

		test('is sent once when several values are set', async () => {
			const steps = [change, { ...set, key: 'other' }, { do: 'delete', key: 'other' }];
			const answers = await Promise.all([astro, probe].map(async (server) => {
				const client = new Client();
				await client.steps(server, ...steps);
				return client.setCookies.map((cookie) => cookie.replace(uuid, 'ID'));
			}));
			assert.equal(answers[0].length, 1);
			assert.deepEqual(answers[1], answers[0]);
		});

		test('is not sent when a value is read', async () => {
			const [byAstro, byRust] = await sent({ do: 'get', key: 'cart' }, { do: 'keys' });
			assert.deepEqual(byAstro, []);
			assert.deepEqual(byRust, []);
		});

		test('is not sent when an entry is deleted', async () => {
			const [byAstro, byRust] = await sent({ do: 'delete', key: 'cart' });
			assert.deepEqual(byAstro, []);
			assert.deepEqual(byRust, []);
		});

		test('is the same but for the ID when a session is regenerated', async () => {
			const [byAstro, byRust] = (await sentApart({ do: 'regenerate' })).map((cookies) =>
				cookies.map((cookie) => cookie.replace(uuid, 'ID')),
			);
			assert.match(byAstro[0], /=ID; /);
			assert.deepEqual(byRust, byAstro);
		});

		test('is the same to the byte when a session is destroyed', async () => {
			const [byAstro, byRust] = await sentApart({ do: 'destroy' });
			assert.match(byAstro[0], /=deleted; .*Expires=Thu, 01 Jan 1970 00:00:00 GMT/);
			assert.deepEqual(byRust, byAstro);
		});

		test('is the same but for the ID for a new visitor', async () => {
			const answers = [];
			for (const server of [astro, probe]) {
				const client = new Client();
				await client.steps(server, set);
				assert.match(client.setCookies[0], uuid);
				answers.push(client.setCookies.map((cookie) => cookie.replace(uuid, 'ID')));
			}
			assert.deepEqual(answers[1], answers[0]);
		});

		/** As `sent`, for steps that end a session: each side ends one of its own. */
		async function sentApart(...steps) {
			const answers = [];
			for (const server of [astro, probe]) {
				const client = new Client();
				await client.steps(astro, set);
				await client.steps(server, ...steps);
				answers.push(client.setCookies);
			}
			return answers;
		}
	});
}
