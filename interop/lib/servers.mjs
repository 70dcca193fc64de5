// Starts and stops the servers under test: the built Astro site, the Rust shop, the Rust probe.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { accessSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const site = path.resolve(import.meta.dirname, '../site');
const startDeadline = 30_000;

/** A folder of sessions and the servers that share it. */
export class Folder {
	root = mkdtempSync(path.join(tmpdir(), 'cloakroom-interop-'));
	/** Where the site keeps its sessions, relative to where it is started. */
	sessions = path.join(this.root, '.data/sessions');
	servers = [];

	constructor() {
		mkdirSync(this.sessions, { recursive: true });
	}

	/** Stops the servers and removes the folder. The Rust servers must end by themselves, without an error. */
	async close() {
		const ends = await Promise.all(this.servers.map((server) => server.stop()));
		rmSync(this.root, { recursive: true, force: true });
		for (const [index, { name, output }] of this.servers.entries()) {
			if (name !== 'astro') assert.equal(ends[index], 0, `${name} did not shut down cleanly\n${output()}`);
		}
	}
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
	const ended = new Promise((resolve) => {
		child.once('error', (error) => resolve(`could not be started: ${error.message}`));
		child.once('exit', (code, signal) => resolve(code ?? signal));
	});
	const server = {
		name,
		output: () => output,
		/** Returns the exit code, or the name of the signal that ended it. */
		async stop(signal = 'SIGTERM') {
			child.kill(signal);
			return ended;
		},
	};
	folder.servers.push(server);

	let timer;
	server.port = await new Promise((resolve, reject) => {
		const fail = (reason) => reject(new Error(`${name} ${reason}\n${output}`));
		timer = setTimeout(fail, startDeadline, 'did not say where it listens');
		ended.then((end) => fail(`ended at once: ${end}`));
		const read = (chunk) => {
			output += chunk;
			const line = /listening on http:\/\/(?:localhost|127\.0\.0\.1):(\d+)/.exec(output);
			if (line) resolve(Number(line[1]));
		};
		child.stdout.on('data', read);
		child.stderr.on('data', read);
	}).finally(() => clearTimeout(timer));
	// One host name for all: a browser shares cookies among the ports of a host.
	server.url = `http://localhost:${server.port}`;
	return server;
}

function mustExist(file, advice) {
	try {
		accessSync(file);
	} catch (cause) {
		throw new Error(`${file} is missing: ${advice}`, { cause });
	}
}
