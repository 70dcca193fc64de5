// The driver `db0` of `@cloakroom/astro` in one table with Rust's and with unstorage's own.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { load } from '../lib/astro-package.mjs';
import { Client } from '../lib/client.mjs';
import { Postgres } from '../lib/database.mjs';
import { startProbe } from '../lib/servers.mjs';
import { databaseStores } from '../lib/stores.mjs';
import { suite, suiteOver } from '../lib/suite.mjs';
import { until } from '../lib/until.mjs';

const { default: open } = await load('drivers/db0.js');

const text = (value) => `[["Map",1,2],"key",{"data":3,"expires":-1},${JSON.stringify(value)}]`;
const near = (item, seconds) => assert.ok(Math.abs(item.ends - Date.now() - seconds * 1000) < 10_000, `${item.ends}`);

describe('what a site says of its database', () => {
	test('an option that cannot be meant is refused, with those that can', () => {
		assert.throws(() => open({ database: {} }), /`url` is missing; a `database` of unstorage cannot be given.*`postgres:/);
		assert.throws(() => open({ url: 'mongodb://localhost' }), /`url` does not begin as that of a database does/);
		assert.throws(() => open({ url: 'sqlite:a.db', tableName: 'a; DROP TABLE b' }), /`tableName` is "a; DROP TABLE b"/);
	});

	test('a file that is only to be read is not made', async () => {
		await assert.rejects(open({ url: 'sqlite:/not/there.db?mode=ro' }).get('key'), /^Error: sqlite:\/not\/there\.db: /);
	});
});

suiteOver(databaseStores, 'A table that both languages write', { needs: ['probe'] }, (Store) => {
	let store, probe, unstorage;
	const opened = [];

	/** Our driver, as a process has it that has just started. */
	function start(options = {}) {
		const driver = open({ ...store.config.options, ...options });
		opened.push(driver);
		return driver;
	}

	before(async () => {
		store = await Store.open();
		probe = await startProbe(store, { idle: 600 });
		unstorage = store.driver();
	});
	after(async () => {
		for (const driver of opened) driver.close();
		await unstorage?.dispose();
		await store?.close();
	});

	test('of many that come first, in both languages, all find it', async () => {
		const tableName = 'of_many';
		const drivers = Array.from({ length: 4 }, () => start({ tableName }));
		const ours = drivers.map((driver, index) => driver.set(`key-${index}`, text(index), 'absent', 60));
		const theirs = startProbe(store, { options: { ...store.config.options, tableName } });
		for (const written of await Promise.all(ours)) assert.notEqual(written, null);
		const client = new Client();
		await client.set(await theirs, 'theme', 'dark');
		near(await drivers[0].get('key-3'), 60);
		assert.notEqual(await drivers[1].get(client.id), null);
	});

	test('each has the other\'s deadlines', async () => {
		const driver = start();
		const client = new Client();
		await client.set(probe, 'theme', 'dark');
		const item = await driver.get(client.id);
		near(item, 600);
		const written = await driver.set(client.id, item.text, { version: item.version }, 0.02);
		assert.notEqual(written, null);
		await until('it has ended', async () => (await driver.get(client.id)) === null);
		assert.deepEqual(await new Client(client.cookies).keys(probe), []);
	});

	test('what unstorage writes over an item is another one, which does not end', async () => {
		const driver = start();
		const { version } = await driver.set('theirs', text('ours'), 'always', 60);
		await unstorage.setItem('theirs', text('theirs'));
		assert.equal(await driver.set('theirs', text('late'), { version }, 60), null);
		assert.equal(await driver.remove('theirs', { version }), 'conflict');
		const item = await driver.get('theirs');
		assert.deepEqual([item.text, item.ends], [text('theirs'), undefined]);
		assert.equal(await unstorage.getItem('theirs'), text('theirs'));
	});

	test('what has expired is gone from the table once somebody writes who has just started', async () => {
		const driver = start();
		await driver.set('fleeting', text('snow'), 'always', 0.02);
		await until('it has ended', async () => (await driver.get('fleeting')) === null);
		await start().set(randomUUID(), text('coat'), 'absent', 60);
		await until('it is gone', async () => (await store.find('fleeting')) === null);
	});

	test('where it may not be made, the error has the SQL for somebody else to run', async () => {
		const driver = start({ tableName: 'not_there', migrate: false });
		await assert.rejects(driver.get('key'), /not_there or some of its columns are missing; let somebody run:\nCREATE TABLE IF NOT EXISTS not_there/);
	});

	// A file is never away.
	if (!Store.peer) return;

	test('a database that is away is named, without its secrets', async () => {
		const url = store.config.options.url.replace('cloakroom@', 'cloakroom:secret@');
		const driver = start({ url, connectTimeout: 500 });
		await store.database.dispose();
		await unstorage.dispose();
		await store.peer.stop();
		await assert.rejects(driver.get('key'), ({ message }) => message.includes(new URL(url).host) && !message.includes('secret'));
	});
});

suite('A table of PostgreSQL whose rows are hidden', { needs: Postgres.needs }, () => {
	let store;
	before(async () => {
		store = await Postgres.open();
	});
	after(() => store?.close());

	test('it is refused, since sessions would be lost in silence', async () => {
		const { url } = store.config.options;
		const owner = open({ url });
		await owner.set('key', text('hidden'), 'absent');
		owner.close();
		await store.database.exec('CREATE ROLE visitor LOGIN; GRANT ALL ON unstorage TO visitor; ALTER TABLE unstorage ENABLE ROW LEVEL SECURITY');
		const driver = open({ url: url.replace('cloakroom@', 'visitor@') });
		await assert.rejects(driver.get('key'), /row-level security hides every row of the table unstorage/);
		driver.close();
	});
});
