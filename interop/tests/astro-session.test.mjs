// The session of the package `@cloakroom/astro` by itself, in one process: what becomes of what two requests, or two parts of
// one, do at once, and what lives longer for a write.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setImmediate as settle } from 'node:timers/promises';
import { load } from '../lib/astro-package.mjs';
import { read, request, site, visitor } from '../lib/astro-site.mjs';
import { startPeer } from '../lib/peer.mjs';
import { suite } from '../lib/suite.mjs';

const { Session } = await load('session/session.js');
const { Store } = await load('session/store.js');
const { cookieSettings } = await load('session/cookie.js');
const { stringify } = await load('session/record.js');

const increment = (n = 0) => n + 1;

/** The site over a store that writes at once, which `written` waits for, and says so to nobody before `answer` is called. */
function slowSite() {
	const { driver } = site.store;
	const written = Promise.withResolvers();
	const answer = Promise.withResolvers();
	const set = async (...item) => {
		const version = await driver.set(...item);
		if (version) {
			written.resolve();
			await answer.promise;
		}
		return version;
	};
	return { slow: { ...site, store: new Store({ ...driver, set }) }, written: written.promise, answer: answer.resolve };
}

describe('a key that was updated, and is then set', () => {
	for (const [change, make] of [['set', (session, n) => session.set('n', n)], ['delete', (session) => session.delete('n')]]) {
		test(`${change}: another's update in between is a conflict, as after any other read`, async () => {
			const cookies = await visitor({ n: 0 });
			const slow = request(cookies, async (session) => {
				const n = await session.update('n', increment);
				await request(cookies, (other) => other.update('n', increment));
				make(session, n);
			});
			await assert.rejects(slow, { name: 'SessionConflictError', key: 'n' });
			assert.equal(await read(cookies, 'n'), 1);
		});
	}
});

describe('what a page that streams sets after it was answered', () => {
	/** A page of which one part has handled the session before the answer, and another does so after it. */
	async function streamed(cookies, { before, meanwhile, late }) {
		const session = new Session(site, cookies);
		const seen = await before(session);
		await session.commit();
		session.close();
		await meanwhile();
		await late(session, seen);
		// As Astro does in the end.
		await session.commit();
	}
	const beside = (cookies, ...items) => () => request(cookies, (session) => session.update('cart', (cart) => [...cart, ...items]));
	const getCart = (session) => session.get('cart');
	const addLate = (session, cart) => session.set('cart', [...cart, 'late']);

	test('is lost, and told to the log, where another has changed what it was made of', async (t) => {
		const log = t.mock.method(console, 'error', () => {});
		const cookies = await visitor({ cart: ['hat'] });
		await streamed(cookies, { before: getCart, meanwhile: beside(cookies, 'boots'), late: addLate });
		assert.deepEqual(await read(cookies, 'cart'), ['hat', 'boots']);
		assert.match(log.mock.calls[0].arguments[0], /not saved: Another request changed "cart"/);
	});

	test('also where the page has saved something else since it read', async (t) => {
		t.mock.method(console, 'error', () => {});
		for (const isRebased of [false, true]) {
			const cookies = await visitor({ cart: ['hat'] });
			const others = beside(cookies, 'boots');
			await streamed(cookies, {
				async before(session) {
					const cart = await session.get('cart');
					if (isRebased) await others();
					session.set('seen', true);
					return cart;
				},
				meanwhile: isRebased ? () => {} : others,
				late: addLate,
			});
			assert.deepEqual(await read(cookies, 'cart'), ['hat', 'boots']);
			assert.equal(await read(cookies, 'seen'), true);
		}
	});

	test('also where the value was given by an update, which was made anew on what another had stored', async (t) => {
		t.mock.method(console, 'error', () => {});
		const cookies = await visitor({ n: 0 });
		await streamed(cookies, {
			async before(session) {
				const n = await session.update('n', increment);
				await request(cookies, (other) => other.update('n', increment));
				return n;
			},
			meanwhile: () => {},
			late: (session, n) => session.set('n', n),
		});
		assert.equal(await read(cookies, 'n'), 2);
	});

	test('is saved where nobody has changed it but the page itself', async () => {
		const cookies = await visitor({ cart: ['hat'], n: 0 });
		await streamed(cookies, {
			async before(session) {
				const cart = await session.get('cart');
				// Changed in its place: that is saved along with what is set.
				cart.push('boots');
				session.set('n', (await session.get('n')) + (await session.update('m', increment)));
				return cart;
			},
			meanwhile: () => request(cookies, (session) => session.set('theme', 'dark')),
			async late(session, cart) {
				session.set('cart', [...cart, 'late']);
				session.set('n', 2);
				session.set('m', 2);
			},
		});
		assert.deepEqual(await Promise.all(['cart', 'n', 'm', 'theme'].map((key) => read(cookies, key))), [['hat', 'boots', 'late'], 2, 2, 'dark']);
	});
});

test('a late update counts once, however slowly the store answers while Astro saves the session too', async () => {
	const cookies = await visitor({ n: 0 });
	const { slow, written, answer } = slowSite();
	const session = new Session(slow, cookies);
	session.close();
	await session.update('n', increment);
	await written;
	const saved = session.commit();
	// All that it does without an answer.
	for (let turn = 0; turn < 10; turn++) await settle();
	answer();
	await saved;
	assert.equal(await read(cookies, 'n'), 1);
});

test('what a part of a request changes while another part\'s change is made anew goes on top of the newer record, too', async () => {
	const cookies = await visitor({ n: 0, m: 0 });
	const session = new Session(site, cookies);
	const anew = Promise.withResolvers();
	const go = Promise.withResolvers();
	let times = 0;
	await session.update('n', async (n) => {
		if (times++ > 0) {
			anew.resolve();
			await go.promise;
		}
		return n + 1;
	});
	await request(cookies, async (other) => {
		await other.update('n', increment);
		await other.update('m', increment);
	});
	const saved = session.commit();
	await anew.promise;
	await session.update('m', increment);
	go.resolve();
	await saved;
	assert.deepEqual([await read(cookies, 'n'), await read(cookies, 'm')], [2, 2]);
});

test('a session that a part of a request ends while another part\'s change is made anew leaves nothing to the next', async () => {
	const cookies = await visitor({ n: 0, user: 'Ada' });
	const session = new Session(site, cookies);
	let times = 0;
	await session.update('n', (n) => {
		if (times++ > 0) session.destroy();
		return n + 1;
	});
	await request(cookies, (other) => other.update('n', increment));
	await session.commit();
	assert.deepEqual([...(await session.keys())], []);
});

describe('the cookie of a session', () => {
	const idle = { ...site, rules: { ...site.rules, limits: { idle: 60, remember: 600 } } };
	const withAge = { ...idle, cookie: cookieSettings({ maxAge: 300 }, true) };

	/** For how long the cookies live that a request sends which does this to a session whose deadline is near. */
	async function agesAfter(handle, of, { isRemembered }) {
		const cookies = await visitor({});
		const id = randomUUID();
		const entries = new Map([['n', { data: 0 }], ['cloakroom.remember', { data: isRemembered }]]);
		await site.store.write(id, stringify(entries), 'absent', 10);
		cookies.set(site.cookie.name, id);
		const ages = [];
		const session = new Session(of, { ...cookies, set: (name, value, { maxAge }) => ages.push(maxAge) });
		await handle(session);
		await session.commit();
		return ages;
	}

	for (const [what, handle] of [
		['written', (session) => session.update('n', increment)],
		['only read', (session) => session.get('n')],
	]) {
		test(`is renewed, where it has an age, whenever the session lives longer for being ${what}`, async () => {
			assert.deepEqual(await agesAfter(handle, idle, { isRemembered: true }), [600]);
			assert.deepEqual(await agesAfter(handle, withAge, { isRemembered: true }), [600]);
			assert.deepEqual(await agesAfter(handle, withAge, { isRemembered: false }), [300]);
			assert.deepEqual(await agesAfter(handle, idle, { isRemembered: false }), []);
		});
	}

	test('is not sent again where nothing of the session was stored', async () => {
		assert.deepEqual(await agesAfter(() => {}, idle, { isRemembered: true }), []);
	});
});

for (const name of ['redis', 'upstash']) {
	suite(`A session where the driver ${name} has a ttl`, { needs: ['redis'] }, () => {
		let peer, driver;
		before(async () => {
			peer = await startPeer(name);
			const { default: open } = await load(`drivers/${name}.js`);
			driver = open({ url: peer.url, token: 'a token of the tests', ttl: 600 });
		});
		after(async () => {
			driver?.close?.();
			await peer?.stop();
		});

		test('lives for the whole of it from every write on, as with plain Astro and Rust', async () => {
			const cookies = await visitor({});
			const withTtl = { ...site, store: new Store(driver) };
			for (const change of [(session) => session.set('n', 0), (session) => session.update('n', increment), (session) => session.regenerate()]) {
				const session = new Session(withTtl, cookies);
				await change(session);
				await session.commit();
				const id = cookies.get(site.cookie.name).value;
				const left = (await driver.get(id)).ends - Date.now();
				assert.ok(Math.abs(left - 600_000) < 5000, `${left} ms are left`);
				// Time passes.
				await driver.touch(id, 100);
			}
		});
	});
}

describe('what a part of a page does to the session while the rest of it is stored holds for that answer', () => {
	const idOf = (cookies) => cookies.get(site.cookie.name)?.value;
	const fateOf = async (id) => (await site.store.find(id)).is;

	/** A request that changes its session, and then does this while that is being written; the ID under which it was. */
	async function during(cookies, change, meanwhile) {
		const { slow, written, answer } = slowSite();
		const session = new Session(slow, cookies);
		await change(session);
		const saved = session.commit();
		await written;
		const id = session.sessionID;
		await meanwhile(session);
		answer();
		await saved;
		session.close();
		// As Astro does in the end.
		await session.commit();
		return id;
	}
	const logIn = async (session) => {
		await session.regenerate();
		session.set('user', 'Ada');
	};
	const logOut = (session) => session.destroy();
	const count = (session) => session.update('n', increment);

	test('a login has a new ID, with all that was stored, and the old one is retired', async () => {
		const cookies = await visitor({ n: 0 });
		const old = idOf(cookies);
		await during(cookies, count, logIn);
		assert.notEqual(idOf(cookies), old);
		assert.equal(await fateOf(old), 'retired');
		assert.deepEqual([await read(cookies, 'n'), await read(cookies, 'user')], [1, 'Ada']);
	});

	test('a login while a session begins is of the session whose cookie is sent', async () => {
		const cookies = await visitor({});
		await during(cookies, count, logIn);
		assert.deepEqual([await read(cookies, 'n'), await read(cookies, 'user')], [1, 'Ada']);
	});

	for (const [what, entries, change] of [
		['is changed', { n: 0 }, count],
		['begins', {}, count],
		['gets a new ID', { n: 0 }, (session) => session.regenerate()],
	]) {
		test(`a logout while the session ${what} ends it`, async () => {
			const cookies = await visitor(entries);
			const ids = [idOf(cookies), await during(cookies, change, logOut)];
			assert.equal(idOf(cookies), undefined);
			for (const id of ids.filter(Boolean)) assert.equal(await fateOf(id), 'retired');
		});

		test(`what is set after a logout while the session ${what} begins another`, async () => {
			const cookies = await visitor(entries);
			const ids = [idOf(cookies), await during(cookies, change, async (session) => {
				session.destroy();
				await session.update('m', increment);
			})];
			for (const id of ids.filter(Boolean)) assert.equal(await fateOf(id), 'retired');
			assert.deepEqual([await read(cookies, 'n'), await read(cookies, 'm')], [undefined, 1]);
		});
	}

	test('a logout while a page that streams is stored ends it, and what it sets then begins none', async (t) => {
		t.mock.method(console, 'error', () => {});
		const cookies = await visitor({ n: 0 });
		const { slow, written, answer } = slowSite();
		const session = new Session(slow, cookies);
		session.close();
		await count(session);
		await written;
		session.destroy();
		session.set('user', 'Ada');
		answer();
		await session.commit();
		assert.equal(await fateOf(idOf(cookies)), 'retired');
		assert.equal(await fateOf(session.sessionID), 'missing');
	});

	test('a login or a logout while the deadline of a session that is only read is moved', async () => {
		for (const [act, user] of [[logIn, 'Ada'], [logOut, undefined]]) {
			const { slow, written, answer } = slowSite();
			const idle = { ...slow, rules: { ...slow.rules, limits: { idle: 60 } } };
			const cookies = await visitor({ n: 0 });
			const old = idOf(cookies);
			const session = new Session(idle, cookies);
			await session.get('n');
			const saved = session.commit();
			await written;
			await act(session);
			answer();
			await saved;
			assert.equal(await fateOf(old), 'retired');
			assert.notEqual(idOf(cookies), old);
			assert.equal(await read(cookies, 'user'), user);
		}
	});
});
