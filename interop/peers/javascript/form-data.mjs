// What `Request.formData()` makes of bodies: a list of `[content type, [bytes]]` in, a list of fields or `null` out.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

const read = async ([type, bytes]) => {
	const request = new Request('http://localhost', { method: 'POST', headers: { 'content-type': type }, body: Uint8Array.from(bytes) });
	const form = await request.formData().catch(() => null);
	const value = async (value) => (typeof value === 'string' ? value : { name: value.name, type: value.type, bytes: [...new Uint8Array(await value.arrayBuffer())] });
	return form && Promise.all([...form].map(async ([name, field]) => [name, await value(field)]));
};

createServer(async (request, response) => {
	const answers = await Promise.all((await json(request)).map(read));
	const body = Buffer.from(JSON.stringify(answers));
	response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length, connection: 'close' }).end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
