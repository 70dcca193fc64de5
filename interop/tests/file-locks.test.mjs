// The locks of files in `@cloakroom/astro`: what becomes of a write when the process that holds its lock does not do as it should.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { load } from '../lib/astro-package.mjs';
import { until } from '../lib/until.mjs';

const { default: open } = await load('drivers/fs-lite.js');
const { stripeOf } = await load('drivers/fs-lite/locks.js');

const EMPTY = '[["Map"]]';
const FULL = '[["Map",1,1],"a"]';

const flock = execFileSync('sh', ['-c', 'command -v flock'], { encoding: 'utf8' }).trim();

/** The processes that hold locks for this one. */
function holders() {
	const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
	return children.filter((child) => ['perl\n', 'sh\n'].includes(readFileSync(`/proc/${child}/comm`, 'utf8')));
}

const DRIVER = pathToFileURL(path.resolve(import.meta.dirname, '../../packages/astro/src/drivers/fs-lite.js'));

/** A process that has used up its files tries to write, and writes when it has some again. It prints what became of both. */
const OUT_OF_FILES = `
import { closeSync, mkdirSync, openSync } from 'node:fs';
const [driver, base] = process.argv.slice(1);
mkdirSync(base + '/.cloakroom');
const { default: open } = await import(driver);
const sessions = open({ base });
const opened = [];
try {
	for (;;) opened.push(openSync('/dev/null'));
} catch {}
const failed = await sessions.set('key', '[["Map"]]', 'always').catch((error) => error.message);
opened.forEach((file) => closeSync(file));
const written = await sessions.set('key', '[["Map"]]', 'always');
console.log(JSON.stringify({ failed, written }));
`;

/** Whether somebody reads a pipe, or waits for somebody who writes to it. */
function isRead(pipe) {
	try {
		closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
		return true;
	} catch (error) {
		if (error.code === 'ENXIO') return false;
		throw error;
	}
}

for (const program of ['Perl', 'the command flock']) {
	describe(`Locks that are held by ${program}`, () => {
		const { PATH } = process.env;
		let base, driver;
		before(() => {
			base = mkdtempSync(path.join(tmpdir(), 'cloakroom-locks-'));
			if (program !== 'Perl') {
				const programs = path.join(base, 'programs');
				mkdirSync(programs);
				for (const name of ['sh', 'flock']) {
					symlinkSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), path.join(programs, name));
				}
				process.env.PATH = programs;
			}
			driver = open({ base });
		});
		after(() => {
			process.env.PATH = PATH;
			rmSync(base, { recursive: true });
		});

		const lockOf = (key) => path.join(base, '.cloakroom', `${stripeOf(key)}.lock$`);
		const isLocked = (key) => spawnSync(flock, ['-n', lockOf(key), flock, '--version']).status === 1;

		/** Begins a write, and lets `meanwhile` happen while it has its lock and looks what is there. */
		async function write(key, { meanwhile }) {
			const file = path.join(base, key);
			await driver.set('any', EMPTY, 'always');
			// To open a pipe takes as long as nobody writes to it; what is read of it is no item.
			execFileSync('mkfifo', [file], { env: { PATH } });
			const outcome = driver.set(key, FULL, 'absent');
			outcome.catch(() => {});
			await until('it reads the pipe', () => isRead(file));
			try {
				await meanwhile();
			} finally {
				const pipe = openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
				await outcome.catch(() => {});
				closeSync(pipe);
			}
			return outcome;
		}

		test('what is made is for its owner alone', async () => {
			const folder = path.join(base, 'sessions');
			const own = open({ base: folder });
			await own.set('site:visitor', FULL, 'absent', 600);
			const made = ['', ...readdirSync(folder, { recursive: true })];
			for (const name of ['site/visitor', `.cloakroom/${stripeOf('site:visitor')}.lock$`]) assert.ok(made.includes(name));
			assert.ok(made.some((name) => name.endsWith('.expires$')));
			const othersMayUse = made.filter((name) => statSync(path.join(folder, name)).mode & 0o077);
			assert.deepEqual(othersMayUse, []);
		});

		test('a signal for all processes of a service takes no lock away', async () => {
			const outcome = await write('signalled', {
				meanwhile() {
					for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) for (const holder of holders()) process.kill(holder, signal);
					assert.ok(isLocked('signalled'));
				},
			});
			assert.notEqual(outcome, null);
			assert.equal((await driver.get('signalled')).text, FULL);
		});

		test('what loses its lock writes nothing', async () => {
			const lost = write('killed', {
				async meanwhile() {
					for (const holder of holders()) process.kill(holder, 'SIGKILL');
					await until('the lock is free', () => !isLocked('killed'));
				},
			});
			await assert.rejects(lost, /the lock was lost/);
			assert.ok(statSync(path.join(base, 'killed')).isFIFO());
			assert.notEqual(await driver.set('killed', FULL, 'always'), null);
		});

		test('a lock that another process keeps fails those who wait for it, and nobody else', async (t) => {
			const keys = ['kept-1', 'kept-2', 'kept-3', 'kept-4', 'kept-5', 'kept-6'];
			const keepers = keys.map((key) => spawn(flock, [lockOf(key), '/bin/cat']));
			const release = () => keepers.forEach((keeper) => keeper.stdin.end());
			t.after(release);
			for (const key of keys) await until('it is kept', () => isLocked(key));
			const outcomes = Promise.allSettled([...keys, ...keys].map((key) => driver.set(key, FULL, 'always')));
			const done = [];
			outcomes.then(() => done.push('those that wait'));
			await Promise.all(Array.from({ length: 20 }, (_, index) => driver.set(`free-${index}`, FULL, 'always')));
			done.push('the others');
			for (const { reason } of await outcomes) assert.match(reason?.message, /the lock .* was not free within 5 s/);
			assert.deepEqual(done, ['the others', 'those that wait']);
			release();
			for (const key of keys) assert.notEqual(await driver.set(key, FULL, 'always'), null);
		});

		test('a holder that is halted is replaced', async () => {
			const another = open({ base });
			await another.set('halted', EMPTY, 'always');
			process.kill(holders().at(-1), 'SIGSTOP');
			await assert.rejects(another.set('halted', FULL, 'always'), /the lock .* was not free within 5 s/);
			assert.notEqual(await another.set('halted', FULL, { version: EMPTY }), null);
		});
	});
}

describe('A lock that cannot be taken', () => {
	let base;
	before(() => (base = mkdtempSync(path.join(tmpdir(), 'cloakroom-locks-'))));
	after(() => rmSync(base, { recursive: true }));

	test('because of its file: the reason is told', async () => {
		const driver = open({ base });
		mkdirSync(path.join(base, '.cloakroom', `${stripeOf('key')}.lock$`), { recursive: true });
		await assert.rejects(driver.set('key', FULL, 'always'), /a lock could not be taken: .*\.lock\$: Is a directory/);
	});

	test('because the process can open no more files: the write fails, and the next one is made', () => {
		const run = 'ulimit -n 64 && exec "$0" --input-type=module --eval "$@"';
		const folder = mkdtempSync(path.join(base, 'site-'));
		const printed = execFileSync('sh', ['-c', run, process.execPath, OUT_OF_FILES, DRIVER.href, folder], { encoding: 'utf8' });
		const { failed, written } = JSON.parse(printed);
		assert.match(failed, /a lock could not be taken: spawn sh EMFILE/);
		assert.deepEqual(written, { version: '[["Map"]]' });
	});
});
