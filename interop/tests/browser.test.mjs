// The shop's whole visit, clicked through in a real Chromium.
//
// The shop runs as `cargo run -p shop` starts it: without a configuration, on files under the current folder. The Astro
// site runs in the same folder and shares them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, openPage, screenshot } from '../lib/browser.mjs';
import { Folder } from '../lib/folder.mjs';
import { startAstro, startShop } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';

suite('A visit in Chromium', { needs: ['shop', 'chromium'] }, () => {
	let folder, astro, shop, browser;
	before(async () => {
		folder = await Folder.open();
		// First and alone: a browser that nobody knows of would keep the tests from ending.
		browser = await launch();
		[astro, shop] = await Promise.all([startAstro(folder), startShop(folder, null)]);
	});
	after(async () => {
		await browser?.close();
		await folder?.close();
	});

	const cartButton = (page) => page.locator('a[href="/checkout"]').filter({ hasText: '🛒' });

	for (const javaScriptEnabled of [true, false]) {
		// The steps of one visit, in order, in one profile.
		describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
			let page, complaints;
			before(async () => {
				({ page, complaints } = await openPage(browser, { javaScriptEnabled }));
			});
			after(() => page?.context().close());

			const id = async () => (await page.context().cookies(shop.url)).find(({ name }) => name === 'astro-session')?.value;

			test('the front page shows the products, with their pictures, and an empty cart', async () => {
				await page.goto(shop.url);
				await cartButton(page).getByText('🛒 0 items').waitFor();
				assert.equal(await page.locator('.card').count(), 8);
				for (const picture of await page.locator('.card img').all()) {
					await picture.scrollIntoViewIfNeeded();
					assert.ok((await picture.evaluate((image) => image.decode().then(() => image.naturalWidth))) > 0);
				}
			});

			test('a product has a page of its own', async () => {
				await page.goto(shop.url);
				await page.getByRole('link', { name: 'Loden coat' }).click();
				await page.getByRole('heading', { name: 'Loden coat' }).waitFor();
				assert.equal(new URL(page.url()).pathname, '/products/loden-coat');
			});

			test('a product is added to the cart in a size, and the CartButton counts it', async () => {
				await page.locator('.sizes label').first().click();
				await page.getByRole('button', { name: 'Add to cart' }).click();
				await cartButton(page).getByText('🛒 1 items').waitFor();
				// With a script the visitor stays where they are.
				assert.equal(new URL(page.url()).pathname, javaScriptEnabled ? '/products/loden-coat' : '/cart');
			});

			test('two more are added from the front page', async () => {
				await page.getByRole('link', { name: 'Shop', exact: true }).click();
				await page.getByRole('button', { name: 'Add to cart: Felt hat' }).click();
				await cartButton(page).getByText('🛒 2 items').waitFor();
				await page.getByRole('link', { name: 'Shop', exact: true }).click();
				await page.getByRole('button', { name: 'Add to cart: Felt hat' }).click();
				await cartButton(page).getByText('🛒 3 items').waitFor();
			});

			test('the cart lists what was added, and gives one back', async () => {
				await page.getByRole('navigation', { name: 'Shop' }).getByRole('link', { name: 'Cart' }).click();
				await page.getByRole('heading', { name: 'Your cart' }).waitFor();
				assert.equal(await page.locator('.line').count(), 2);
				await page.getByRole('button', { name: 'Add one more Felt hat' }).click();
				await cartButton(page).getByText('🛒 4 items').waitFor();
				await page.getByRole('button', { name: 'Remove one Felt hat' }).click();
				await cartButton(page).getByText('🛒 3 items').waitFor();
				if (javaScriptEnabled) await screenshot(page, 'cart');
			});

			test('logging in greets by name, keeps the cart and changes the ID', async () => {
				const before = await id();
				await page.getByRole('link', { name: 'Log in' }).click();
				await page.getByLabel('Name').fill('Ada');
				await page.getByLabel('Password').fill('overcoat');
				await page.getByRole('main').getByRole('button', { name: 'Log in' }).click();
				await page.getByRole('link', { name: 'Ada' }).waitFor();
				await cartButton(page).getByText('🛒 3 items').waitFor();
				assert.notEqual(await id(), before);
			});

			test('every page says when the visitor was last here', async () => {
				await page.goto(shop.url);
				await page.getByText('Welcome back, last visit').waitFor();
				if (javaScriptEnabled) await screenshot(page, 'shop', { height: 712 });
			});

			test('settings are kept', async () => {
				await page.getByRole('link', { name: 'Settings' }).first().click();
				await page.getByLabel('Your homepage').fill('https://ada.example/');
				await page.getByRole('checkbox', { name: 'hats' }).check();
				const saved = page.waitForResponse((response) => response.request().method() === 'POST');
				await page.getByRole('button', { name: 'Save' }).click();
				assert.equal((await saved).status(), 303);
				await page.goto(`${shop.url}/settings`);
				assert.equal(await page.getByLabel('Your homepage').inputValue(), 'https://ada.example/');
				assert.ok(await page.getByRole('checkbox', { name: 'hats' }).isChecked());
				assert.ok(!(await page.getByRole('checkbox', { name: 'boots' }).isChecked()));
				if (javaScriptEnabled) await screenshot(page, 'settings');
			});

			test('the same profile finds its name and cart on the Astro site', async () => {
				await page.goto(astro.url);
				await page.getByText('Hello, Ada.').waitFor();
				await cartButton(page).getByText('🛒 3 items').waitFor();
			});

			test('what is added on the Astro site is in the cart of the Rust shop', async () => {
				await page.getByRole('listitem').filter({ hasText: 'lambswool-scarf' }).getByRole('button').click();
				await cartButton(page).getByText('🛒 4 items').waitFor();
				await page.goto(`${shop.url}/cart`);
				await page.locator('.line').filter({ hasText: 'Lambswool scarf' }).waitFor();
				await cartButton(page).getByText('🛒 4 items').waitFor();
			});

			test('the order is placed and the cart is empty, on the Astro site too', async () => {
				await cartButton(page).click();
				await page.getByLabel('Street and number').fill('Munkegata 1');
				await page.getByLabel('Postcode and town').fill('7013 Trondheim');
				await page.getByRole('button', { name: 'Place the order' }).click();
				await page.getByRole('heading', { name: 'Thank you, Ada' }).waitFor();
				await cartButton(page).getByText('🛒 0 items').waitFor();
				await page.goto(astro.url);
				await cartButton(page).getByText('🛒 0 items').waitFor();
			});

			test('logging out forgets the visitor, on the Astro site too', async () => {
				await page.goto(shop.url);
				await page.getByRole('button', { name: 'Log out' }).click();
				await page.getByRole('link', { name: 'Log in' }).waitFor();
				await page.goto(astro.url);
				await page.getByRole('heading', { name: 'The small shop' }).waitFor();
				assert.equal(await page.getByText('Hello, Ada.').count(), 0);
			});

			test('the console has nothing to complain about', () => {
				assert.deepEqual(complaints, []);
			});
		});
	}

	test('a visit that begins on the Astro site goes on in the Rust shop', async (t) => {
		const { page } = await openPage(browser);
		t.after(() => page.context().close());
		await page.goto(`${astro.url}/login`);
		await page.getByLabel('Name').fill('Grace');
		await page.getByRole('button', { name: 'Log in' }).click();
		await page.getByText('Hello, Grace.').waitFor();
		await page.goto(shop.url);
		await page.getByRole('link', { name: 'Grace' }).waitFor();
		await page.getByRole('button', { name: 'Log out' }).click();
		await page.getByRole('link', { name: 'Log in' }).waitFor();
		await page.goto(astro.url);
		await page.getByRole('heading', { name: 'The small shop' }).waitFor();
		assert.equal(await page.getByText('Hello, Grace.').count(), 0);
	});

	test('a prerendered page knows no session, and its CartButton is filled in afterwards', async (t) => {
		const { page } = await openPage(browser);
		t.after(() => page.context().close());
		await page.goto(shop.url);
		await page.getByRole('button', { name: 'Add to cart: Felt hat' }).click();
		await cartButton(page).getByText('🛒 1 items').waitFor();
		await page.goto(`${shop.url}/about`);
		await cartButton(page).getByText('🛒 1 items').waitFor();
	});
});
