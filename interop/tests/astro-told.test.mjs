// What `@cloakroom/astro` tells a Rust server beside the site: `.astro/cloakroom.json`, by which of Astro's commands, and what not.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import '../lib/astro-package.mjs';

const INTEGRATION = new URL('../../packages/astro/index.js', import.meta.url);
const astro = path.dirname(createRequire(import.meta.url).resolve('astro/package.json'));

/** A site with this configuration, in which Astro's commands are as the integration sees them. */
class Site {
	root = mkdtempSync(path.join(tmpdir(), 'cloakroom-told-'));
	#told = path.join(this.root, '.astro/cloakroom.json');

	constructor() {
		mkdirSync(path.join(this.root, 'node_modules'));
		symlinkSync(astro, path.join(this.root, 'node_modules/astro'));
	}

	/** Writes a script, and gives what is imported from it. */
	script(file, text) {
		const written = path.join(this.root, file);
		mkdirSync(path.dirname(written), { recursive: true });
		writeFileSync(written, text);
		return import(pathToFileURL(written).href);
	}

	async run(command, { session, integrations: [{ hooks }] }) {
		const config = { root: pathToFileURL(`${this.root}/`), session, build: {} };
		const updateConfig = (changes) => Object.assign(config, changes);
		await hooks['astro:config:setup']({ config, command, updateConfig, addMiddleware() {}, logger: { info() {} } });
		await hooks['astro:config:done']({ config, injectTypes() {} });
	}

	/** What a Rust server finds. */
	get told() {
		return existsSync(this.#told) ? JSON.parse(readFileSync(this.#told, 'utf8')) : undefined;
	}

	remove() {
		rmSync(this.root, { recursive: true });
	}
}

const configured = (url, more = '', options = '') => `import cloakroom from ${JSON.stringify(INTEGRATION.href)};
${more}
export default { session: { driver: 'redis', options: { url: ${url} } }, integrations: [cloakroom(${options})] };
`;

describe('What a Rust server is told of the site', () => {
	let site;
	before(() => {
		site = new Site();
		process.env.SESSIONS_OF_THE_SHOP = 'redis://:a-password@redis.example';
	});
	after(() => {
		delete process.env.SESSIONS_OF_THE_SHOP;
		site.remove();
	});

	test('is of the site that runs or was built, whatever else is done with it meanwhile', async () => {
		const { default: config } = await site.script('astro.config.mjs', configured("'redis://redis.example'"));
		for (const command of ['sync', 'preview']) {
			await site.run(command, config);
			assert.equal(site.told, undefined);
		}
		for (const [started, secure] of [['dev', false], ['build', true]]) {
			for (const command of [started, 'sync', 'preview']) {
				await site.run(command, config);
				assert.equal(site.told.cookie.secure, secure, `${command} after ${started}`);
			}
		}
	});

	test('holds no password that a variable has, whichever script names the variable', async () => {
		const named = 'process.env.SESSIONS_OF_THE_SHOP';
		const scripts = {
			'redis.config.mjs': configured(named),
			'stores.js': `export const url = ${named};`,
			'importing.config.mjs': configured('url', "import { url } from './stores.js';"),
			'config/astro.config.mjs': configured(named),
			'in a folder/astro.config.mjs': configured(named),
		};
		for (const [file, text] of Object.entries(scripts)) {
			const { default: config } = await site.script(file, text);
			if (!config) continue;
			await site.run('build', config);
			assert.deepEqual(site.told.options, { url: { $env: 'SESSIONS_OF_THE_SHOP' } }, file);
			assert.equal(site.told.astroConfig, path.basename(file));
		}
	});

	test('says that IDs are hashed and records sealed, and which variables have the secrets', async (t) => {
		process.env.KEYS_OF_THE_SHOP = 'a-key,another';
		t.after(() => delete process.env.KEYS_OF_THE_SHOP);
		const encryption = { keys: { $env: 'KEYS_OF_THE_SHOP' }, acceptPlain: true };
		for (const [file, options, told] of [
			['sealed.config.mjs', { encryption }, { encryption }],
			['hashed.config.mjs', { hashIds: true }, { hashIds: true }],
			['both.config.mjs', { hashIds: {}, encryption }, { hashIds: { secret: { $env: 'CLOAKROOM_SESSION_HASH_IDS_SECRET' } }, encryption }],
		]) {
			const { default: config } = await site.script(file, configured("'redis://redis.example'", '', JSON.stringify(options)));
			await site.run('build', config);
			const { hashIds, encryption } = site.told;
			assert.deepEqual(JSON.parse(JSON.stringify({ hashIds, encryption })), told);
			assert.ok(!JSON.stringify(site.told).includes('a-key'));
		}
	});
});
