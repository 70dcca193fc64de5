// Redis over HTTP, as Upstash documents it, before a real Redis: `node upstash.mjs PORT REDIS_URL TOKEN`. `GET /sync-token`
// tells which of the tokens that its answers carry came back last.
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import Redis from 'ioredis';

const [port, url, token] = process.argv.slice(2);
const redis = new Redis(url, { maxRetriesPerRequest: 0 });
redis.on('error', () => {});
let answers = 0;
let lastSyncToken = '';

/** An answer of Redis's in JSON: texts in base64 where the client asked for it, all but the status of a command. */
const json = (value, encoding, isStatus) => {
	if (Array.isArray(value)) return value.map((item) => json(item, encoding, false));
	if (!Buffer.isBuffer(value)) return value;
	return encoding === 'base64' && !isStatus ? value.toString('base64') : value.toString();
};

async function run([name, ...args], encoding) {
	try {
		const value = await redis.callBuffer(name, ...args);
		return { result: json(value, encoding, /^(set|ping|flushall)$/i.test(name)) };
	} catch (error) {
		if (error.name !== 'ReplyError') throw error;
		return { error: error.message };
	}
}

const routes = {
	'/': (command, encoding) => run(command, encoding),
	'/pipeline': (commands, encoding) => Promise.all(commands.map((command) => run(command, encoding))),
	'/multi-exec': async (commands, encoding) => {
		const results = await redis.multi(commands.map(([name, ...args]) => ['callBuffer', name, ...args])).exec();
		return results.map(([error, value]) => (error ? { error: error.message } : { result: json(value, encoding) }));
	},
};

async function answer(request) {
	if (request.headers.authorization !== `Bearer ${token}`) return [401, { error: 'Unauthorized' }];
	if (request.url === '/sync-token') return [200, { result: lastSyncToken }];
	const route = routes[request.url];
	if (!route || request.method !== 'POST') return [404, { error: 'ERR no such path' }];
	lastSyncToken = request.headers['upstash-sync-token'] ?? '';
	try {
		const body = await route(JSON.parse(await text(request)), request.headers['upstash-encoding']);
		return [body.error ? 400 : 200, body];
	} catch {
		return [503, { error: 'ERR the database cannot be reached' }];
	}
}

createServer(async (request, response) => {
	const [status, body] = await answer(request);
	response.writeHead(status, { 'content-type': 'application/json', 'upstash-sync-token': `${++answers}` });
	response.end(JSON.stringify(body));
}).listen(Number(port), '127.0.0.1');
