// Vercel's emulator of Azure Cosmos DB: `node cosmosdb.mjs PORT KEY`. It keeps its data in memory.
//
// The emulator authorises everybody, so Microsoft's own client says here which signature a request should have; and it says
// that it is reached by HTTPS, whose certificate nobody trusts. To a write of a document that is not there it answers with a
// 404 without the code that the service puts into each.
import { createHttpServer } from '@vercel/cosmosdb-server';

// The client does not export its signing.
const { generateHeaders } = await import(new URL('dist/esm/utils/headers.js', packageOf('@azure/cosmos')));
const MISSING = JSON.stringify({ code: 'NotFound', message: 'Entity with the specified id does not exist in the system.' });
const [port, key] = process.argv.slice(2);

const server = createHttpServer({ keepAlive: true });
const [answer] = server.listeners('request');
server.removeAllListeners('request');
server.on('request', async (request, response) => {
	const { kind, link } = resource(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
	const date = new Date(request.headers['x-ms-date']);
	const { authorization } = await generateHeaders(key, request.method, kind, link, date);
	if (request.headers.authorization !== authorization) {
		response.writeHead(401, { 'content-type': 'application/json' });
		response.end(JSON.stringify({ code: 'Unauthorized', message: 'The signature is another one.' }));
		return;
	}
	const end = response.end.bind(response);
	response.end = (body) => {
		if (response.statusCode === 404 && body === '{"message":""}') return end(MISSING);
		return end(kind === '' ? body.replaceAll('https://', 'http://') : body);
	};
	answer(request, response);
});
server.listen(Number(port), '127.0.0.1');

/** What a path leads to: `/dbs/a/colls` to the databases' `colls`, `/dbs/a/colls/b` to one of them. */
function resource(path) {
	const parts = path.split('/').filter(Boolean);
	const isFeed = parts.length % 2 === 1;
	return { kind: parts.at(isFeed ? -1 : -2) ?? '', link: (isFeed ? parts.slice(0, -1) : parts).join('/') };
}

function packageOf(name) {
	const main = import.meta.resolve(name);
	return main.slice(0, main.indexOf(name) + name.length + 1);
}
