// What Astro's own actions make of forms: a list of `[type, [[name, text]]]` in, a list of values or of
// the places of what is wrong out. The types are those of `cloakroom-actions/tests/astro.rs`.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { defineAction } from '../../node_modules/astro/dist/actions/runtime/server.js';
import { z } from 'astro/zod';

const edit = z.discriminatedUnion('kind', [
	z.object({ kind: z.literal('create'), name: z.string(), age: z.number(), ok: z.boolean(), tags: z.array(z.string()), sizes: z.array(z.number()), opt: z.number().optional() }),
	z.object({ kind: z.literal('update'), id: z.number(), town: z.object({ name: z.string() }).optional() }),
]);

const types = {
	edit,
	page: z.object({ title: z.string(), edit }),
	defaults: z.object({ news: z.boolean().default(true), tags: z.array(z.string()).default(['a']), name: z.string().default('n'), plain: z.boolean(), list: z.array(z.number()) }),
	names: z.object({ 'user[name]': z.string(), 'user[age]': z.number(), 'a.b': z.string(), 'tags[]': z.array(z.number()), c: z.object({ 'd[]': z.array(z.string()) }) }),
	number: z.object({ value: z.number() }),
};

const read = async ([type, fields]) => {
	const form = new FormData();
	for (const [name, text] of fields) form.append(name, text);
	const action = defineAction({ accept: 'form', input: types[type], handler: (input) => input });
	try {
		return { value: await action.orThrow.call({}, form) };
	} catch (error) {
		return { places: error.issues.map(({ path }) => path) };
	}
};

createServer(async (request, response) => {
	const answers = await Promise.all((await json(request)).map(read));
	// As texts, so that nobody rounds a number twice.
	const body = Buffer.from(JSON.stringify(answers, (_, value) => (typeof value === 'number' ? `#${value}` : value)));
	response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length, connection: 'close' }).end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
