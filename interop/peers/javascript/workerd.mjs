// A Worker of ours in the real workerd, on loopback: `node workerd.mjs PORT FOLDER` serves what `interop-bundler` put into
// the folder, with a namespace of KV and a bucket of R2.
import { Miniflare } from 'miniflare';

const [port, folder] = process.argv.slice(2);

const worker = new Miniflare({
	host: '127.0.0.1',
	port: Number(port),
	cf: false,
	compatibilityDate: '2026-01-01',
	modules: true,
	modulesRoot: folder,
	rootPath: folder,
	scriptPath: 'worker.js',
	modulesRules: [
		{ type: 'ESModule', include: ['**/*.js'] },
		{ type: 'CompiledWasm', include: ['**/*.wasm'] },
	],
	kvNamespaces: ['STORAGE'],
	r2Buckets: ['BUCKET'],
});
await worker.ready;

process.once('SIGTERM', async () => {
	await worker.dispose();
	process.exit();
});
