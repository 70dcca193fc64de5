import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { executablePath } from './browser.mjs';
import { lacks } from './peer.mjs';

const isInstalled = (version) => existsSync(path.resolve(import.meta.dirname, '../versions', version, 'node_modules'));

const missing = {
	shop: () => !process.env.CLOAKROOM_SHOP && 'CLOAKROOM_SHOP must be the path of the shop\'s binary',
	probe: () => !process.env.CLOAKROOM_PROBE && 'CLOAKROOM_PROBE must be the path of the probe\'s binary',
	serve: () => !process.env.CLOAKROOM_SERVE && 'CLOAKROOM_SERVE must be the path of the command\'s binary',
	together: () => !process.env.CLOAKROOM_TOGETHER && 'CLOAKROOM_TOGETHER must be the path of the binary of examples/together',
	worker: () => !process.env.CLOAKROOM_WORKERS && 'CLOAKROOM_WORKERS must be the folder with the Workers',
	versions: () => !['5', '6'].every(isInstalled) && 'run `npm ci` in versions/5 and in versions/6',
	redis: () => lacks('redis-server', 'redis-check-rdb'),
	valkey: () => !process.env.CLOAKROOM_VALKEY && lacks('valkey-server'),
	postgres: () => lacks('initdb'),
	mariadb: () => lacks('mariadbd'),
	chromium: () => !existsSync(executablePath) && `${executablePath} is missing: install chromium, or set CHROMIUM`,
};

/** As `describe`, for tests that need a peer: where one is missing they are skipped aloud, and under CI they fail. */
export function suite(name, { needs }, body) {
	const reason = needs.map((peer) => missing[peer]()).find(Boolean);
	if (!reason) return describe(name, body);
	if (!process.env.CI) return test(name, { skip: reason });
	return test(name, () => {
		throw new Error(reason);
	});
}

/** A suite for each of these stores; the body gets the store's class, to open one. */
export function suiteOver(stores, name, { needs }, body) {
	for (const Store of stores) {
		suite(`${name}, over ${Store.title}`, { needs: [...needs, ...Store.needs] }, () => body(Store));
	}
}
