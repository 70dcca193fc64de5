// A server of one's own that has the site as its middleware.
import { createServer } from 'node:http';
import { handler } from './dist-middleware/server/entry.mjs';

const server = createServer((request, response) => {
	handler(request, response, () => response.writeHead(404).end());
});
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
