// Cloudflare's HTTP API of its key-value store, as it is documented, over workerd's real store by miniflare:
// `node cloudflare-kv.mjs PORT ACCOUNT NAMESPACE TOKEN`.
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Miniflare } from 'miniflare';

const [port, account, namespace, token] = process.argv.slice(2);
const root = `/client/v4/accounts/${account}/storage/kv/namespaces/${namespace}`;
const miniflare = new Miniflare({
	host: '127.0.0.1',
	modules: true,
	script: '',
	kvNamespaces: { STORE: namespace },
	kvPersist: 'kv',
});
const store = await miniflare.getKVNamespace('STORE');

const success = (result, more) => [200, { success: true, errors: [], messages: [], result: result ?? null, ...more }];
const failure = (status, code, message) => [status, { success: false, errors: [{ code, message }], messages: [], result: null }];
const missing = () => failure(404, 10009, "get: 'key not found'");

/** What a list says of one key. */
async function listed(name) {
	const { keys } = await store.list({ prefix: name, limit: 10 });
	return keys.find((key) => key.name === name);
}

/** Why an expiration cannot be one. */
function refusal(ttl, expiration) {
	if (ttl !== undefined && !(Number(ttl) >= 60)) return `Invalid expiration_ttl of ${ttl}. Expiration TTL must be at least 60.`;
	const isEarly = expiration !== undefined && !(Number(expiration) >= Date.now() / 1000 + 60);
	if (ttl === undefined && isEarly) return `Invalid expiration of ${expiration}. Please specify integer greater than the current number of seconds since the UNIX epoch.`;
}

const lifetime = (ttl, expiration) =>
	ttl !== undefined ? { expirationTtl: Number(ttl) } : expiration !== undefined ? { expiration: Number(expiration) } : {};

async function values(method, key, query, body) {
	if (Buffer.byteLength(key) > 512) return failure(414, 10030, 'key is too long');
	if (method === 'GET') {
		const value = await store.get(key, 'arrayBuffer');
		const { expiration } = (await listed(key)) ?? {};
		if (value === null) return missing();
		return [200, Buffer.from(value), { 'content-type': 'application/octet-stream', ...(expiration && { expiration }) }];
	}
	if (method === 'DELETE') return success(await store.delete(key));
	const { expiration_ttl: ttl, expiration } = query;
	const message = refusal(ttl, expiration);
	if (message) return failure(400, 10000, message);
	return success(await store.put(key, body, lifetime(ttl, expiration)));
}

async function bulk(pairs) {
	for (const { expiration_ttl: ttl, expiration } of pairs) {
		const message = refusal(ttl, expiration);
		if (message) return failure(400, 10000, message);
	}
	for (const { key, value, base64, expiration_ttl: ttl, expiration, metadata } of pairs) {
		await store.put(key, base64 ? Buffer.from(value, 'base64') : value, { ...lifetime(ttl, expiration), metadata });
	}
	return success({ successful_key_count: pairs.length, unsuccessful_keys: [] });
}

async function answer(request) {
	const { pathname, searchParams } = new URL(request.url, 'http://localhost');
	if (request.headers.authorization !== `Bearer ${token}`) return failure(403, 10000, 'Authentication error');
	if (!pathname.startsWith(`${root}/`)) return failure(404, 10013, "get: 'namespace not found'");
	const [route, ...rest] = pathname.slice(root.length + 1).split('/');
	const key = decodeURIComponent(rest.join('/'));
	const query = Object.fromEntries(searchParams);
	const body = await buffer(request);
	switch (`${request.method} ${rest.length ? `${route}/` : route}`) {
		case 'GET values/':
		case 'PUT values/':
		case 'DELETE values/':
			return values(request.method, key, query, body);
		case 'GET metadata/': {
			const found = await listed(key);
			return found ? success(found.metadata) : missing();
		}
		case 'GET keys': {
			const { keys, cursor, list_complete } = await store.list({ ...query, limit: Number(query.limit ?? 1000) });
			return success(keys, { result_info: { count: keys.length, cursor: list_complete ? '' : cursor } });
		}
		case 'PUT bulk':
			return bulk(JSON.parse(body));
		case 'POST bulk/': {
			if (key !== 'delete') break;
			const keys = JSON.parse(body);
			for (const name of keys) await store.delete(name);
			return success({ successful_key_count: keys.length, unsuccessful_keys: [] });
		}
	}
	return failure(405, 10405, 'Method not allowed');
}

createServer(async (request, response) => {
	const [status, body, headers] = await answer(request).catch((error) => failure(500, 10001, `${error}`));
	response.writeHead(status, headers ?? { 'content-type': 'application/json' });
	response.end(headers ? body : JSON.stringify(body));
}).listen(Number(port), '127.0.0.1');
