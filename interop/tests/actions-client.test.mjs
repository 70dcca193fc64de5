// Astro's own client in a real browser, on a prerendered page of Astro's, calls a Rust server and understands it.
//
// The Rust probe serves the page and its script as Astro built them, and answers its calls. The same page on the Astro
// site is asked the same, so that what the client makes of both is compared.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stringify } from 'devalue';
import { launch, openPage } from '../lib/browser.mjs';
import { Folder } from '../lib/folder.mjs';
import { clientFiles, startAstro, startProbe } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';
import { values } from '../lib/values.mjs';

suite('Astro’s client and a Rust server', { needs: ['probe', 'chromium'] }, () => {
	let store, browser, pages, astro, rust;
	before(async () => {
		store = await Folder.open();
		browser = await launch();
		const servers = [startAstro(store), startProbe(store, { cookie: { secure: false } }, { files: clientFiles })];
		pages = await Promise.all(servers.map(async (starting) => {
			const { page, complaints } = await openPage(browser);
			await page.goto(`${(await starting).url}/client/`);
			await page.locator('html[data-ready]').waitFor();
			return { page, complaints };
		}));
		[astro, rust] = pages.map(({ page }) => (name, input) =>
			page.evaluate(([name, input]) => globalThis.call(name, input), [name, input]));
	});
	after(async () => {
		await browser?.close();
		await store?.close();
	});

	const text = (value) => stringify(value, { URL: (url) => url instanceof URL && url.href });
	/** What the client makes of both servers' answers, which is the same. */
	const same = async (name, input) => {
		const [theirs, ours] = [await astro(name, input), await rust(name, input)];
		assert.deepEqual(ours, theirs);
		return ours;
	};

	test('nothing comes as undefined', async () => {
		assert.deepEqual(await same('nothing'), { data: '-1' });
	});

	for (const [kind, value] of Object.entries(values)) {
		test(`a result arrives as it was: ${kind}`, async () => {
			assert.deepEqual(await rust('value', { text: text(value) }), { data: text(value) });
		});
	}

	test('an error comes with its code, its status and its message', async () => {
		for (const code of ['UNAUTHORIZED', 'NOT_FOUND', 'CONFLICT', 'TOO_MANY_REQUESTS', 'INTERNAL_SERVER_ERROR']) {
			const error = await same('fail', { code, message: 'because' });
			assert.ok(error.isActionError && !error.isInputError);
			assert.deepEqual([error.code, error.message], [code, 'because']);
		}
	});

	test('an action that there is not is NOT_FOUND', async () => {
		assert.equal((await same('no.such.action')).code, 'NOT_FOUND');
	});

	test('an input that is wrong comes with its issues, field by field', async () => {
		const error = await rust('cart.add', { item: '' });
		assert.ok(error.isInputError);
		assert.deepEqual([error.code, error.status], ['BAD_REQUEST', 400]);
		assert.deepEqual(Object.keys(error.fields), ['item']);
		assert.deepEqual(error.issues.map(({ path }) => path), [['item']]);
	});

	test('an unexpected error comes as one, and says nothing of itself', async () => {
		const error = await rust('crash');
		assert.deepEqual([error.isActionError, error.code], [true, 'INTERNAL_SERVER_ERROR']);
		assert.doesNotMatch(error.message, /1234/);
	});

	test('an input that is too large is CONTENT_TOO_LARGE', async () => {
		assert.equal((await same('cart.add', { item: 'x'.repeat(1 << 20) })).code, 'CONTENT_TOO_LARGE');
	});

	test('a form goes with its file', async () => {
		const upload = async ({ page }) => {
			await page.locator('#upload [type=file]').setInputFiles({ name: 'me 🧥.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
			return page.evaluate(() => globalThis.callWithForm('account.upload', '#upload'));
		};
		const [theirs, ours] = await Promise.all(pages.map(upload));
		assert.deepEqual(ours, theirs);
		assert.equal(ours.data, '[{"title":1,"name":2,"type":3,"text":4},"Me","me 🧥.txt","text/plain","hello"]');
	});

	test('orThrow gives the value or throws the error', async () => {
		const orThrow = (...args) => pages[1].page.evaluate((args) => globalThis.callOrThrow(...args), args);
		assert.equal(await orThrow('value', { text: '[7]' }), '[7]');
		assert.equal(await orThrow('fail', { code: 'GONE', message: 'eaten' }), 'Error: eaten');
	});

	test('the session goes along, from one call to the next', async () => {
		assert.deepEqual(await rust('cart.add', { item: 'hat' }), { data: '[[1],"hat"]' });
		assert.deepEqual(await rust('cart.add', { item: 'scarf' }), { data: '[[1,2],"hat","scarf"]' });
	});

	test('a session that cannot be saved is an error that the client understands', async () => {
		assert.deepEqual(await rust('keep', { key: 'a', size: 3 << 20 }), { data: '-1' });
		// Each fits, and both together do not: that is known only after the action.
		const error = await rust('keep', { key: 'b', size: 3 << 20 });
		assert.deepEqual([error.isActionError, error.code, error.status], [true, 'CONTENT_TOO_LARGE', 413]);
	});

	test('the console has nothing to complain about but the answers that are errors', () => {
		const unexpected = pages[1].complaints.filter((complaint) => !/Failed to load resource: the server responded with a status of [45]/.test(complaint));
		assert.deepEqual(unexpected, []);
	});
});
