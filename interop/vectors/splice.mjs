// Makes crates/serde_devalue/tests/data/splice.json: session records, changes to them, and the bytes that the real
// devalue writes afterwards. Always the same output for the same version of devalue.
//
//     npm ci && node vectors/splice.mjs > ../crates/serde_devalue/tests/data/splice.json

import { readFileSync } from 'node:fs';
import { parse, stringify } from 'devalue';

const reducers = { URL: (value) => value instanceof URL && value.href };
const revivers = { URL: (href) => new URL(href) };

/** What an Astro session does: parse, `set` and `delete` on the Map, stringify. */
function change(record, operations) {
	const map = parse(record, revivers);
	for (const operation of operations) {
		if ('set' in operation) {
			const expires = operation.expires ?? undefined;
			map.set(operation.set, { data: parse(operation.value, revivers), expires });
		} else {
			map.delete(operation.delete);
		}
	}
	return stringify(map, reducers);
}

// A small seeded generator (mulberry32), so that the file is reproducible.
let state = 1;
function random() {
	state = (state + 0x6d2b79f5) | 0;
	let t = Math.imul(state ^ (state >>> 15), 1 | state);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit) => Math.floor(random() * limit);
const pick = (choices) => choices[below(choices.length)];

const keys = ['cart', 'user', 'lastVisit', 'settings:sizes', '0', '10', '__proto__', '', 'a<b', 'é\u2028', '"\\\n', '😀'];
const names = ['id', 'name', 'data', 'expires', '2', '10', 'a b', 'a<b', 'cart', 'é', '"'];
const primitives = [
	undefined, null, true, false, NaN, Infinity, -Infinity, -0,
	0, 1, -1, -2, -7, 42, 0.1, -0.5, 1e21, 1e-7, 2 ** 53, 123456789012345680000, 1.7976931348623157e308,
	0n, 1n, -1n, 12345678901234567890n,
	'', 'cart', 'user', 'data', 'apple', '1', '-1', 'true', '</script>', '\u0000\u001f\b\f\n\r\t"\\/', '\u2028\u2029\u007f', '日本😀', '\ud83d', 'x\udc00y', '["BigInt","1"]'
];
const views = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView];

/** A value of any type; what is in `made` may come again, so that values share containers. */
function value(depth, made) {
	if (made.length > 0 && random() < 0.15) return pick(made);
	if (depth === 0 || random() < 0.45) return pick(primitives);
	const inner = () => value(depth - 1, made);
	const many = (item) => Array.from({ length: below(4) }, item);
	const keep = (container) => {
		made.push(container);
		return container;
	};
	// Kept before it is filled, so that cycles come about.
	const fill = (container, add) => {
		keep(container);
		for (let count = below(4); count > 0; count -= 1) add(container);
		return container;
	};
	switch (below(15)) {
		case 0: return fill([], (array) => array.push(inner()));
		case 1: return fill([], (array) => (array[below(4)] = inner()));
		case 2: return fill([], (array) => (array[below(60)] = inner()));
		case 3:
		case 4: return fill({}, (object) => (object[pick(names)] = inner()));
		case 5: return fill(Object.create(null), (object) => (object[pick(names)] = inner()));
		case 6: return fill(new Map(), (map) => map.set(inner(), inner()));
		case 7: return fill(new Set(), (set) => set.add(inner()));
		case 8: return keep(random() < 0.2 ? new Date(NaN) : new Date(below(2 ** 31) * 1000 + below(1000)));
		case 9: return keep(pick([/a/, /<b>/gi, /"\\\//u, /\n/]));
		case 10: return keep(new URL(pick(['https://example.com/', 'https://shop.example.com/a?b=<c>#d', 'data:,é'])));
		case 11: return keep(new URLSearchParams(many(() => [pick(names), pick(['1', '<', '&'])])));
		case 12: return keep(Object(pick([true, 1, 'cart', '', 7n, 0.5, NaN, -0])));
		case 13: return keep(Uint8Array.from(many(() => below(256))).buffer);
		default: {
			const buffers = made.filter((one) => one instanceof ArrayBuffer && one.byteLength === 16);
			const buffer = buffers.length > 0 && random() < 0.7 ? pick(buffers) : keep(new ArrayBuffer(16));
			const View = pick(views);
			return keep(random() < 0.5 ? new View(buffer) : new View(buffer, 8, 8 / (View.BYTES_PER_ELEMENT ?? 1)));
		}
	}
}

const wire = (depth) => stringify(value(depth, []), reducers);
const expiry = () => (random() < 0.3 ? pick([1795686400000, 1795431615459, 1, 0.5]) : null);

const cases = [];
function add(name, record, operations) {
	const expected = change(record, operations);
	cases.push({ name, record, operations, expected });
	return expected;
}

const set = (key, data, expires = null) => ({ set: key, value: stringify(data, reducers), expires });
const remove = (key) => ({ delete: key });

const empty = stringify(new Map());
const two = add('set two keys of an empty session', empty, [set('cart', ['apple', 'pear']), set('user', { name: 'Ann' })]);
add('overwrite the first key: it keeps its place', two, [set('cart', ['plum'])]);
add('delete, then set: it moves to the end', two, [remove('cart'), set('cart', ['plum'])]);
add('delete the last key', two, [remove('user')]);
add('delete every key', two, [remove('user'), remove('cart')]);
add('delete a key that is not there', two, [remove('nothing')]);
add('a value that is shared with a key', two, [set('name', 'cart'), set('apple', 'apple')]);
add('an expiry that is shared with a number', two, [set('count', 60000, 60000), set('other', 1, 60000)]);
for (const primitive of primitives) {
	add(`set ${typeof primitive} ${stringify(primitive)}`, two, [set('a', primitive), set('b', [primitive, { primitive }])]);
}
for (const key of keys) {
	add(`the key ${JSON.stringify(key)}`, two, [set(key, { [key === '__proto__' ? 'key' : key]: key })]);
}
for (const View of views) {
	const buffer = Uint8Array.from({ length: 16 }, (_, at) => at).buffer;
	const part = new View(buffer, 8, 8 / (View.BYTES_PER_ELEMENT ?? 1));
	add(`views: ${View.name}`, two, [set('views', [part, new View(buffer), buffer]), set('other', new View(buffer))]);
}
const shared = { a: [] };
const cyclic = { shared, again: shared };
cyclic.self = cyclic;
const kept = add('shared and cyclic values', two, [set('cycle', cyclic), set('same', cyclic)]);
add('shared and cyclic values stay as they are', kept, [set('user', 1)]);
add('a shared value stays where its first place goes', stringify(new Map([['a', { data: shared, expires: undefined }], ['b', { data: [shared], expires: undefined }]])), [remove('a')]);
add('a whole entry that is shared', stringify(new Map([['a', shared], ['b', shared], ['c', 1]])), [remove('a')]);
add('an entry without `expires`', '[["Map",1,2],"a",{"data":1}]', [set('b', 'a')]);

// Random walks: the record that comes out is the next one that goes in.
for (let walk = 0; walk < 60; walk += 1) {
	let record = empty;
	for (let step = 0; step < 4; step += 1) {
		const operations = Array.from({ length: 1 + below(3) }, () =>
			random() < 0.25 ? remove(pick(keys)) : { set: pick(keys), value: wire(1 + below(3)), expires: expiry() }
		);
		record = add(`walk ${walk}, step ${step}`, record, operations);
	}
}

const home = import.meta.resolve('devalue').replace(/(\/node_modules\/devalue\/).*/, '$1');
const { version } = JSON.parse(readFileSync(new URL('package.json', home)));
const lines = cases.map((one) => JSON.stringify(one)).join(',\n');
process.stdout.write(`{"devalue": "${version}", "cases": [\n${lines}\n]}\n`);
