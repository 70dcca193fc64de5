// `cloakroom console`, clicked through in a real Chromium beside the shop whose sessions it shows.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, openPage, screenshot } from '../lib/browser.mjs';
import { startConsole } from '../lib/console.mjs';
import { Folder } from '../lib/folder.mjs';
import { startShop } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';

const token = 'a token for this test alone';

suite('The console in Chromium', { needs: ['shop', 'serve', 'chromium'] }, () => {
	let folder, shop, console, guarded, browser;
	before(async () => {
		folder = await Folder.open();
		// First and alone: a browser that nobody knows of would keep the tests from ending.
		browser = await launch();
		shop = await startShop(folder, null);
		const config = { driver: 'fs-lite', options: { base: '.data/sessions' }, principal: 'user.name', idle: 2592000 };
		console = await startConsole(folder, config, { args: ['--every', '1s'] });
		guarded = await startConsole(folder, config, { env: { CLOAKROOM_CONSOLE_TOKEN: token } });
	});
	after(async () => {
		await browser?.close();
		await console?.stop();
		await guarded?.stop();
		await folder?.close();
	});

	const main = (page) => page.getByRole('main');

	/** Somebody who is logged in to the shop, in a profile of their own. */
	async function visitor(name) {
		const { page } = await openPage(browser);
		await page.goto(`${shop.url}/login`);
		await page.getByLabel('Name').fill(name);
		await page.getByLabel('Password').fill('overcoat');
		await main(page).getByRole('button', { name: 'Log in' }).click();
		await page.getByText(`Hello, ${name}.`).waitFor();
		const cookies = await page.context().cookies(shop.url);
		return { page, id: cookies.find(({ name }) => name === 'astro-session').value };
	}

	const isLoggedOut = async ({ page }) => {
		await page.goto(shop.url);
		await page.getByRole('link', { name: 'Log in' }).waitFor();
	};

	for (const javaScriptEnabled of [true, false]) {
		// The steps of one story, in order.
		describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
			let page, complaints, ada, grace;
			const name = javaScriptEnabled ? 'Ada' : 'Joan';
			const other = javaScriptEnabled ? 'Grace' : 'Hedy';

			before(async () => {
				({ page, complaints } = await openPage(browser, { javaScriptEnabled }));
				ada = await visitor(name);
				grace = await visitor(other);
			});
			after(() => Promise.all([page, ada?.page, grace?.page].map((page) => page?.context().close())));

			test('the first page counts what lives, and tells its moment', async () => {
				await until('a look has found both', async () => {
					await page.goto(console.url);
					return Number(await page.locator('.figures dd').first().textContent()) >= 2;
				});
				await page.getByText(/As of \d+ s ago/).waitFor();
				await page.getByText('fs-lite').waitFor();
			});

			test('somebody is found by name, and their session shows what is in it, but no ID', async () => {
				await page.goto(console.url);
				await page.getByRole('textbox', { name: 'Principal' }).fill(name);
				await page.getByRole('search', { name: 'By principal' }).getByRole('button', { name: 'Find' }).click();
				await page.getByRole('heading', { name: `Sessions of ${name}` }).waitFor();
				await main(page).getByRole('row').nth(1).getByRole('link').click();
				await page.getByRole('heading', { name: 'Entries' }).waitFor();
				await page.getByRole('row', { name: /^user/ }).getByText(`"${name}"`).waitFor();
				assert.ok(!(await page.content()).includes(ada.id));
			});

			test('the list has everybody, and a link to each', async () => {
				const row = main(page).getByRole('row').filter({ hasText: other });
				await until('a look has found the other', async () => {
					await page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name: 'Sessions' }).click();
					await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
					return (await row.count()) === 1;
				});
				await row.getByRole('link').click();
				await page.getByRole('heading', { name: 'Entries' }).waitFor();
			});

			test('nothing is ended before somebody has said so twice', async () => {
				await page.getByRole('link', { name: 'End this session…' }).click();
				await page.getByRole('heading', { name: 'End this session?' }).waitFor();
				await page.getByRole('link', { name: 'Leave it' }).click();
				await page.getByRole('heading', { name: 'Entries' }).waitFor();
				await page.getByRole('link', { name: 'End this session…' }).click();
				await page.getByRole('button', { name: /^End session/ }).click();
				await page.getByRole('heading', { name: 'The session was ended' }).waitFor();
				await isLoggedOut(grace);
				await ada.page.goto(shop.url);
				await ada.page.getByRole('link', { name, exact: true }).waitFor();
			});

			test('all of somebody’s are ended at once', async () => {
				await page.goto(`${console.url}/principal?name=${name}`);
				await page.getByRole('link', { name: 'End all of them…' }).click();
				await page.getByRole('button', { name: 'End 1 session' }).click();
				await page.getByRole('heading', { name: '1 session was ended' }).waitFor();
				await isLoggedOut(ada);
			});

			test('the browser has nothing to complain about, the policy that forbids scripts included', () => {
				assert.deepEqual(complaints, []);
			});
		});
	}

	test('it is used with the keyboard alone, on a narrow screen too', async (t) => {
		const { page } = await openPage(browser, { viewport: { width: 360, height: 640 } });
		t.after(() => page.context().close());
		await page.goto(console.url);
		await page.keyboard.press('Tab');
		assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
		await page.getByRole('textbox', { name: 'Principal' }).focus();
		await page.keyboard.type('Nobody');
		await page.keyboard.press('Enter');
		await page.getByText('Nobody of this name is signed in').waitFor();
		const [width, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
		assert.ok(width <= view, `${width} in ${view}`);
	});

	test('with a token it shows a form for that, and nothing else', async (t) => {
		const { page } = await openPage(browser);
		t.after(() => page.context().close());
		await page.goto(`${guarded.url}/sessions`);
		await page.getByLabel('Token').fill('another');
		await page.getByRole('button', { name: 'Sign in' }).click();
		await page.getByText('This is not the token.').waitFor();
		await page.getByLabel('Token').fill(token);
		await page.getByRole('button', { name: 'Sign in' }).click();
		await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
		const [cookie] = await page.context().cookies(guarded.url);
		assert.equal(`${cookie.httpOnly} ${cookie.sameSite}`, 'true Strict');
		assert.ok(!cookie.value.includes('token'));
		await page.getByRole('button', { name: 'Sign out' }).click();
		await page.getByLabel('Token').waitFor();
	});

	test('a form on another site ends nothing, whether its visitor is signed in or not', async (t) => {
		const { page } = await openPage(browser);
		t.after(() => page.context().close());
		const victim = await visitor('Mary');
		t.after(() => victim.page.context().close());
		// The same address by another name is another site to a browser.
		const form = `<form method="post" action="${console.url}/principal/revoke?name=Mary"><button>Win</button></form>`;
		await page.route('http://evil.example/', (route) => route.fulfill({ contentType: 'text/html', body: form }));
		await page.goto('http://evil.example/');
		await page.getByRole('button', { name: 'Win' }).click();
		await page.getByText('Not from here').waitFor();
		await victim.page.goto(shop.url);
		await victim.page.getByRole('link', { name: 'Mary', exact: true }).waitFor();
	});

	// Three minutes of a shop's life, which nobody waits for who does not want its picture.
	if (process.env.UPDATE_SCREENSHOTS === '1') test('its picture', async (t) => {
		const { page } = await openPage(browser);
		t.after(() => page.context().close());
		const cookies = [];
		const add = async () => {
			const headers = { 'Content-Type': 'application/json' };
			const answer = await fetch(`${shop.url}/api/addToCart`, { method: 'POST', headers, body: '{"item":"hat"}' });
			await answer.text();
			cookies.push(answer.headers.getSetCookie()[0].split(';')[0]);
		};
		const end = async () => {
			const cookie = cookies.shift();
			const headers = { cookie, origin: shop.url };
			if (cookie) await fetch(`${shop.url}/logout`, { method: 'POST', headers, redirect: 'manual' });
		};
		await page.goto(console.url);
		for (let second = 0; second < 180; second++) {
			const busy = 4 + 3 * Math.sin(second / 20) + 2 * Math.random();
			for (let number = 0; number < busy; number++) await add();
			if (second > 40) for (let number = 0; number < busy - 1; number++) await end();
			await new Promise((resolve) => setTimeout(resolve, 900));
			if (second % 60 === 0) await page.goto(console.url);
		}
		await page.goto(console.url);
		await screenshot(page, 'console', { height: 680 });
	});
});
