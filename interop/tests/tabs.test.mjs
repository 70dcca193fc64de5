// Two tabs of one Chromium: a page of an Astro site with `@cloakroom/astro`, and a page of the Rust shop.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from '../lib/browser.mjs';
import { startAstro, startShop } from '../lib/servers.mjs';
import { packageStores } from '../lib/stores.mjs';
import { suiteOver } from '../lib/suite.mjs';

suiteOver(packageStores, 'Two tabs', { needs: ['shop', 'chromium'] }, (Store) => {
	let store, astro, shop, browser;
	before(async () => {
		store = await Store.open();
		browser = await launch();
		[astro, shop] = await Promise.all([startAstro(store), startShop(store)]);
	});
	after(async () => {
		await browser?.close();
		await store?.close();
	});

	const cartButton = (page) => page.locator('a[href="/checkout"]').filter({ hasText: '🛒' });
	const counts = (page, items) => cartButton(page).getByText(`🛒 ${items} items`).waitFor();

	test('one cart, one login, and a logout in one tab ends both', async (t) => {
		const { page: rust, complaints } = await openPage(browser);
		t.after(() => rust.context().close());
		const other = await rust.context().newPage();
		const hat = rust.getByRole('button', { name: 'Add to cart: Felt hat' });
		const scarf = other.getByRole('listitem').filter({ hasText: 'lambswool-scarf' }).getByRole('button');

		await rust.goto(shop.url);
		await hat.click();
		await counts(rust, 1);
		await other.goto(astro.url);
		await counts(other, 1);
		// In both at once.
		await Promise.all([hat.click(), scarf.click()]);
		for (const [page, url] of [[rust, shop.url], [other, astro.url]]) {
			await page.waitForLoadState('networkidle');
			await page.goto(url);
			await counts(page, 3);
		}

		await other.goto(`${astro.url}/login`);
		await other.getByLabel('Name').fill('Ada');
		await other.getByRole('button', { name: 'Log in' }).click();
		await other.getByText('Hello, Ada.').waitFor();
		await rust.reload();
		await rust.getByRole('link', { name: 'Ada' }).waitFor();
		await counts(rust, 3);

		await rust.getByRole('button', { name: 'Log out' }).click();
		await rust.getByRole('link', { name: 'Log in' }).waitFor();
		await other.goto(astro.url);
		await counts(other, 0);
		assert.equal(await other.getByText('Hello, Ada.').count(), 0);
		assert.deepEqual(complaints, []);
	});
});
