// The middleware of the package `@cloakroom/astro`, with Astro's own session object: what the answer says is so.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { setImmediate as settle } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { load } from '../lib/astro-package.mjs';
import { read, request, site, visitor } from '../lib/astro-site.mjs';
import { until } from '../lib/until.mjs';

const { onRequest } = await load('middleware.js');
const astro = path.dirname(createRequire(import.meta.url).resolve('astro/package.json'));
const { AstroSession, PERSIST_SYMBOL } = await import(pathToFileURL(path.join(astro, 'dist/core/session/runtime.js')).href);
const { AstroCookies } = await import(pathToFileURL(path.join(astro, 'dist/core/cookies/index.js')).href);

const increment = (n = 0) => n + 1;

const post = (body = '') => new Request('http://localhost/page', { method: 'POST', body });

const contextOf = (cookies, request) => ({
	session: new AstroSession({ cookies, config: { driver: 'memory' } }),
	cookies,
	url: new URL(request.url),
	locals: {},
	isPrerendered: false,
	request,
});

/** Has a page of a site answer; its end is what Astro does in the end. */
async function visit(cookies, page, { request = new Request('http://localhost/page') } = {}) {
	const context = contextOf(cookies, request);
	const { session } = context;
	try {
		return await onRequest(context, (again) => page(session, again ?? context.request));
	} finally {
		await session[PERSIST_SYMBOL]();
	}
}

/** A page that streams what this does, with a function that says when it has come to its end. */
function streaming(stream) {
	const ended = Promise.withResolvers();
	const body = new ReadableStream({
		async start(controller) {
			await stream();
			ended.resolve();
			// Nobody may want it any more.
			try {
				controller.close();
			} catch {}
		},
	});
	return { response: new Response(body), ended: ended.promise };
}

const addOther = (cookies, item) => request(cookies, (session) => session.update('cart', (cart) => [...cart, item]));

// The first of all: Astro's class is as it was made only until the middleware has run.
test('a middleware before ours that changes the session is told to come after it, in the first request as in any other', async () => {
	for (let visits = 0; visits < 2; visits++) {
		const request = new Request('http://localhost/page');
		const cookies = new AstroCookies(request);
		const context = contextOf(cookies, request);
		const before = async () => {
			context.session.set('theme', 'dark');
			return onRequest(context, () => new Response());
		};
		await assert.rejects(before, /come after cloakroom\(\) in `integrations`/);
	}
});

test('where the answer is that nothing was saved, nothing is, also of what the page changes later', async (t) => {
	const log = t.mock.method(console, 'error', () => {});
	const cookies = await visitor({ cart: [], n: 0 });
	const go = Promise.withResolvers();
	let ended;
	const page = async (session) => {
		session.set('cart', [...(await session.get('cart')), 'hat']);
		await addOther(cookies, 'boots');
		const late = streaming(async () => {
			await session.update('n', increment);
			await go.promise;
			await session.update('n', increment);
		});
		ended = late.ended;
		return late.response;
	};
	const response = await visit(cookies, page, { request: post() });
	assert.equal(response.status, 409);
	go.resolve();
	await ended;
	await until('the log has a line', () => log.mock.calls.length > 0);
	assert.match(log.mock.calls[0].arguments[0], /had said that nothing was saved was not saved/);
	assert.deepEqual(await read(cookies, 'cart'), ['boots']);
	assert.equal(await read(cookies, 'n'), 0);
});

test('a page is run again once it has come to its end, so that what it streams counts once', async () => {
	const cookies = await visitor({ cart: [], n: 0 });
	let runs = 0;
	const page = async (session) => {
		const cart = await session.get('cart');
		session.set('cart', [...cart, 'hat']);
		if (runs++ === 0) await addOther(cookies, 'boots');
		return streaming(async () => {
			await settle();
			await session.update('n', increment);
		}).response;
	};
	const response = await visit(cookies, page);
	await response.text();
	assert.equal(response.status, 200);
	assert.equal(runs, 2);
	await until('the update is saved', async () => (await read(cookies, 'n')) > 0);
	assert.deepEqual(await read(cookies, 'cart'), ['boots', 'hat']);
	assert.equal(await read(cookies, 'n'), 1);
});

test('a page that does not come to its end is not run again beside itself', async (t) => {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	const cookies = await visitor({ cart: [] });
	let runs = 0;
	const page = async (session) => {
		runs++;
		session.set('cart', [...(await session.get('cart')), 'hat']);
		await addOther(cookies, 'boots');
		return new Response(new ReadableStream());
	};
	let response;
	visit(cookies, page).then((answer) => (response = answer));
	await until('the page is answered', () => {
		t.mock.timers.tick(1000);
		return response;
	});
	assert.equal(response.status, 409);
	assert.equal(runs, 1);
	assert.deepEqual(await read(cookies, 'cart'), ['boots']);
});

test('a login that fails leaves the session as it was, and stores none that nobody could name', async (t) => {
	const log = t.mock.method(console, 'error', () => {});
	const cookies = await visitor({ user: 'guest' });
	let id;
	const page = async (session) => {
		await session.regenerate();
		session.set('user', 'Ada');
		id = session.sessionID;
		throw new Error('no such table');
	};
	await assert.rejects(visit(cookies, page, { request: post() }), /no such table/);
	assert.equal(await read(cookies, 'user'), 'guest');
	assert.deepEqual(await site.store.find(id), { is: 'missing' });
	assert.match(log.mock.calls[0].arguments[0], /nothing that it set was saved/);
});

test('a page that fails in its first visit stores no session, and one that has a session saves what it set', async (t) => {
	t.mock.method(console, 'error', () => {});
	let id;
	const page = async (session) => {
		session.set('theme', 'dark');
		id = session.sessionID;
		throw new Error('no such table');
	};
	await assert.rejects(visit(await visitor({}), page));
	assert.deepEqual(await site.store.find(id), { is: 'missing' });
	const cookies = await visitor({ user: 'guest' });
	await assert.rejects(visit(cookies, page));
	assert.equal(await read(cookies, 'theme'), 'dark');
});

test('a request is run again with its body, and not where a middleware before ours has read that', async (t) => {
	site.rules.conflict = 'retry';
	t.after(() => (site.rules.conflict = 'error'));
	for (const [isRead, status, cart] of [[false, 200, ['boots', 'hat']], [true, 409, ['boots']]]) {
		const cookies = await visitor({ cart: [] });
		const request = post('hat');
		let item = isRead ? await request.text() : undefined;
		let runs = 0;
		const page = async (session, request) => {
			item = isRead ? item : await request.text();
			const cart = await session.get('cart');
			if (runs++ === 0) await addOther(cookies, 'boots');
			session.set('cart', [...cart, item]);
			return new Response();
		};
		assert.equal((await visit(cookies, page, { request })).status, status);
		assert.deepEqual(await read(cookies, 'cart'), cart);
	}
});
