// Between Redis and who asks it: an answer can be lost, as by a network that fails at the worst moment.
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';

/** Listens on one socket, and leads to the other. */
export async function startProxy(from, to) {
	/** The command whose answer is to be lost, and who waits for that. @type {{ command: string, lost: () => void } | undefined} */
	let next;
	const open = new Set();
	const server = createServer((client) => {
		const redis = createConnection(to);
		/** @type {(() => void) | undefined} */
		let lost;
		const close = () => {
			for (const socket of [client, redis]) socket.destroy();
		};
		client.on('data', (sent) => {
			if (next && sent.includes(next.command)) {
				({ lost } = next);
				next = undefined;
			}
			redis.write(sent);
		});
		redis.on('data', (answer) => {
			if (!lost) return client.write(answer);
			close();
			lost();
		});
		for (const socket of [client, redis]) {
			open.add(socket);
			socket.on('error', () => {}).on('close', () => {
				open.delete(socket);
				close();
			});
		}
	});
	await once(server.listen(from), 'listening');
	return {
		/** Redis carries out the next command that begins so, and its answer is lost together with the connection. */
		loseAnswer: (command) => new Promise((lost) => (next = { command, lost })),
		async stop() {
			for (const socket of open) socket.destroy();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
