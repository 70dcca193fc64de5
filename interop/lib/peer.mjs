// Servers that are neither Astro nor ours, started by the crate `interop-peers`.
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

const folders = [
	...process.env.PATH.split(path.delimiter),
	'/usr/sbin',
	...globSync('/usr/lib/postgresql/*/bin'),
	// What `cargo xtask test` has unpacked.
	path.resolve(import.meta.dirname, '../../target/peers'),
];

/** Why none of these programs can be started here; false where one can. */
export function lacks(...programs) {
	if (!process.env.CLOAKROOM_PEER) return 'CLOAKROOM_PEER must be the path of the binary interop-peer';
	const installed = programs.some((program) => folders.some((folder) => existsSync(path.join(folder, program))));
	return !installed && `${programs.join(' or ')} is not installed`;
}

/** Starts a server and returns its `url`; it ends with `stop`, or with this process. */
export async function startPeer(kind, ...args) {
	const child = spawn(process.env.CLOAKROOM_PEER, [kind, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
	const ended = new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', (code, signal) => resolve(code ?? signal));
	});
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const line = async () => {
		const { value, done } = await lines.next();
		if (done) throw new Error(`${kind} has ended: ${await ended}`);
		return value;
	};
	const tell = (word) => {
		child.stdin.write(`${word}\n`);
		return line();
	};
	const url = await Promise.race([line(), ended.then((end) => Promise.reject(new Error(`${kind} did not start: ${end}`)))]);
	return {
		url,
		/** Ends it as a crash does. */
		kill: () => tell('kill'),
		/** Starts it again, with its address and its data. */
		restart: () => tell('restart'),
		async stop() {
			child.stdin.end();
			return ended;
		},
	};
}
