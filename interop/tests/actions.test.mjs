// Actions on the wire: the same requests to the Astro site and to the Rust probe, and the same answers to the byte.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { stringify } from 'devalue';
import { Client } from '../lib/client.mjs';
import { Folder } from '../lib/folder.mjs';
import { startAstro, startProbe } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';
import { values } from '../lib/values.mjs';

const codes = {
	BAD_REQUEST: 400, UNAUTHORIZED: 401, PAYMENT_REQUIRED: 402, FORBIDDEN: 403, NOT_FOUND: 404, METHOD_NOT_ALLOWED: 405,
	NOT_ACCEPTABLE: 406, REQUEST_TIMEOUT: 408, CONFLICT: 409, GONE: 410,
	LENGTH_REQUIRED: 411, PRECONDITION_FAILED: 412, CONTENT_TOO_LARGE: 413, URI_TOO_LONG: 414, UNSUPPORTED_MEDIA_TYPE: 415,
	RANGE_NOT_SATISFIABLE: 416, EXPECTATION_FAILED: 417, MISDIRECTED_REQUEST: 421, UNPROCESSABLE_CONTENT: 422, LOCKED: 423,
	FAILED_DEPENDENCY: 424, TOO_EARLY: 425, UPGRADE_REQUIRED: 426, PRECONDITION_REQUIRED: 428, TOO_MANY_REQUESTS: 429,
	REQUEST_HEADER_FIELDS_TOO_LARGE: 431, UNAVAILABLE_FOR_LEGAL_REASONS: 451, INTERNAL_SERVER_ERROR: 500,
	NOT_IMPLEMENTED: 501, BAD_GATEWAY: 502, SERVICE_UNAVAILABLE: 503, GATEWAY_TIMEOUT: 504, HTTP_VERSION_NOT_SUPPORTED: 505,
	VARIANT_ALSO_NEGOTIATES: 506, INSUFFICIENT_STORAGE: 507, LOOP_DETECTED: 508, NETWORK_AUTHENTICATION_REQUIRED: 511,
};

const astroUrl = (value) => stringify(value, { URL: (url) => url instanceof URL && url.href });

for (const framework of ['axum', 'actix-web']) suite(`Actions of Astro and of Rust on ${framework}`, { needs: ['probe'] }, () => {
	let store, astro, probe;
	before(async () => {
		store = await Folder.open();
		[astro, probe] = await Promise.all([startAstro(store), startProbe(store, {}, { framework })]);
	});
	after(() => store?.close());

	const ask = async (server, name, init = {}) => {
		const { headers = { origin: server.url }, ...rest } = typeof init === 'function' ? init(server) : init;
		const response = await fetch(`${server.url}/_actions/${name}`, { method: 'POST', ...rest, headers });
		return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
	};
	const json = (input) => ({ body: JSON.stringify(input), headers: { 'content-type': 'application/json' } });
	const form = (fields) => (server) => ({ body: new URLSearchParams(fields), headers: { origin: server.url } });
	const multipart = (fields) => (server) => {
		const body = new FormData();
		for (const [name, value] of fields) body.append(name, value);
		return { body, headers: { origin: server.url } };
	};

	/** Asks both and returns their answer. */
	const same = async (name, init) => {
		const [theirs, ours] = [await ask(astro, name, init), await ask(probe, name, init)];
		assert.deepEqual(ours, theirs);
		return ours;
	};

	test('nothing is 204 without a body and without a type', async () => {
		assert.deepEqual(await same('nothing'), { status: 204, type: null, body: '' });
		await same('nothing', { headers: { 'content-type': 'application/json' } });
		await same('nothing/');
	});

	for (const [kind, value] of Object.entries(values)) {
		test(`a result is written alike: ${kind}`, async () => {
			const { status, body } = await same('value', json({ text: astroUrl(value) }));
			assert.equal(body, status === 204 ? '' : astroUrl(value));
		});
	}

	// What `fetch` takes for a question to itself.
	test('an error is written alike: PROXY_AUTHENTICATION_REQUIRED', async () => {
		const { body, headers } = json({ code: 'PROXY_AUTHENTICATION_REQUIRED' });
		const answers = [astro, probe].map(async ({ port }) => {
			const sent = request({ host: 'localhost', port, path: '/_actions/fail', method: 'POST', headers }).end(body);
			const [response] = await once(sent, 'response');
			return { status: response.statusCode, type: response.headers['content-type'], body: await text(response) };
		});
		const [theirs, ours] = await Promise.all(answers);
		assert.deepEqual(ours, theirs);
		assert.equal(ours.status, 407);
	});

	for (const [code, status] of Object.entries(codes)) {
		test(`an error is written alike: ${code}`, async () => {
			const answer = await same('fail', json({ code, message: 'no "way" <b>' }));
			assert.equal(answer.status, status);
			assert.equal(answer.type, 'application/json');
			await same('fail', json({ code }));
		});
	}

	test('an action that there is not is 404', async () => {
		for (const name of ['nope', 'cart.nope', 'cart.add.more', '__proto__', '']) {
			const answer = await same(name, json({}));
			assert.equal(answer.status, 404, name);
		}
	});

	test('an input of another type is 415, in the same words', async () => {
		await same('cart.add', { body: '<a/>', headers: { 'content-type': 'application/xml' } });
		await same('cart.add', form([['item', 'hat']]));
		await same('cart.add', multipart([['item', 'hat']]));
		await same('account.signUp', json({ name: 'Ann' }));
		await same('account.signUp', { headers: { 'content-type': 'application/json' } });
	});

	test('an input over 1 MiB is 413, whether its length is declared or not', async () => {
		const body = JSON.stringify({ item: 'x'.repeat(1 << 20) });
		const declared = await same('cart.add', { body, headers: { 'content-type': 'application/json' } });
		assert.equal(declared.status, 413);
		await same('cart.add', () => {
			const stream = new ReadableStream({
				start(controller) {
					for (let at = 0; at < body.length; at += 65_536) controller.enqueue(new TextEncoder().encode(body.slice(at, at + 65_536)));
					controller.close();
				},
			});
			return { body: stream, duplex: 'half', headers: { 'content-type': 'application/json' } };
		});
	});

	test('an input just below 1 MiB is read', async () => {
		const long = JSON.stringify(['x'.repeat((1 << 20) - 100)]);
		const answer = await same('value', json({ text: long }));
		assert.equal(answer.status, 200);
	});

	const address = [['address.town', 'Bergen']];
	for (const [what, fields] of [
		['every field', [['name', 'Ann'], ['age', '42'], ['newsletter', 'on'], ['interests', 'hats'], ['interests', 'coats'], ['sizes', '8.5'], ['sizes', '9'], ['note', 'hi'], ['address.town', 'Bergen'], ['address.code', '5003'], ['greeting', 'Ahoy']]],
		['what is needed alone', [['name', 'Ann'], ['age', '42'], ...address]],
		['empty fields that may be', [['name', 'Ann'], ['age', '42'], ['note', ''], ['address.code', ''], ...address]],
		['booleans in words', [['name', 'Ann'], ['age', '1'], ['newsletter', 'false'], ...address]],
		['an empty box that is there', [['name', 'Ann'], ['age', '1'], ['newsletter', ''], ...address]],
		['numbers in JavaScript’s ways', [['name', 'Ann'], ['age', ' 0x1F '], ['sizes', '1e3'], ['sizes', '-0.5'], ['sizes', '.5'], ...address]],
		['a name twice', [['name', 'Ann'], ['name', 'Bob'], ['age', '1'], ...address]],
		['a default that is not there', [['name', 'Ünïcode 🧥 <b>'], ['age', '1'], ...address]],
		['more than it asks for', [['name', 'Ann'], ['age', '1'], ['_astroAction', 'x'], ['address.street', 'y'], ...address]],
	]) {
		test(`a form is read alike, in both of its encodings: ${what}`, async () => {
			assert.equal((await same('account.signUp', form(fields))).status, 200);
			assert.equal((await same('account.signUp', multipart(fields))).status, 200);
		});
	}

	test('a file is read alike', async () => {
		const file = new File(['hello 🧥'], 'hällo.txt', { type: 'text/plain' });
		assert.equal((await same('account.upload', multipart([['title', 'Me'], ['file', file]]))).status, 200);
	});

	for (const [what, name, init] of [
		['a form without a field', 'account.signUp', form([['age', '42'], ...address])],
		['an empty form', 'account.signUp', form([])],
		['an empty field that is needed', 'account.signUp', form([['name', ''], ['age', ''], ...address])],
		['a number that is none', 'account.signUp', form([['name', 'Ann'], ['age', 'old'], ['sizes', '1'], ['sizes', 'large'], ...address])],
		['a field of an object', 'account.signUp', form([['name', 'Ann'], ['age', '1'], ['address.code', 'x']])],
		['a text in place of a file', 'account.upload', form([['title', 'x'], ['file', 'x']])],
		['JSON without a property', 'cart.add', json({})],
		['JSON of another type', 'cart.add', json({ item: 7 })],
		['JSON that breaks a rule', 'cart.add', json({ item: '' })],
		['no input', 'cart.add', {}],
		['null', 'cart.add', json(null)],
	]) {
		test(`what is wrong with an input is told in the same shape: ${what}`, async () => {
			const [theirs, ours] = [await ask(astro, name, init), await ask(probe, name, init)];
			assert.deepEqual([ours.status, ours.type], [theirs.status, theirs.type]);
			assert.equal(ours.status, 400);
			const read = ({ body }) => {
				const error = JSON.parse(body);
				assert.equal(error.type, 'AstroActionInputError');
				assert.deepEqual(Object.keys(error), ['type', 'issues', 'fields']);
				for (const { code, path, message } of error.issues) {
					assert.ok(code && Array.isArray(path) && message, body);
				}
				const places = error.issues.map(({ path }) => path.join('.')).sort();
				const fields = Object.entries(error.fields).map(([field, messages]) => [field, messages.length]).sort();
				return { places, fields };
			};
			assert.deepEqual(read(ours), read(theirs));
		});
	}

	// DIFFERENCE: Astro answers with the words of an error that was not meant for anybody outside.
	test('an error that nobody expected says nothing of itself', async () => {
		const theirs = await ask(astro, 'crash');
		const ours = await ask(probe, 'crash');
		assert.match(theirs.body, /1234/);
		assert.doesNotMatch(ours.body, /1234/);
		assert.deepEqual([ours.status, JSON.parse(ours.body).code], [500, 'INTERNAL_SERVER_ERROR']);
		assert.match(probe.output(), /the password is 1234/);
	});

	// DIFFERENCE: Astro answers 500, without a body that its client could read.
	test('JSON that cannot be read is 400', async () => {
		const broken = { body: '{"item":', headers: { 'content-type': 'application/json' } };
		assert.equal((await ask(astro, 'cart.add', broken)).status, 500);
		const ours = await ask(probe, 'cart.add', broken);
		assert.deepEqual([ours.status, JSON.parse(ours.body).code], [400, 'BAD_REQUEST']);
	});

	test('a form of another site is refused in the same words, and JSON is not', async () => {
		for (const origin of ['https://evil.example', 'null', 'http://localhost:1', undefined]) {
			const headers = origin ? { origin } : {};
			const answer = await same('account.signUp', { body: new URLSearchParams({ name: 'Ann' }), headers });
			assert.equal(answer.status, 403);
			assert.equal((await same('nothing', { headers: { ...headers, 'content-type': 'application/json' } })).status, 204);
		}
		assert.equal((await same('nothing', { headers: { origin: 'https://evil.example', 'content-type': 'text/plain' } })).status, 403);
	});

	// DIFFERENCE: Astro knows the browser's own word not.
	test('a browser’s own word counts over what an address says', async () => {
		const body = new URLSearchParams({ name: 'Ann', age: '1', 'address.town': 'Bergen' });
		const sent = (site, origin) => ask(probe, 'account.signUp', { body, headers: { 'sec-fetch-site': site, origin } });
		assert.equal((await sent('same-origin', 'https://public.example')).status, 200);
		assert.equal((await sent('cross-site', probe.url)).status, 403);
		assert.equal((await sent('same-site', probe.url)).status, 403);
	});

	test('a GET calls nothing', async () => {
		for (const server of [astro, probe]) {
			assert.equal((await fetch(`${server.url}/_actions/nothing`)).status, 404);
		}
	});

	test('an action changes the session that both have', async () => {
		const client = new Client();
		const add = async (server, item) => {
			const response = await client.request(server, '/_actions/cart.add', { method: 'POST', ...json({ item }) });
			return response.text();
		};
		assert.equal(await add(astro, 'hat'), '[[1],"hat"]');
		assert.equal(await add(probe, 'scarf'), '[[1,2],"hat","scarf"]');
		assert.equal(await add(astro, 'coat'), '[[1,2,3],"hat","scarf","coat"]');
	});

	for (const [from, to] of [
		['astro', 'probe'],
		['probe', 'astro'],
	]) {
		// Astro's page takes over the status of what it shows.
		const page = async (server, client) => /<p id="outcome"[^>]*>([^<]*)</.exec(await (await client.request(server, '/signup')).text())[1];
		const servers = () => ({ astro, probe });

		test(`a form that is sent to ${from} is answered by a page of ${to}, once`, async () => {
			const client = new Client();
			const [sender, reader] = [servers()[from], servers()[to]];
			const signUp = [['name', 'Ann'], ['age', '42'], ...address];
			await client.submit(sender, '/signup?_action=account.signUp', signUp);
			assert.equal(await page(reader, client), 'signed up: Ann');
			assert.equal(await page(reader, client), 'nothing yet');
		});

		test(`a form that is refused by ${from} is answered by a page of ${to}, once`, async () => {
			const client = new Client();
			const [sender, reader] = [servers()[from], servers()[to]];
			await client.submit(sender, '/signup?_action=account.signUp', [['age', 'old'], ...address]);
			assert.equal(await page(reader, client), 'BAD_REQUEST: name, age');
			assert.equal(await page(reader, client), 'nothing yet');
		});
	}

	test('a form that failed comes back filled in', async () => {
		const client = new Client();
		await client.submit(probe, '/signup?_action=account.signUp', [['age', 'old']]);
		assert.match(await client.page(probe, '/signup'), /<p id="old">old<\/p>/);
	});
});
