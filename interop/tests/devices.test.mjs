// Two browser profiles of one person in the Rust shop, clicked through in a real Chromium: where she is logged in, and what asks
// for her password again.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse, stringify } from 'devalue';
import { launch, openPage } from '../lib/browser.mjs';
import { Folder } from '../lib/folder.mjs';
import { startShop } from '../lib/servers.mjs';
import { suite } from '../lib/suite.mjs';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0';
const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';

suite('Devices in Chromium', { needs: ['shop', 'chromium'] }, () => {
	let folder, shop, browser;
	before(async () => {
		folder = await Folder.open();
		// First and alone: a browser that nobody knows of would keep the tests from ending.
		browser = await launch();
		shop = await startShop(folder, null);
	});
	after(async () => {
		await browser?.close();
		await folder?.close();
	});

	for (const javaScriptEnabled of [true, false]) {
		// The steps of one story, in order.
		describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
			let here, there;
			const complaints = [];
			const name = javaScriptEnabled ? 'Ada' : 'Grace';

			before(async () => {
				const [one, other] = await Promise.all([
					openPage(browser, { javaScriptEnabled, userAgent: firefox }),
					openPage(browser, { javaScriptEnabled, userAgent: phone }),
				]);
				[here, there] = [one.page, other.page];
				complaints.push(one.complaints, other.complaints);
			});
			after(() => Promise.all([here?.context().close(), there?.context().close()]));

			const main = (page) => page.getByRole('main');
			const id = async (page) => (await page.context().cookies(shop.url)).find(({ name }) => name === 'astro-session').value;

			async function logIn(page) {
				await page.goto(`${shop.url}/login`);
				await page.getByLabel('Name').fill(name);
				await page.getByLabel('Password').fill('overcoat');
				await main(page).getByRole('button', { name: 'Log in' }).click();
				await page.getByText(`Hello, ${name}.`).waitFor();
			}

			async function openDevices(page) {
				await page.goto(`${shop.url}/login`);
				await page.getByRole('link', { name: 'Your devices' }).click();
				await page.getByRole('heading', { name: 'Your devices' }).waitFor();
				return main(page).getByRole('listitem');
			}

			/** A page says once more what has happened, and knows nobody. */
			async function isLoggedOut(page) {
				await page.goto(shop.url);
				await page.getByText('You have been logged out here').waitFor();
				await page.getByRole('link', { name: 'Log in' }).waitFor();
				assert.equal(await page.getByRole('link', { name, exact: true }).count(), 0);
			}

			test('whoever logs in on both is shown both, each with its browser', async () => {
				await logIn(here);
				await logIn(there);
				const devices = await openDevices(here);
				assert.equal(await devices.count(), 2);
				await devices.filter({ hasText: 'This device' }).getByText('Firefox on Linux').waitFor();
				await here.getByRole('button', { name: 'Log out Safari on iPhone' }).waitFor();
			});

			test('the other one is logged out, and says so', async () => {
				await here.getByRole('button', { name: 'Log out Safari on iPhone' }).click();
				await here.getByText('That device is logged out.').waitFor();
				assert.equal(await main(here).getByRole('listitem').count(), 1);
				await isLoggedOut(there);
			});

			test('it logs in again at once', async () => {
				await logIn(there);
				assert.equal(await there.getByText('You have been logged out here').count(), 0);
				assert.equal(await (await openDevices(there)).count(), 2);
			});

			test('from there everything else is logged out', async () => {
				await there.getByRole('button', { name: 'Log out everywhere else' }).click();
				await there.getByText('One other device is logged out.').waitFor();
				assert.equal(await there.getByRole('button', { name: 'Log out everywhere else' }).count(), 0);
				await isLoggedOut(here);
			});

			test('a button for a device that is no more says so', async () => {
				await logIn(here);
				const tab = await there.context().newPage();
				for (const page of [there, tab]) await openDevices(page);
				await tab.getByRole('button', { name: 'Log out Firefox on Linux' }).click();
				await tab.getByText('That device is logged out.').waitFor();
				await tab.close();
				await there.getByRole('button', { name: 'Log out Firefox on Linux' }).click();
				await there.getByText('That device was logged out already.').waitFor();
			});

			test('the address is changed after a log-in, and later by the password alone', async () => {
				await there.goto(`${shop.url}/login`);
				await there.getByRole('link', { name: 'Delivery address' }).click();
				await there.getByLabel('Street and number').fill('Munkegata 1');
				await there.getByLabel('Postcode and town').fill('7013 Trondheim');

				// Ten minutes pass while it is typed, as far as the session can tell.
				const old = await id(there);
				const entries = parse(await folder.read(old));
				entries.get('cloakroom.authenticated').data -= 10 * 60_000;
				await writeFile(path.join(folder.sessions, old), stringify(entries));

				await there.getByRole('button', { name: 'Save' }).click();
				await there.getByRole('heading', { name: `Is it still you, ${name}?` }).waitFor();
				await there.getByLabel('Password').fill('umbrella');
				await there.getByRole('button', { name: 'Go on' }).click();
				await there.getByText('That is not the password').waitFor();
				await there.getByLabel('Password').fill('overcoat');
				await there.getByRole('button', { name: 'Go on' }).click();

				await there.getByText('This is not saved yet.').waitFor();
				assert.equal(await there.getByLabel('Street and number').inputValue(), 'Munkegata 1');
				assert.notEqual(await id(there), old);
				await there.getByRole('button', { name: 'Save' }).click();
				await there.getByText('Your delivery address is saved.').waitFor();
				assert.equal(await there.getByLabel('Postcode and town').inputValue(), '7013 Trondheim');
			});

			test('the console has nothing to complain about', () => {
				assert.deepEqual(complaints.flat(), []);
			});
		});
	}
});
