// Before fake-gcs-server: `node gcs-front.mjs PORT TARGET [TOKEN] [terse]`. It adds what that server leaves out of Google's:
// conditions on every change, metagenerations, an answer of its own for a bucket that is not there, and, with a token, a
// service that gives it and that nobody is let in without. A terse one tells no metadata in the headers of a download.
import { createServer } from 'node:http';

const [port, target, token, terse] = process.argv.slice(2);
const metagenerations = new Map();
const buckets = new Set();

function refuse(code, reason, message) {
	return Response.json({ error: { code, message, errors: [{ domain: 'global', reason, message }] } }, { status: code });
}

/** The object as JSON has it, with the metageneration that it has here. */
function counted(bucket, object) {
	const id = JSON.stringify([bucket, object.name, object.generation]);
	return { ...object, metageneration: String(metagenerations.get(id) ?? 1) };
}

async function find(bucket, name) {
	const answer = await fetch(`${target}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`);
	return answer.ok ? counted(bucket, await answer.json()) : undefined;
}

async function isThere(bucket) {
	if (!buckets.has(bucket) && (await fetch(`${target}/storage/v1/b/${bucket}`)).ok) buckets.add(bucket);
	return buckets.has(bucket);
}

/** The name in the first part of an upload. */
function uploaded(body) {
	return JSON.parse(body.toString().split('\r\n\r\n')[1].split('\r\n')[0]).name;
}

async function answer({ method, url, headers }, body) {
	if (token && url === '/token') return Response.json({ access_token: token, token_type: 'Bearer', expires_in: 3600 });
	if (token && headers.authorization !== `Bearer ${token}`) return refuse(401, 'authError', 'Invalid Credentials');
	const { pathname, searchParams } = new URL(url, target);
	const [, bucket, encoded] = pathname.match(/^(?:\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/) ?? [];
	if (!bucket) return refuse(404, 'notFound', 'Not Found');
	if (!(await isThere(bucket))) return refuse(404, 'notFound', 'The specified bucket does not exist.');

	const name = method === 'POST' ? uploaded(body) : encoded && decodeURIComponent(encoded);
	const found = name && (await find(bucket, name));
	if (name && !found && method !== 'POST') {
		const message = `No such object: ${bucket}/${name}`;
		// To who asks for the bytes it answers with bytes.
		if (searchParams.get('alt') === 'media') return new Response(message, { status: 404 });
		return refuse(404, 'notFound', message);
	}
	for (const [condition, actual] of [
		['ifGenerationMatch', found?.generation ?? '0'],
		['ifMetagenerationMatch', found?.metageneration],
	]) {
		const holds = (searchParams.get(condition) ?? actual) === actual;
		if (!holds) return refuse(412, 'conditionNotMet', 'The condition does not hold.');
		searchParams.delete(condition);
	}

	const type = headers['content-type'];
	const forwarded = await fetch(`${target}${pathname}?${searchParams}`, {
		method,
		body: body.length > 0 ? body : undefined,
		headers: type ? { 'content-type': type } : {},
	});
	if (!forwarded.ok) return forwarded;
	if (method === 'DELETE') return new Response(null, { status: 204 });
	if (method === 'PATCH') {
		const id = JSON.stringify([bucket, name, found.generation]);
		metagenerations.set(id, Number(found.metageneration) + 1);
	}
	if (searchParams.get('alt') === 'media') {
		const told = new Headers(forwarded.headers);
		told.set('x-goog-metageneration', found.metageneration);
		if (terse) [...told.keys()].filter((key) => key.startsWith('x-goog-meta-')).forEach((key) => told.delete(key));
		return new Response(forwarded.body, { headers: told });
	}
	const json = await forwarded.json();
	if (name) return Response.json(counted(bucket, json));
	return Response.json({ ...json, items: json.items?.map((item) => counted(bucket, item)) });
}

// One request after the other: what is compared is still so when it is changed.
let last = Promise.resolve();
createServer(async (request, response) => {
	const body = Buffer.concat(await Array.fromAsync(request));
	const answered = last.then(async () => {
		const given = await answer(request, body);
		return { status: given.status, headers: given.headers, bytes: Buffer.from(await given.arrayBuffer()) };
	});
	last = answered.catch(() => {});
	const { status, headers, bytes } = await answered;
	for (const name of ['connection', 'content-length', 'transfer-encoding']) headers.delete(name);
	response.writeHead(status, Object.fromEntries(headers));
	response.end(bytes);
}).listen(Number(port), '127.0.0.1');
