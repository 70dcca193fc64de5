// One value of every kind that an Astro session can hold on Node 22, by a name that says what it is.

function cyclicObject() {
	const object = { name: 'a cycle' };
	object.self = object;
	return object;
}

function cyclicThroughMapAndSet() {
	const map = new Map();
	map.set('members', new Set([map])).set(map, 'its own key');
	return map;
}

function sharedObject() {
	const address = { city: 'Trondheim', lines: ['Munkegata 1'] };
	return { bill: address, ship: address, again: [address, address.lines] };
}

function arrayWithHoles() {
	const array = ['first'];
	array[3] = 'fourth';
	return array;
}

function sparseArray() {
	const array = [];
	array[1_000_000] = 'far out';
	return array;
}

function nested(depth) {
	let value = 'the innermost';
	for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { value };
	return value;
}

const buffer = Uint8Array.from({ length: 24 }, (_, index) => index * 11).buffer;

export const values = {
	'undefined': undefined,
	'null': null,
	'true': true,
	'false': false,
	'zero': 0,
	'negative zero': -0,
	'NaN': NaN,
	'Infinity': Infinity,
	'negative Infinity': -Infinity,
	'the largest safe integer': Number.MAX_SAFE_INTEGER,
	'the largest number': Number.MAX_VALUE,
	'the smallest number': Number.MIN_VALUE,
	'a number printed with an exponent': 1e21,
	'a small number printed in full': 0.000001,
	'a fraction that binary cannot hold': 0.1 + 0.2,
	'a BigInt': 123456789012345678901234567890n,
	'a negative BigInt': -1n,
	'an empty string': '',
	'a string with markup': '</script><b>&amp; "quoted" \\ \'single\'',
	'a string with an emoji': 'a coat 🧥 and a family 👨‍👩‍👧',
	'a string with line separators': 'one\u2028two\u2029three\nfour\tfive',
	'a string with control characters': '\0\b\f\r\u001f\u007f\u0085\ufeff',
	'a string that looks like JSON': '[["Map",1,2],"a",{"data":3}]',
	'a date': new Date('2026-11-23T10:53:56.318Z'),
	'a date before the year 0': new Date(-62_198_755_200_001),
	'an invalid date': new Date(NaN),
	'a regular expression': /<\/(?<tag>[a-z]+)>\s*"/giu,
	'a URL': new URL('https://user:pw@example.com:8080/a b/%20?q=1&r=<#top'),
	'a URL with an international host': new URL('https://bücher.example/straße'),
	'URL search parameters': new URLSearchParams([['size', '4'], ['size', '5'], ['q', 'a b&c<']]),
	'an array': ['wool', 1, null, undefined, true],
	'an array with holes': arrayWithHoles(),
	'a sparse array': sparseArray(),
	'an object': { name: 'Ada', age: 36, admin: false },
	'an object with integer keys': { b: 1, 2: 'two', a: 2, 0: 'zero', '-1': 'minus', '01': 'padded' },
	'an object with an empty key and a key with markup': { '': 1, '<b>': 2, 'a.b': 3 },
	'an object with undefined in it': { present: undefined, none: [undefined] },
	'an object without a prototype': Object.assign(Object.create(null), { plain: true }),
	'a map': new Map([['coat', 42], ['gloves', 8.5]]),
	'a map with keys of every kind': new Map([[1, 'number'], ['1', 'string'], [null, 'null'], [undefined, NaN], [NaN, undefined], [{ a: 1 }, new Map()]]),
	'a set': new Set(['coats', 'hats', 1, '1', null, undefined, NaN]),
	'an empty map, set, array and object': [new Map(), new Set(), [], {}],
	'a boxed number': Object(42),
	'a boxed string': Object('boxed'),
	'a boxed boolean': Object(false),
	'a boxed BigInt': Object(7n),
	'nested values': { when: new Date(0), where: [new URL('http://localhost/'), new Map([['deep', new Set([[1n]])]])] },
	'values nested 200 deep': nested(200),
	'a shared object': sharedObject(),
	'a cyclic object': cyclicObject(),
	'a map that is its own key, in its own set': cyclicThroughMapAndSet(),
	'two dates that are equal and not the same': [new Date(5), new Date(5)],
	'a date that is shared': ((date) => [date, date])(new Date(5)),
	'an ArrayBuffer': Uint8Array.from([1, 2, 3]).buffer,
	'an empty ArrayBuffer': new ArrayBuffer(0),
	'a Uint8Array': Uint8Array.from([0, 127, 255]),
	'an Int8Array': Int8Array.from([-128, 0, 127]),
	'a Uint8ClampedArray': Uint8ClampedArray.from([0, 300]),
	'an Int16Array': Int16Array.from([-32768, 32767]),
	'a Uint16Array': Uint16Array.from([65535]),
	'an Int32Array': Int32Array.from([-2147483648]),
	'a Uint32Array': Uint32Array.from([4294967295]),
	'a Float32Array': Float32Array.from([1.5, -0, NaN]),
	'a Float64Array': Float64Array.from([Math.PI, Infinity]),
	'a BigInt64Array': BigInt64Array.from([-1n]),
	'a BigUint64Array': BigUint64Array.from([18446744073709551615n]),
	'a typed array over a part of a buffer': new Uint16Array(buffer, 4, 3),
	'two views of one buffer': [new Uint8Array(buffer, 0, 8), new Float64Array(buffer, 8), new DataView(buffer, 3, 5)],
	'a DataView': new DataView(Uint8Array.from([9, 8, 7]).buffer),
};
