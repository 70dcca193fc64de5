// Makes crates/serde_devalue/tests/data/random.json: random values of every kind as the real devalue writes them, and
// damaged texts with what devalue makes of them. The same arguments always give the same output.
//
//     npm ci && node vectors/random.mjs > ../crates/serde_devalue/tests/data/random.json
//
// For a long comparison: node vectors/random.mjs <values> <damaged texts> <seed> <longest text>

import { readFileSync } from 'node:fs';
import { parse, stringify } from 'devalue';

const [values = 180, damaged = 120, seed = 3, longest = 2000] = process.argv.slice(2).map(Number);

/** Astro's. */
const reducers = { URL: (value) => value instanceof URL && value.href };
const revivers = { URL: (href) => new URL(href) };

// A small seeded generator (mulberry32).
let state = seed;
function random() {
	state = (state + 0x6d2b79f5) | 0;
	let t = Math.imul(state ^ (state >>> 15), 1 | state);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit) => Math.floor(random() * limit);
const pick = (choices) => choices[below(choices.length)];
const chance = (probability) => random() < probability;
const many = (limit, item) => Array.from({ length: below(limit) }, item);

const fragments = [
	'a', 'b', 'then', 'data', '0', '-1', ' ', '"', '\\', '/', '<', '</script>', '>', '&', "'", '`', '\u0000', '\u0001', '\b', '\t',
	'\n', '\u000b', '\f', '\r', '\u001f', '\u007f', '\u0080', '\u0085', '\u009f', '\u00a0', 'é', 'ß', '\u2027', '\u2028', '\u2029', '\u202a',
	'日', '\ud7ff', '\ue000', '\ufeff', '\uffff', '😀', '𐀀', '\u{10ffff}', '\ud800', '\udbff', '\udc00', '\udfff', '\\u003C', '\\ud83d'
];
const string = () => (chance(0.2) ? String.fromCharCode(...many(6, () => below(2 ** 16))) : many(5, () => pick(fragments)).join(''));

const names = [
	'a', 'b', 'c', 'id', 'toString', 'constructor', 'hasOwnProperty', '__proto', '', ' ', '0', '1', '2', '10', '01', '-0', '-1', '1.5', '1e3',
	'4294967293', '4294967294', '4294967295', '4294967296', '9007199254740993', 'NaN', 'Infinity'
];
const name = () => {
	const made = chance(0.3) ? string() : chance(0.3) ? String(below(120)) : pick(names);
	return made === '__proto__' ? 'proto' : made;
};

const bits = new DataView(new ArrayBuffer(8));
function anyDouble() {
	bits.setUint32(0, below(2 ** 32));
	bits.setUint32(4, below(2 ** 32));
	return bits.getFloat64(0);
}
function near(number) {
	bits.setFloat64(0, number);
	bits.setBigUint64(0, BigInt.asUintN(64, bits.getBigUint64(0) + BigInt(below(7) - 3)));
	return bits.getFloat64(0);
}
const edges = [1e21, 1e-6, 1e-7, 2 ** 53, 2 ** 63, 2 ** 64, 2 ** 31, 2 ** 32, 0.1, 1, 123456789012345680000, Number.MIN_VALUE, 2 ** -1022, Number.MAX_VALUE, 5e-324, 1e23];
const number = () =>
	pick([
		() => pick([NaN, Infinity, -Infinity, -0, 0, 1, -1, -2, -6, -7]),
		() => below(100) - 20,
		() => 2 ** 53 - 3 + below(7),
		() => anyDouble(),
		() => near(pick(edges)) * pick([1, -1]),
		() => Number(`${below(1000)}e${below(640) - 330}`),
		() => below(1e6) / 10 ** below(9)
	])();

const bigint = () => {
	let integer = 0n;
	for (let limbs = pick([0, 1, 2, 4, 40]); limbs > 0; limbs -= 1) integer = integer * 4294967296n + BigInt(below(2 ** 32));
	return pick([integer, -integer, BigInt(below(20) - 10)]);
};
const primitive = () => pick([number, number, string, string, bigint, () => pick([undefined, null, true, false])])();

const date = () =>
	new Date(
		pick([
			() => NaN,
			() => (random() * 2 - 1) * 8.64e15,
			() => pick([0, -1, 1, 8.64e15, -8.64e15, -62167219200000, -62167219200001, 253402300799999, 253402300800000, 951782400000]),
			() => below(2 ** 32) * 1000 - 2 ** 40
		])()
	);
const sources = ['', '/', 'a/b', '[/]', '\\/', '\\\\', '<b>', '"', '\n', '\r', '\u2028', '\\n', '\\u2028', '😀', '\ud83d', '(?<year>\\d{4})', '[^\\]]+', '\t', '\u0000'];
function regexp() {
	const flags = [...'dgimsy'].filter(() => chance(0.3)).join('') + pick(['', '', 'u', 'v']);
	try {
		return new RegExp(many(4, () => pick(sources)).join(''), flags);
	} catch {
		return new RegExp(pick(['a', '<', '\n']), flags);
	}
}
const urls = [
	'https://example.com', 'https://example.com/a?b=<c>&d="#e<f>', 'HTTP://Ex.COM:80/%7e/../b c', 'data:,<é\u2028', 'mailto:a@b', 'file:///C|/x',
	'https://日本.example/ü?ü#ü', 'file:////a//b', 'file://h/C:/x', 'https://user:p%40ss@h:8080/', 'blob:https://a/b', 'javascript:alert(1)', 'http://[::1]/', 'http://0x7f.1/', 'x:\ud800'
];
const url = () => (chance(0.5) ? new URL(pick(urls)) : new URL(`${pick(['', '?', '#'])}a${string()}`, 'https://e.example/p/q?r'));
const searchParams = () => new URLSearchParams(many(4, () => [string(), string()]));
const boxed = () => {
	const content = primitive();
	return content === null || content === undefined ? Object(false) : Object(content);
};

const views = [
	Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array,
	BigUint64Array, DataView
];
function buffer(made) {
	const buffers = made.filter((one) => one instanceof ArrayBuffer);
	if (buffers.length > 0 && chance(0.6)) return pick(buffers);
	const bytes = Uint8Array.from({ length: pick([0, 1, 2, 3, 7, 8, 16, 24]) }, () => below(256));
	if (chance(0.2)) return Buffer.from(bytes).buffer.slice(0, 16);
	if (chance(0.5)) made.push(bytes.buffer);
	return bytes.buffer;
}
function view(made) {
	const View = pick(views);
	const size = View.BYTES_PER_ELEMENT ?? 1;
	const of = buffer(made);
	const offset = below(Math.floor(of.byteLength / size) + 1) * size;
	const rest = Math.floor((of.byteLength - offset) / size);
	if (chance(0.1)) return Buffer.from(new Uint8Array(of));
	return of.byteLength % size === 0 && chance(0.4) ? new View(of) : new View(of, offset, below(rest + 1));
}

/** An array with holes: what is written depends on its length, and on how many items there are. */
function sparse(inner, keep) {
	const length = pick([below(12), below(40), below(130), below(1100), below(2 ** 32)]);
	const array = keep([]);
	array.length = length;
	for (let count = below(length > 40 ? 9 : length); count > 0; count -= 1) array[below(length)] = inner();
	return array;
}

/** A value of any kind; what is in `made` may come again, so that values are shared and refer to themselves. */
function value(depth, made) {
	if (made.length > 0 && chance(0.15)) return pick(made);
	if (depth === 0 || chance(0.2)) return primitive();
	const inner = () => value(depth - 1, made);
	const keep = (one) => {
		made.push(one);
		return one;
	};
	// Kept before it is filled, so that cycles come about.
	const fill = (container, add) => {
		keep(container);
		for (let count = below(pick([3, 5, 5, 30])); count > 0; count -= 1) add(container);
		return container;
	};
	return pick([
		() => fill([], (array) => array.push(inner())),
		() => sparse(inner, keep),
		() => fill({}, (object) => (object[name()] = inner())),
		() => fill({}, (object) => (object[name()] = inner())),
		() => fill(Object.create(null), (object) => (object[name()] = inner())),
		() => fill(new Map(), (map) => map.set(inner(), inner())),
		() => fill(new Set(), (set) => set.add(inner())),
		() => keep(date()),
		() => keep(regexp()),
		() => keep(boxed()),
		() => keep(url()),
		() => keep(searchParams()),
		() => keep(buffer(made)),
		() => keep(view(made)),
		() => keep(view(made))
	])();
}

/** A session's record: a Map of entries, which share what they hold. Its keys are text that UTF-8 can hold. */
function session(depth) {
	const made = [];
	const entry = () => ({ data: value(depth, made), expires: pick([undefined, 1795686400000, number()]) });
	return new Map(many(5, () => [string().toWellFormed(), entry()]));
}

/** A value and its text, if that is not long. */
function written(make) {
	for (;;) {
		const one = make();
		const wire = stringify(one);
		if (wire.length <= longest) return { one, wire };
	}
}

const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null|[[\]{},:]/g;
const oddNumbers = ['-1', '-2', '-3', '-4', '-5', '-6', '-7', '-8', '0', '1', '2', '3', '99', '0.5', '1.0', '-0', '1e0', '1e400', '1E1', '4294967295', '4294967296'];
const oddLiterals = [
	'null', 'true', 'false', '""', '"x"', '[]', '{}', '[1]', '"__proto__"', '"toString"', '"0"', '"\\u0041\\/"', '"\\ud800"', '"NaN"',
	'"1970-01-01T00:00:00.000Z"', '"2020-02-30"', '"2020-01-01T00:00:00"', '"AQI"', '"A-_="', '"gi"', '"gg"', '"0x1F"', '" 7 "', '"-0"', '"1_0"',
	'"a=%zz&b=+&=&c"', '"https://E.example:443/%2e/b"', '"//"',
	'"Date"', '"Set"', '"Map"', '"null"', '"Object"', '"BigInt"', '"RegExp"', '"ArrayBuffer"', '"Uint8Array"', '"Int16Array"', '"DataView"', '"URL"',
	'"URLSearchParams"', '"Temporal.PlainDate"', '"Unknown"'
];

/** One small piece of damage to a text. */
function damage(wire) {
	const parts = wire.match(tokens) ?? [''];
	const at = below(parts.length);
	const numbers = parts.flatMap((part, index) => (/^-?\d/.test(part) ? [index] : []));
	const strings = parts.flatMap((part, index) => (part.startsWith('"') ? [index] : []));
	const swap = (places) => {
		if (places.length === 0) return;
		const [one, other] = [pick(places), pick(places)];
		[parts[one], parts[other]] = [parts[other], parts[one]];
	};
	const replace = (places, by) => {
		if (places.length > 0) parts[pick(places)] = pick(by);
	};
	pick([
		() => parts.splice(at),
		() => parts.splice(at, 1),
		() => parts.splice(at, 0, pick([' ', '\n', '\t\r', ',', '\ufeff', '\u00a0', '\u0000'])),
		() => swap(numbers),
		() => swap(numbers),
		() => swap(strings),
		() => replace(numbers, oddNumbers),
		() => replace(numbers, oddNumbers),
		() => replace(numbers, oddLiterals),
		() => replace(strings, oddLiterals),
		() => replace(strings, oddLiterals),
		() => replace(strings, strings.map((index) => parts[index])),
		() => replace(strings, oddNumbers),
		() => {
			// A second property of the same name, or a further argument.
			const ends = parts.flatMap((part, index) => (part === '}' || part === ']' ? [index] : []));
			const end = pick(ends) ?? parts.length;
			const key = parts[end] === '}' ? `${parts[pick(strings)]}:` : '';
			parts.splice(end, 0, ',', key + pick([...oddNumbers, ...oddLiterals]));
		},
		() => {
			// Two slots change places, and everything that refers to them still does, or does not.
			try {
				const slots = JSON.parse(wire);
				const [one, other] = [below(slots.length), below(slots.length)];
				[slots[one], slots[other]] = [slots[other], slots[one]];
				parts.splice(0, Infinity, JSON.stringify(slots));
			} catch {}
		}
	])();
	return parts.join('');
}

/** What devalue makes of a text, or null. */
function again(wire, revivers, reducers) {
	try {
		return stringify(parse(wire, revivers), reducers);
	} catch {
		return null;
	}
}

const writtenCases = Array.from({ length: values }, () => {
	const isSession = chance(0.3);
	const { one, wire } = written(() => (isSession ? session(below(3)) : value(1 + below(6), [])));
	const astro = stringify(one, reducers);
	return { session: isSession || undefined, wire, astro: astro === wire ? undefined : astro };
});
const damagedCases = Array.from({ length: damaged }, () => {
	let { wire } = written(() => value(1 + below(4), []));
	for (let count = 1 + below(2); count > 0; count -= 1) wire = damage(wire);
	const plain = again(wire, revivers);
	const astro = again(wire, revivers, reducers);
	return { wire, plain, astro: astro === plain ? undefined : astro };
});

const home = import.meta.resolve('devalue').replace(/(\/node_modules\/devalue\/).*/, '$1');
const { version } = JSON.parse(readFileSync(new URL('package.json', home)));
const lines = (cases) => cases.map((one) => JSON.stringify(one)).join(',\n');
process.stdout.write(`{"devalue": "${version}", "written": [\n${lines(writtenCases)}\n], "damaged": [\n${lines(damagedCases)}\n]}\n`);
