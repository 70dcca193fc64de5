// Starts and stops the servers under test: the built Astro site, the Rust shop, the Rust probe.
import { spawn } from 'node:child_process';
import { accessSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { until } from './until.mjs';

const site = path.resolve(import.meta.dirname, '../site');
const startDeadline = 30_000;

/** The real Astro site, built by `npm run build` for this store. `build` is its output folder. */
export function startAstro(store, { build = store.build } = {}) {
	const entry = path.resolve(site, build, 'server/entry.mjs');
	mustExist(entry, 'run `npm run build` first');
	return startNode(store, entry);
}

/** A script that serves an Astro site. */
export function startNode(store, script) {
	return start('astro', process.execPath, [script], store, { ...store.environment, HOST: '127.0.0.1', ASTRO_TELEMETRY_DISABLED: '1' });
}

/** The shop of `examples/shop`, at the path in CLOAKROOM_SHOP. `config` may be a file; where it is null, there is none. */
export async function startShop(store, config = {}) {
	const shop = await startRust('shop', 'CLOAKROOM_SHOP', store, config);
	return Object.assign(shop, { forms: shopForms });
}

/** The shop's forms by the page of the Astro site that takes the same: where they lead, and what they have besides. */
const shopForms = {
	'/login': { action: '/?_action=account.logIn', besides: { password: 'overcoat' } },
	'/cart': { action: '/cart?_action=cart.add' },
	'/settings': { action: '/settings?_action=account.saveSettings' },
};

/** The site's files for browsers, of which the probe can serve the prerendered ones. */
export const clientFiles = path.join(site, 'dist/client');

/**
 * The probe of `interop/probe`, at the path in CLOAKROOM_PROBE. `files` is a folder that it serves besides. On the
 * framework `actix-web` it has the actions alone.
 */
export function startProbe(store, config = {}, { files = '', framework = 'axum' } = {}) {
	return startRust('probe', 'CLOAKROOM_PROBE', store, config, { FILES: files, FRAMEWORK: framework });
}

/** The shop of `examples/together`, at the path in CLOAKROOM_TOGETHER: it builds the site in this folder, and starts it. */
export function startTogether(store, folder) {
	return start('together', path.resolve(process.env.CLOAKROOM_TOGETHER), ['--site', folder], store);
}

function startRust(name, variable, store, config, own = {}) {
	const env = { ...store.environment, ...own };
	const binary = process.env[variable];
	if (!binary) throw new Error(`${variable} is not set: it must be the path of the ${name}'s binary`);
	mustExist(binary, `${variable} must be the path of the ${name}'s binary`);
	if (config === null) return start(name, path.resolve(binary), [], store, env);
	if (typeof config === 'string') return start(name, path.resolve(binary), ['--config', config], store, env);
	const file = path.join(store.root, `${name}-${store.servers.length}.json`);
	writeFileSync(file, JSON.stringify({ ...store.config, ...config }));
	return start(name, path.resolve(binary), ['--config', file], store, env);
}

/** Ready when it has printed where it listens: every server here says so, and the port is the system's choice. */
async function start(name, command, args, store, env) {
	const child = spawn(command, args, {
		cwd: store.root,
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
		/** Halts it: it keeps its connections and its locks, and answers nothing. */
		async pause() {
			child.kill('SIGSTOP');
			await until(`${name} is halted`, () => threads(child.pid).every((state) => state === 'T'));
		},
		resume: () => child.kill('SIGCONT'),
		/** Ends it as a crash does. */
		async kill() {
			store.servers.splice(store.servers.indexOf(server), 1);
			await server.stop('SIGKILL');
		},
	};
	store.servers.push(server);

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

/** The states of a process's threads; they stand behind the name, which is in parentheses (proc_pid_stat(5)). */
function threads(pid) {
	return globSync(`/proc/${pid}/task/*/stat`).map((file) => {
		try {
			return /\) (\w)[^)]*$/.exec(readFileSync(file, 'utf8'))[1];
		} catch {
			// It has ended in between: the others are looked at again.
			return undefined;
		}
	});
}

function mustExist(file, advice) {
	try {
		accessSync(file);
	} catch (cause) {
		throw new Error(`${file} is missing: ${advice}`, { cause });
	}
}
