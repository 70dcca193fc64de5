// Measures devalue as Astro uses it: `node codec.mjs FOLDER MILLISECONDS`. Each line `OPERATION PAYLOAD` is answered with
// the nanoseconds that the operation takes, measured for about so long.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [folder, milliseconds] = process.argv.slice(2);
const interop = createRequire(new URL('../../interop/package.json', import.meta.url));
const { parse, stringify } = await import(pathToFileURL(interop.resolve('devalue')));

// Astro's.
const revivers = { URL: (href) => new URL(href) };
const reducers = { URL: (value) => value instanceof URL && value.href };

const payloads = new Map();
function payload(name) {
	if (!payloads.has(name)) {
		const text = readFileSync(`${folder}/${name}.json`, 'utf8');
		payloads.set(name, { text, value: parse(text, revivers) });
	}
	return payloads.get(name);
}

let turn = 0;
const operations = {
	parse: ({ text }) => parse(text, revivers),
	stringify: ({ value }) => stringify(value, reducers),
	change: ({ text }) => {
		const record = parse(text, revivers);
		record.set('csrf', { data: `csrf-${turn++}`, expires: undefined });
		return stringify(record, reducers);
	},
};

let sink;
for await (const line of createInterface({ input: process.stdin })) {
	const [name, of] = line.split(' ');
	const operation = operations[name];
	const input = payload(of);
	const end = process.hrtime.bigint() + BigInt(milliseconds) * 1_000_000n;
	const begin = process.hrtime.bigint();
	let times = 0;
	let now;
	do {
		for (let i = 0; i < 16; i++) sink = operation(input);
		times += 16;
		now = process.hrtime.bigint();
	} while (now < end);
	console.log(Number(now - begin) / times);
}
if (sink === undefined) console.error('nothing was measured');
