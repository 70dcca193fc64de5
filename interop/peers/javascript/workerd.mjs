// One request to a Worker of ours in the real workerd: `node workerd.mjs FOLDER PATH BODY` posts the body to what
// `interop-bundler` put into the folder, and prints the answer. The Worker has a namespace of KV and a bucket of R2; its
// console goes to the standard error.
import { Miniflare } from 'miniflare';

const [folder, path, body] = process.argv.slice(2);

const runtime = new Miniflare({
	host: '127.0.0.1',
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
	handleRuntimeStdio(stdout, stderr) {
		stdout.pipe(process.stderr);
		stderr.pipe(process.stderr);
	},
});
const response = await runtime.dispatchFetch(`http://worker${path}`, { method: 'POST', body });
process.stdout.write(await response.text());
process.exitCode = response.ok ? 0 : 1;
await runtime.dispose();
