// Workers in the real workerd: those in Rust, with JavaScript beside them in the same Worker, and one in JavaScript alone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { ofAstro } from './astro-package.mjs';

const entry = path.resolve(import.meta.dirname, '../worker/entry.mjs');

/** Starts a Worker that `interop-bundler` built, below the folder in CLOAKROOM_WORKERS. */
export async function startWorker(name) {
	const folder = path.resolve(process.env.CLOAKROOM_WORKERS, name);
	const bundle = await build({
		entryPoints: [entry],
		alias: { rust: path.join(folder, 'worker.js') },
		bundle: true,
		write: false,
		format: 'esm',
		target: 'es2022',
		platform: 'browser',
		conditions: ['workerd', 'worker'],
		external: ['cloudflare:*', 'node:*', '*.wasm'],
		logLevel: 'error',
	});
	const runtime = new Miniflare({
		host: '127.0.0.1',
		cf: false,
		compatibilityDate: '2026-01-01',
		compatibilityFlags: ['nodejs_compat'],
		modules: [
			{ type: 'ESModule', path: 'entry.mjs', contents: bundle.outputFiles[0].text },
			{ type: 'CompiledWasm', path: 'index_bg.wasm', contents: readFileSync(path.join(folder, 'index_bg.wasm')) },
		],
		kvNamespaces: ['SESSION', 'STORAGE'],
		r2Buckets: ['BUCKET'],
	});
	const url = (await runtime.ready).origin;
	return {
		name,
		url,
		/** The namespace of KV, as Cloudflare's own client has it. */
		kv: (binding) => runtime.getKVNamespace(binding),
		/** The bucket of R2, as Cloudflare's own client has it. */
		r2: (binding) => runtime.getR2Bucket(binding),
		stop: () => runtime.dispose(),
	};
}

/** Starts `worker/session.mjs`: without Node's modules, for a driver and its options, with secrets where IDs are hashed and records sealed. */
export async function startSessionWorker(driver, options, secrets) {
	const { outputFiles } = await build({
		entryPoints: [path.resolve(import.meta.dirname, '../worker/session.mjs')],
		alias: { devalue: ofAstro.resolve('devalue'), '@noble/ciphers/aes.js': fileURLToPath(import.meta.resolve('@noble/ciphers/aes.js')) },
		bundle: true,
		write: false,
		format: 'esm',
		platform: 'neutral',
		logLevel: 'error',
	});
	const runtime = new Miniflare({
		host: '127.0.0.1',
		cf: false,
		compatibilityDate: '2026-01-01',
		modules: [{ type: 'ESModule', path: 'session.mjs', contents: outputFiles[0].text }],
		bindings: { DRIVER: driver, OPTIONS: options, ...(secrets && { SECRETS: secrets }) },
	});
	return { name: 'worker', url: (await runtime.ready).origin, stop: () => runtime.dispose() };
}

/** Makes calls of a driver: of Rust's below `items`, of unstorage's below `unstorage`. */
export async function call(worker, side, driver, options, ...calls) {
	return (await answer(worker, side, driver, options, calls)).json();
}

/** Which methods of the binding a call of Rust's driver takes. */
export async function trips(worker, driver, call) {
	return (await answer(worker, 'items', driver, {}, [call])).headers.get('calls');
}

async function answer(worker, side, driver, options, calls) {
	const body = JSON.stringify({ options, calls });
	const response = await fetch(`${worker.url}/${side}/${driver}`, { method: 'POST', body });
	assert.equal(response.status, 200, response.ok ? '' : await response.text());
	return response;
}
