// `cloakroom console`, by the command at the path in CLOAKROOM_SERVE.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** Shows a store's sessions. Whoever starts it stops it. */
export async function startConsole(store, config, { args = [], env = {} } = {}) {
	const file = path.join(store.root, 'console.json');
	writeFileSync(file, JSON.stringify(config));
	const child = spawn(path.resolve(process.env.CLOAKROOM_SERVE), ['console', '--config', file, '--listen', '127.0.0.1:0', '--json', ...args], {
		cwd: store.root,
		stdio: ['ignore', 'pipe', 'inherit'],
		env: { ...process.env, ...env },
	});
	const ended = new Promise((resolve) => child.once('exit', resolve));
	const url = await new Promise((resolve, reject) => {
		child.once('error', reject);
		ended.then((code) => reject(new Error(`cloakroom console ended: ${code}`)));
		child.stdout.once('data', (line) => resolve(JSON.parse(line).url));
	});
	return {
		url,
		async stop() {
			child.kill();
			await ended;
		},
	};
}
