// Before a server of Deno KV: `node denokv-front.mjs PORT URL TOKEN`. As Deno Deploy does, it gives tokens of its own that
// count for a while only, here for three requests; and with each of them the database is at another place.
import { createServer } from 'node:http';

const [port, url, token] = process.argv.slice(2);
const REQUESTS = 3;
let [number, left] = [0, 0];

async function exchange(request, body) {
	const { method, headers } = request;
	const answer = await fetch(url, { method, body, headers });
	if (!answer.ok) return answer;
	number += 1;
	left = REQUESTS;
	const endpoints = [
		{ url: `./nearby/${number}`, consistency: 'eventual' },
		{ url: `./data/${number}`, consistency: 'strong' },
	];
	return Response.json({ ...(await answer.json()), token: `token-${number}`, endpoints });
}

async function forward(request, body) {
	const [, place, method] = request.url.match(/^\/databases\/data\/(\d+)\/(\w+)$/) ?? [];
	const counts = request.headers.authorization === `Bearer token-${place}` && Number(place) === number && left > 0;
	if (!counts) return new Response('Invalid access token.', { status: 401 });
	left -= 1;
	const headers = { ...request.headers, authorization: `Bearer ${token}` };
	return fetch(`${url}/v2/${method}`, { method: 'POST', body, headers });
}

createServer(async (request, response) => {
	const body = Buffer.concat(await Array.fromAsync(request));
	for (const name of ['host', 'connection', 'content-length', 'transfer-encoding']) delete request.headers[name];
	const answer = await (request.url === '/databases/connect' ? exchange : forward)(request, body);
	response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
	response.end(Buffer.from(await answer.arrayBuffer()));
}).listen(Number(port), '127.0.0.1');
