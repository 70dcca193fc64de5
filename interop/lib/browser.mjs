// A real Chromium, headless: Debian's package `chromium`, or the one that CHROMIUM names.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

export const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const images = path.resolve(import.meta.dirname, '../../docs/images');

export const launch = () => chromium.launch({ executablePath });

/** A page in a profile of its own. `complaints` collects what a visitor's console would show. */
export async function openPage(browser, options = {}) {
	const context = await browser.newContext({
		viewport: { width: 1280, height: 800 },
		colorScheme: 'light',
		reducedMotion: 'reduce',
		locale: 'en-GB',
		timezoneId: 'UTC',
		...options,
	});
	context.setDefaultTimeout(15_000);
	const page = await context.newPage();
	const complaints = [];
	page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error}`));
	page.on('console', (message) => {
		if (['error', 'warning'].includes(message.type())) complaints.push(`${page.url()}: ${message.text()}`);
	});
	page.on('requestfailed', (request) => {
		// A navigation away from a page ends what it was still asking for.
		const reason = request.failure()?.errorText;
		if (reason !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${reason}`);
	});
	return { page, complaints };
}

/** Writes the top of the page to `docs/images/NAME.png` when UPDATE_SCREENSHOTS asks for it. */
export async function screenshot(page, name, { height = 800 } = {}) {
	if (process.env.UPDATE_SCREENSHOTS !== '1') return;
	mkdirSync(images, { recursive: true });
	const clip = { x: 0, y: 0, width: 1280, height };
	await page.screenshot({ path: path.join(images, `${name}.png`), clip });
}
