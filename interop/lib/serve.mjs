// `cloakroom serve`, at the path in CLOAKROOM_SERVE.
import { spawn } from 'node:child_process';

/** Serves a store. Whoever starts it stops it. */
export async function startServe(driver, options = {}) {
	const given = Object.entries(options).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
	const child = spawn(process.env.CLOAKROOM_SERVE, ['serve', '--driver', driver, ...given, '--listen', '127.0.0.1:0'], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const ended = new Promise((resolve) => child.once('exit', resolve));
	const url = await new Promise((resolve, reject) => {
		child.once('error', reject);
		ended.then((code) => reject(new Error(`cloakroom serve ended: ${code}`)));
		child.stdout.on('data', (text) => {
			const found = /(http:\/\/[\d.:]+)/.exec(text);
			if (found) resolve(found[1]);
		});
	});
	return {
		url,
		async stop() {
			child.kill();
			await ended;
		},
	};
}
