// Hashed IDs and sealed records in `@cloakroom/astro`: the bytes that the Rust side has too, what does not open and why, and
// what a site may say of them.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { load } from '../lib/astro-package.mjs';
import { site, visitor } from '../lib/astro-site.mjs';

const { default: encrypted } = await load('at-rest/encrypted.js');
const { default: encryptedByKeyFile } = await load('at-rest/encrypted-by-key-file.js');
const { default: hashedKeys, keyHasher } = await load('at-rest/hashed-keys.js');
const { keyRing } = await load('at-rest/key-ring.js');
const { open, seal } = await load('at-rest/sealed.js');
const { default: fsLite } = await load('drivers/fs-lite.js');
const { default: memory } = await load('drivers/memory.js');
const { checkOptions } = await load('integration/options.js');
const { sitePlugin } = await load('integration/site-plugin.js');
const { openSite } = await load('site.js');
const { Session } = await load('session/session.js');
const { Store } = await load('session/store.js');

const vectors = (name) => JSON.parse(readFileSync(new URL(`../../crates/cloakroom-storage/tests/data/${name}.json`, import.meta.url), 'utf8'));
const bytesOf = (hexadecimal) => Uint8Array.from(Buffer.from(hexadecimal, 'hex'));

const KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
const OTHER = 'f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f1011121314151617';
const NAME = 'z1Cudl87';
const ID = '0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11';

describe('The bytes', () => {
	test('hashed IDs are those of the vectors, with a secret and without', async () => {
		for (const { id, secret, storeKey } of vectors('hashed-keys')) {
			assert.equal(await keyHasher(secret ?? undefined)(id), storeKey);
		}
	});

	test('records are sealed and opened as the vectors were', async () => {
		for (const { name, key, keyId, storeKey, nonce, plain, sealed } of vectors('sealed')) {
			const ring = await keyRing([key], 'keys');
			assert.equal(ring[0].id, keyId, name);
			assert.equal(seal(ring[0], storeKey, bytesOf(nonce), plain), sealed, name);
			assert.equal(open(ring, storeKey, sealed), plain, name);
		}
	});

	test('not a letter of a sealed record can be changed, and none taken off or put on', async () => {
		for (const { name, key, storeKey, sealed } of vectors('sealed')) {
			const ring = await keyRing([key], 'keys');
			const refused = (text, why) => assert.throws(() => open(ring, storeKey, text), why, `${name}: ${text}`);
			for (let at = 0; at < sealed.length; at++) {
				const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
				refused(changed, at < 7 ? /it is not sealed/ : at < 9 ? /a format that this version/ : at < 17 ? /sealed with the key/ : /it was changed/);
				refused(sealed.slice(0, at), at < 7 ? /it is not sealed/ : at < 9 ? /a format that this version/ : /it was changed/);
			}
			for (const more of ['A', 'AA', 'AAA', 'AAAA', '=', '==', '\n', '.']) refused(sealed + more, /it was changed/);
		}
	});

	test('bits behind the last byte are refused where they are not zero', async () => {
		const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
		const { storeKey, sealed } = vectors('sealed').find(({ name }) => name === 'a single letter');
		assert.equal(sealed.slice(18).length % 4, 3);
		const last = alphabet.indexOf(sealed.at(-1));
		const ring = await keyRing([KEY], 'keys');
		for (const bits of [1, 2, 3]) assert.throws(() => open(ring, storeKey, sealed.slice(0, -1) + alphabet[last + bits]), /it was changed/);
	});

	test('a record opens in its own place alone', async () => {
		const [one, other] = vectors('sealed');
		const ring = await keyRing([one.key], 'keys');
		assert.throws(() => open(ring, other.storeKey, one.sealed), /it was changed, or sealed for another session/);
	});

	test('a key that is missing is named, with those that there are', async () => {
		const [{ storeKey, sealed }] = vectors('sealed');
		const ring = await keyRing([OTHER], 'keys');
		assert.throws(() => open(ring, storeKey, sealed), { message: new RegExp(`sealed with the key ${NAME}, which is not among .*\\(${ring[0].id}\\)`) });
	});

	test('a key is the same however it is written, and is not shown where it is none', async () => {
		const texts = [OTHER, OTHER.toUpperCase(), '+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhc=', ' -Pn6-_z9_v8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhc\n'];
		const [id, ...others] = (await Promise.all(texts.map((text) => keyRing([text], 'keys')))).map(([key]) => key.id);
		for (const other of others) assert.equal(other, id);
		for (const keys of [`${KEY},${OTHER}`, ` ${KEY} , ${OTHER},`, JSON.stringify([KEY, OTHER])]) {
			assert.deepEqual((await keyRing(keys, 'keys')).map((key) => key.id), [NAME, id], keys);
		}
		const refused = (keys, why) => {
			assert.throws(() => keyRing(keys, 'the keys'), why);
			assert.throws(() => keyRing(keys, 'the keys'), ({ message }) => !keys.length || ![keys].flat().some((key) => key && message.includes(key)));
		};
		refused([KEY, OTHER.slice(2)], /the keys: number 2: a key has 31 bytes/);
		refused('c2VjcmV0', /number 1: a key has 6 bytes/);
		refused([`${OTHER}!`], /neither base64 nor hexadecimal/);
		refused(['+Pn6-/z9/v8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhc'], /neither base64 nor hexadecimal/);
		refused('', /there is no key/);
		refused([KEY, KEY.replace('=', '')], /a key is there twice/);
	});

	test('a secret that is none is refused', () => {
		assert.throws(() => keyHasher('hunter2'), ({ message }) => /has 7 bytes: it must have 16/.test(message) && !message.includes('hunter2'));
	});
});

describe('A store whose IDs are hashed and whose records are sealed', () => {
	/** Both around a driver, as a site has them. */
	const around = (driver, { secret, keys = KEY, acceptPlain } = {}) => hashedKeys(encrypted(driver, { keys, acceptPlain }), { secret });

	test('has neither the ID nor the text, and keeps its rules', async () => {
		const within = memory();
		const driver = around(within);
		const { version } = await driver.set(ID, 'hello', 'absent', 60);
		assert.equal(await driver.set(ID, 'again', 'absent'), null);
		const item = await driver.get(ID);
		assert.deepEqual([item.text, item.version], ['hello', version]);
		assert.ok(item.ends > Date.now());
		assert.equal(await within.get(ID), null);
		const stored = await within.get(await keyHasher()(ID));
		assert.match(stored.text, new RegExp(`^sealed\\.1\\.${NAME}\\.`));
		const next = await driver.set(ID, 'hello', { version });
		assert.notEqual((await within.get(await keyHasher()(ID))).text, stored.text, 'no two sealings are alike');
		assert.equal(await driver.set(ID, 'late', { version }), null);
		assert.equal(await driver.touch(ID, 60), true);
		assert.equal(await driver.remove(ID, { version }), 'conflict');
		assert.equal(await driver.remove(ID, next), 'removed');
		assert.equal(await driver.get(ID), null);
	});

	test('is named, and lets its items end, as the driver within, also where that has to find out', () => {
		let expires = true;
		const driver = around({ name: 'http', ttl: 5, get expires() { return expires; } });
		assert.deepEqual([driver.name, driver.ttl, driver.expires], ['http', 5, true]);
		expires = false;
		assert.equal(driver.expires, false);
	});

	test('is opened with all keys of the ring, and sealed with the first', async () => {
		const within = memory();
		const [old, both, turned] = [KEY, `${KEY},${OTHER}`, `${OTHER},${KEY}`].map((keys) => around(within, { keys }));
		await old.set(ID, 'old', 'always');
		for (const driver of [both, turned]) assert.equal((await driver.get(ID)).text, 'old');
		await turned.set(ID, 'new', 'always');
		assert.equal((await both.get(ID)).text, 'new');
		await assert.rejects(old.get(ID), { name: 'SessionCorruptError', message: /is sealed with the key .* It was kept as it is\./ });
	});

	test('takes plain records where it is told to', async () => {
		const within = memory();
		await within.set(await keyHasher()(ID), 'plain', 'always');
		await assert.rejects(around(within).get(ID), { name: 'SessionCorruptError', message: /it is not sealed, and plain records are not accepted/ });
		const accepting = around(within, { acceptPlain: true });
		const { text, version } = await accepting.get(ID);
		assert.equal(text, 'plain');
		await accepting.set(ID, text, { version });
		assert.equal((await around(within).get(ID)).text, 'plain');
	});

	test('is read from files at once, as a sealed record is no half of one', async (t) => {
		const base = mkdtempSync(path.join(tmpdir(), 'cloakroom-sealed-'));
		t.after(() => rmSync(base, { recursive: true }));
		const driver = around(fsLite({ base }));
		await driver.set(ID, 'hello', 'always');
		// Whoever waited would wait for ever.
		t.mock.timers.enable({ apis: ['setTimeout'] });
		assert.equal((await driver.get(ID)).text, 'hello');
	});

	test('takes its keys from a file', async (t) => {
		const folder = mkdtempSync(path.join(tmpdir(), 'cloakroom-keys-'));
		t.after(() => rmSync(folder, { recursive: true }));
		const keyFile = path.join(folder, 'keys');
		writeFileSync(keyFile, `# the new one\n${OTHER}\r\n\n  ${KEY}\n`);
		const within = memory();
		const [by, driver] = [encryptedByKeyFile(within, { keyFile }), encrypted(within, { keys: [OTHER] })];
		await by.set(ID, 'hello', 'always');
		assert.equal((await driver.get(ID)).text, 'hello');
		writeFileSync(keyFile, '# none\n');
		assert.throws(() => encryptedByKeyFile(within, { keyFile }), /the key file .*keys: there is no key/);
		assert.throws(() => encryptedByKeyFile(within, { keyFile: `${folder}/none` }), /`encryption.keyFile`: ENOENT/);
		for (const mistaken of [KEY, `${OTHER},${KEY}`]) {
			const tells = ({ message }) => /is a key/.test(message) && !message.includes(KEY);
			assert.throws(() => encryptedByKeyFile(within, { keyFile: mistaken }), tells);
		}
	});

	test('keeps what does not open, which is an error and no empty session, until it is destroyed', async () => {
		const within = memory();
		const sealing = { ...site, store: new Store(around(within)) };
		const cookies = await visitor({ user: 'Ada' }, sealing);
		const id = cookies.get('astro-session').value;
		const key = await keyHasher()(id);
		const { text } = await within.get(key);
		const wrong = { ...site, store: new Store(around(within, { keys: OTHER })) };
		const session = new Session(wrong, cookies);
		await assert.rejects(session.get('user'), { name: 'SessionCorruptError', status: 500 });
		session.set('user', 'Eve');
		await assert.rejects(session.commit(), { name: 'SessionCorruptError' });
		assert.equal((await within.get(key)).text, text);
		const last = new Session(wrong, cookies);
		last.destroy();
		await last.commit();
		assert.notEqual((await within.get(key)).text, text);
		assert.equal(cookies.get('astro-session'), undefined);
		assert.equal((await sealing.store.look(id)).is, 'unreadable', 'the tombstone has the other key');
		assert.equal((await wrong.store.look(id)).is, 'retired');
	});

	test('a site that has no keys says so', async () => {
		const within = memory();
		const cookies = await visitor({ user: 'Ada' }, { ...site, store: new Store(encrypted(within, { keys: KEY })) });
		const plain = new Session({ ...site, store: new Store(within) }, cookies);
		await assert.rejects(plain.get('user'), { name: 'SessionCorruptError', message: /is sealed, and this site has no keys: it needs the `encryption`/ });
	});
});

describe('What a site says of it', () => {
	const variables = { SITE_SECRET: 'a secret of some length', SITE_KEYS: `${OTHER},${KEY}`, SITE_KEY: KEY };
	before(() => Object.assign(process.env, variables));
	after(() => Object.keys(variables).forEach((name) => delete process.env[name]));

	/** What is built of this. */
	const built = (options) => {
		const { atRest } = checkOptions(options);
		return sitePlugin({ found: { name: 'memory', module: '@cloakroom/astro/drivers/memory', options: {} }, layers: atRest.layers, settings: {}, isProduction: true, astro: {}, root: '' });
	};

	test('records are sealed within, under the hashed IDs; what is built and told names variables alone', () => {
		const options = { hashIds: { secret: { $env: 'SITE_SECRET' } }, encryption: { keys: { $env: 'SITE_KEYS' }, acceptPlain: true } };
		const { layers, told } = checkOptions(options).atRest;
		assert.deepEqual(layers.map(({ module }) => module), ['encrypted', 'hashed-keys']);
		assert.deepEqual(JSON.parse(JSON.stringify(told)), options);
		const code = built(options).load('\0virtual:cloakroom/site');
		assert.match(code, /import around0 from '@cloakroom\/astro\/at-rest\/encrypted';\nimport around1 from '@cloakroom\/astro\/at-rest\/hashed-keys';/);
		for (const secret of Object.values(variables)) assert.ok(!code.includes(secret));
		assert.doesNotMatch(built({}).load('\0virtual:cloakroom/site'), /at-rest/);
	});

	test('the variables of the Rust side are the default', () => {
		const told = (options) => JSON.parse(JSON.stringify(checkOptions(options).atRest.told));
		const [secret, keys] = [{ $env: 'CLOAKROOM_SESSION_HASH_IDS_SECRET' }, { $env: 'CLOAKROOM_SESSION_ENCRYPTION_KEYS' }];
		assert.deepEqual(told({ hashIds: {}, encryption: {} }), { hashIds: { secret }, encryption: { keys } });
		assert.deepEqual(told({ hashIds: true, encryption: true }), { hashIds: true, encryption: { keys } });
		assert.deepEqual(told({ encryption: { keyFile: 'keys' } }), { encryption: { keyFile: 'keys' } });
		assert.deepEqual(told({ hashIds: false, encryption: false }), {});
	});

	test('a secret that would stay in what is built is refused, and not shown', () => {
		const refused = (options, why) => assert.throws(() => checkOptions(options), ({ message }) => why.test(message) && !message.includes(KEY) && !message.includes('hunter2'));
		refused({ hashIds: { secret: 'hunter2hunter2hunter2' } }, /`hashIds.secret` would stay in what is built: name the variable/);
		refused({ encryption: { keys: KEY } }, /`encryption.keys` would stay/);
		refused({ encryption: { keys: [{ $env: 'SITE_KEY' }, KEY] } }, /`encryption.keys\[1\]` would stay/);
		refused({ encryption: { keyFile: KEY } }, /`encryption.keyFile` must be the path/);
		refused({ encryption: { keys: { $env: 'A' }, keyFile: 'keys' } }, /both `keys` and `keyFile`/);
		refused({ encryption: { key: KEY } }, /unknown option `encryption.key`: it can be one of keys, keyFile, acceptPlain/);
		refused({ encryption: KEY }, /`encryption` must be true, false, or an object/);
		refused({ encryption: { acceptPlain: 'yes' } }, /`encryption.acceptPlain` must be true or false/);
		refused({ hashIds: 'hunter2' }, /`hashIds` must be true, false, or an object with `secret`/);
	});

	test('the secrets are read where the server runs, and one that is not set is named', async () => {
		const layers = ({ atRest }) => atRest.layers.map(({ of, module, options }) => ({ of, around: { encrypted, 'hashed-keys': hashedKeys }[module], options }));
		const opened = (options, within = memory()) => openSite({ limits: {}, conflict: 'error', isProduction: true }, {}, () => within, layers(checkOptions(options))).store.driver;
		const within = memory();
		await opened({ hashIds: { secret: { $env: 'SITE_SECRET' } }, encryption: { keys: [{ $env: 'SITE_KEY' }] } }, within).set(ID, 'hello', 'always');
		assert.match((await within.get(await keyHasher(variables.SITE_SECRET)(ID))).text, new RegExp(NAME));
		assert.throws(() => opened({ encryption: true }), /variable CLOAKROOM_SESSION_ENCRYPTION_KEYS, which `encryption` name/);
		assert.throws(() => opened({ hashIds: {} }), /variable CLOAKROOM_SESSION_HASH_IDS_SECRET, which `hashIds` name/);
	});

	test('without a secret of the site\'s, one of the environment counts, as on the Rust side', async (t) => {
		t.after(() => delete process.env.CLOAKROOM_SESSION_HASH_IDS_SECRET);
		const within = memory();
		await hashedKeys(within, {}).set(ID, 'without', 'always');
		process.env.CLOAKROOM_SESSION_HASH_IDS_SECRET = variables.SITE_SECRET;
		await hashedKeys(within, {}).set(ID, 'with', 'always');
		assert.equal((await within.get(await keyHasher()(ID))).text, 'without');
		assert.equal((await within.get(await keyHasher(variables.SITE_SECRET)(ID))).text, 'with');
	});

	test('the package that seals is asked for where a site seals, and is not there', async () => {
		const importer = new URL('../../packages/astro/src/at-rest/sealed.js', import.meta.url).pathname;
		const refused = built({ encryption: true }).resolveId.call({ resolve: async () => null }, '@noble/ciphers/aes.js', importer);
		await assert.rejects(refused, /`encryption` needs the package @noble\/ciphers, which is not installed: npm install @noble\/ciphers/);
	});
});
