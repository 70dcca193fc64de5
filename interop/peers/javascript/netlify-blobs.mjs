// Netlify's own server of blobs, for development, on 127.0.0.1: `node netlify-blobs.mjs PORT TOKEN`. What it leaves out of
// what its own client expects of the service is added: ETags on reads, a decoded key, one request after the other, and an
// ETag that is never the same again; and a prefix in a list that is asked of the API is heard. With `as-it-is` behind the
// token nothing is added: so it serves sites in development.
import { Server } from 'node:net';
import { stat } from 'node:fs/promises';
import { BlobsServer } from '@netlify/blobs/server';

const [port, token, how] = process.argv.slice(2);

// Unless told, it would listen on every address.
const { listen } = Server.prototype;
Server.prototype.listen = function (port, then) {
	return listen.call(this, port, '127.0.0.1', then);
};

const isAsItIs = how === 'as-it-is';
const writes = new Map();
if (!isAsItIs) {
	BlobsServer.generateETag = async (path) => {
		const { mtimeNs } = await stat(path, { bigint: true }).catch(() => ({}));
		return mtimeNs === undefined ? '' : `"${mtimeNs}-${writes.get(path) ?? 0}"`;
	};
}

class Blobs extends BlobsServer {
	#last = Promise.resolve();

	handleRequest(request) {
		const answer = this.#last.then(() => this.#answer(request));
		this.#last = answer.catch(() => {});
		return answer;
	}

	async #answer(request) {
		const response = await super.handleRequest(request);
		if (!/^(GET|HEAD|PUT)$/.test(request.method) || response.status !== 200) return response;
		const isSigning = request.method !== 'HEAD' && this.parseAPIRequest(request);
		const url = this.parseAPIRequest(request)?.url ?? new URL(request.url, this.address);
		const { dataPath, key } = this.getLocalPaths(url);
		if (isSigning || !key) return response;
		if (request.method === 'PUT') writes.set(dataPath, (writes.get(dataPath) ?? 0) + 1);
		const headers = new Headers(response.headers);
		headers.set('etag', await BlobsServer.generateETag(dataPath));
		return new Response(response.body, { status: 200, headers });
	}

	// It takes a query for a part of the store's name.
	parseAPIRequest({ url, headers }) {
		const [path, query] = url.split('?');
		const match = super.parseAPIRequest({ url: path, headers });
		new URLSearchParams(query).forEach((value, name) => match?.url.searchParams.set(name, value));
		return match;
	}

	getLocalPaths(url) {
		const pathname = url.pathname.split('/').map(decodeURIComponent).join('/');
		return super.getLocalPaths({ pathname });
	}
}

const server = new (isAsItIs ? BlobsServer : Blobs)({ directory: 'blobs', port: Number(port), token });
await server.start();
server.address = `http://127.0.0.1:${port}`;
