// unstorage's own HTTP server, over its own driver for memory: `node http-server.mjs PORT [TOKEN]`. With a token, it
// authorises nobody who does not bear it.
import { createServer } from 'node:http';
import { createStorage } from 'unstorage';
import memory from 'unstorage/drivers/memory';
import { createStorageServer } from 'unstorage/server';

const [port, token] = process.argv.slice(2);
const { handle } = createStorageServer(createStorage({ driver: memory() }), {
	authorize({ event }) {
		if (token && event.node.req.headers.authorization !== `Bearer ${token}`) throw new Error('Unauthorized');
	},
});
createServer(handle).listen(Number(port), '127.0.0.1');
