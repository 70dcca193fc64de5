// `examples/together` in a real Chromium: pages of Astro's, a cart and a checkout of Rust's, one port, one cookie.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launch, openPage, screenshot } from '../lib/browser.mjs';
import { startTogether } from '../lib/servers.mjs';
import { Store } from '../lib/store.mjs';
import { suite } from '../lib/suite.mjs';

const example = path.resolve(import.meta.dirname, '../../examples/together/site');
const ofTheSite = ['public', 'src', 'astro.config.mjs', 'package.json', 'tsconfig.json'];

suite('The example of Astro and Rust together', { needs: ['together', 'chromium'] }, () => {
	let folder, program, shop, browser, page, complaints;
	before(async () => {
		browser = await launch();
		// Below the folder whose packages it takes, so that none are installed twice.
		folder = mkdtempSync(path.resolve(import.meta.dirname, '../together-'));
		for (const name of ofTheSite) cpSync(path.join(example, name), path.join(folder, name), { recursive: true });
		program = await Store.open();
		shop = await startTogether(program, folder);
		({ page, complaints } = await openPage(browser));
	});
	after(async () => {
		await browser?.close();
		await program?.close();
		rmSync(folder, { recursive: true, force: true });
	});

	const id = async () => (await page.context().cookies(shop.url)).find(({ name }) => name === 'astro-session')?.value;
	const header = (by) => page.locator(`.part[data-by=${by}]`).filter({ has: page.locator('header') });
	const part = (by, title) => page.locator(`.part[data-by=${by}]`).filter({ has: page.getByRole('heading', { name: title, exact: true }) });
	const add = (name) => page.getByRole('button', { name: `Add to cart: ${name}` }).click();

	test('a page says which half has rendered what', async () => {
		await page.goto(shop.url);
		await header('Astro').getByText('🛒 0 items').waitFor();
		await part('Astro', 'Things that hang in a hall').getByRole('img').first().waitFor();
		await part('axum', 'Your cart').getByText('Nothing hangs here yet.').waitFor();
		assert.equal(await id(), undefined, 'nobody has a session who has only looked');
	});

	test('what Rust puts into the cart, Astro counts', async () => {
		await add('Felt hat');
		await header('Astro').getByText('🛒 1 items').waitFor();
		await part('axum', 'Your cart').getByText('1 × Felt hat').waitFor();
	});

	test('what Astro remembers stands beside it', async () => {
		await page.getByRole('link', { name: 'Loden coat' }).click();
		await part('Astro', 'Seen lately').getByRole('link', { name: 'Loden coat' }).waitFor();
		await add('Loden coat');
		await header('Astro').getByText('🛒 2 items').waitFor();
		assert.equal(new URL(page.url()).pathname, '/products/loden-coat', 'the form leads back to its page');
	});

	test('whoever signs in at Astro has a new ID, and their name and cart at the checkout of Rust', async () => {
		const before = await id();
		await page.goto(`${shop.url}/login`);
		await page.getByLabel('Name').fill('Ada');
		await page.getByRole('button', { name: 'Log in' }).click();
		await header('Astro').getByRole('link', { name: 'Ada' }).waitFor();
		assert.notEqual(await id(), before);
		await page.goto(shop.url);
		await screenshot(page, 'together', { height: 760 });
		await page.getByRole('link', { name: 'Check out' }).click();
		await header('axum').getByRole('link', { name: 'Ada' }).waitFor();
		assert.equal(await page.getByLabel('Name').inputValue(), 'Ada');
		await page.getByRole('row', { name: 'Loden coat' }).waitFor();
	});

	test('an order at Rust empties the cart that Astro shows', async () => {
		await page.getByRole('button', { name: 'Place the order' }).click();
		await page.getByRole('heading', { name: 'Thank you, Ada' }).waitFor();
		await page.getByRole('link', { name: 'Back to the shop' }).click();
		await header('Astro').getByText('🛒 0 items').waitFor();
		await header('Astro').getByRole('link', { name: 'Ada' }).waitFor();
	});

	test('whoever logs out at Astro is logged out of Rust', async () => {
		await page.getByRole('button', { name: 'Log out' }).click();
		await header('Astro').getByRole('link', { name: 'Log in' }).waitFor();
		await page.goto(`${shop.url}/checkout`);
		await header('axum').getByRole('link', { name: 'Log in' }).waitFor();
		assert.deepEqual(complaints, []);
	});

	for (const [half, route] of [['Astro', '/login'], ['Rust', '/api/cart']]) {
		test(`a form on somebody else's page is refused by ${half}`, async () => {
			const form = new URLSearchParams({ name: 'Eve', item: 'felt-hat' });
			const headers = { origin: 'http://elsewhere.example' };
			const answer = await fetch(shop.url + route, { method: 'POST', body: form, headers, redirect: 'manual' });
			assert.equal(answer.status, 403);
		});
	}
});
