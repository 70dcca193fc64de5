// Starts and stops the servers under test: the built Astro site, the Rust shop, the Rust probe.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const site = path.resolve(import.meta.dirname, '../site');
const startDeadline = 30_000;

/** A folder of sessions, removed when the tests of the file have ended. */
export function sessionFolder() {
	const root = mkdtempSync(path.join(tmpdir(), 'cloakroom-interop-'));
	// Where the site keeps its sessions, relative to where it is started.
	const sessions = path.join(root, '.data/sessions');
	mkdirSync(sessions, { recursive: true });
	return { root, sessions, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** The real Astro site, built by `npm run build`. `build` is its output folder. */
export function startAstro(folder, { build = 'dist' } = {}) {
	const entry = path.join(site, build, 'server/entry.mjs');
	mustExist(entry, 'run `npm run build` first');
	return start('astro', process.execPath, [entry], folder, { HOST: '127.0.0.1' });
}

/** The shop of `examples/shop`, at the path in CLOAKROOM_SHOP. Without a `config` it uses files where it is started. */
export function startShop(folder, config = {}) {
	return startRust('shop', 'CLOAKROOM_SHOP', folder, config);
}

/** The probe of `interop/probe`, at the path in CLOAKROOM_PROBE. */
export function startProbe(folder, config = {}) {
	return startRust('probe', 'CLOAKROOM_PROBE', folder, config);
}

/** For `describe` and `test`: without the binaries nothing runs, which is said aloud, and is a failure under CI. */
export function needs(...variables) {
	const missing = variables.filter((name) => !process.env[name]);
	if (missing.length === 0 || process.env.CI) return {};
	return { skip: `${missing.join(' and ')} must be set to the path of a binary` };
}

function startRust(name, variable, folder, config) {
	const binary = process.env[variable];
	if (!binary) throw new Error(`${variable} is not set: it must be the path of the ${name}'s binary`);
	mustExist(binary, `${variable} must be the path of the ${name}'s binary`);
	if (config === null) return start(name, path.resolve(binary), [], folder, {});
	const file = path.join(folder.root, `${name}.json`);
	writeFileSync(file, JSON.stringify({ driver: 'fs', options: { base: folder.sessions }, ...config }));
	return start(name, path.resolve(binary), ['--config', file], folder, {});
}

/** Ready when it has printed where it listens: every server here says so, and the port is the system's choice. */
async function start(name, command, args, folder, env) {
	const child = spawn(command, args, {
		cwd: folder.root,
		env: { ...process.env, PORT: '0', ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let output = '';
	const port = await new Promise((resolve, reject) => {
		const fail = (reason) => reject(new Error(`${name} ${reason}\n${output}`));
		const timer = setTimeout(() => fail('did not say where it listens'), startDeadline);
		const read = (chunk) => {
			output += chunk;
			const line = /listening on http:\/\/(?:localhost|127\.0\.0\.1):(\d+)/.exec(output);
			if (line) {
				clearTimeout(timer);
				resolve(Number(line[1]));
			}
		};
		child.stdout.on('data', read);
		child.stderr.on('data', read);
		child.once('error', (error) => fail(`could not be started: ${error.message}`));
		child.once('exit', (code, signal) => fail(`ended at once (${signal ?? code})`));
	}).catch((error) => {
		child.kill('SIGKILL');
		throw error;
	});
	return {
		name,
		port,
		// One host name for all: a browser shares cookies among the ports of a host.
		url: `http://localhost:${port}`,
		output: () => output,
		async stop() {
			if (child.exitCode === null && child.signalCode === null) {
				child.kill('SIGTERM');
				await once(child, 'exit');
			}
			return { code: child.exitCode, signal: child.signalCode };
		},
	};
}

function mustExist(file, advice) {
	try {
		accessSync(file);
	} catch (cause) {
		throw new Error(`${file} is missing: ${advice}`, { cause });
	}
}
