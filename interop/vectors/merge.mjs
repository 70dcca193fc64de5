// Makes the cases of crates/cloakroom-session/tests/data/merge.json: a record as it was loaded, what one request did to it,
// and what another has stored meanwhile. What becomes of that is what Rust says; see crates/cloakroom-session/src/record/merge.rs.
//
//     npm ci && node vectors/merge.mjs > ../crates/cloakroom-session/tests/data/merge.json
//     UPDATE_VECTORS=1 cargo test -p cloakroom-session merge
import { stringify } from 'devalue';

const LATER = 1_795_431_700_000;
const PAST = 1_795_431_600_000;
const reducers = { URL: (value) => value instanceof URL && value.href };
const record = (entries) =>
	stringify(new Map(Object.entries(entries).map(([key, [data, expires]]) => [key, { data, expires }])), reducers);
const set = (key, value, { expires, loaded = true } = {}) => ({ set: key, value: stringify(value, reducers), expires, loaded });
const remove = (key) => ({ delete: key });
const cases = [];
const add = (name, base, changes, theirs) => cases.push({ name, base: record(base), changes, theirs: record(theirs), merged: '' });

const one = { cart: [['hat']] };
const two = { cart: [['hat']], theme: ['dark'] };
add('another key was set', one, [set('user', { name: 'Ada' })], two);
add('the same key was set', two, [set('theme', 'light')], { cart: [['hat']], theme: ['blue'] });
add('what was set there stays where it is', two, [set('cart', [])], { theme: ['dark'], cart: [['boots']], last: [1] });
add('a key that was deleted there', two, [set('user', 1)], one);
add('a key that is set again, and was deleted there', two, [set('theme', 'light')], one);
add('a key that is deleted', two, [remove('cart')], { ...two, last: [1] });
add('a key that is deleted, and was changed there', two, [remove('cart')], { ...two, cart: [['hat', 'boots']] });
add('a key that is deleted, and was deleted there', two, [remove('cart')], { theme: ['dark'] });
add('a key that is deleted and set again goes to the end', two, [remove('cart'), set('cart', 1)], { ...two, last: [1] });
add('what was set before the load comes first', two, [set('user', 1, { loaded: false })], { ...two, last: [1] });
add('what was set before the load, and is there', two, [set('theme', 'light', { loaded: false })], { ...two, last: [1] });
add('what was deleted and set before the load', two, [remove('theme'), set('theme', 1, { loaded: false })], two);
add('set before the load, and deleted after it', two, [set('user', 1, { loaded: false }), remove('user')], two);
add('set before the load, and again after it', two, [set('user', 1, { loaded: false }), set('user', 2)], two);
add('several that are new keep their order', one, [set('b', 1), set('a', 2), set('c', 3), set('a', 4)], two);
add('first, kept and last at once', two, [set('f', 1, { loaded: false }), set('theme', 2), remove('cart'), set('cart', 3)], {
	x: [1],
	...two,
});
add('what has expired there goes', two, [set('user', 1)], { old: [1, PAST], ...two });
add('what expires later stays', two, [set('user', 1, { expires: LATER })], { soon: [1, LATER], ...two });
add('an expired key that is set again', { old: [1, PAST], ...one }, [set('old', 2)], { old: [1, PAST], ...two });
add('nothing is there any more', two, [set('user', 1)], {});
add('all is deleted', two, [remove('cart'), remove('theme')], two);
add('our own notes stay', one, [set('user', 1)], { 'cloakroom.created': [1_795_431_000_000], ...two });
add('values that are shared', { a: ['x'], b: ['x'] }, [set('c', 'x')], { a: ['x'], b: ['x'], d: ['x'] });
add('shared with what goes', { a: ['x'], b: ['x'] }, [remove('a')], { a: ['x'], b: ['x'], c: ['x'] });
add('every kind of value', one, [set('url', new URL('https://example.org/a?b'))], {
	cart: [new Map([[1, new Set([2n])]])],
	when: [new Date(1_795_431_615_459)],
	nothing: [undefined],
	zero: [-0],
	infinite: [Infinity],
	not: [NaN],
	expression: [/a+/gi],
	bytes: [new Uint8Array([1, 2, 3])],
});
const cycle = { name: 'cycle' };
cycle.self = cycle;
add('a cycle there', one, [set('user', 1)], { loop: [cycle], ...two });
add('a cycle here', one, [set('loop', cycle)], two);
add('names that need care', { __: [1] }, [set('"quoted"', 1), set('', 2), set('ü\u{1f3a9}', 3)], { '<b>': [1], __: [1] });

// A small seeded generator (mulberry32), so that the file is reproducible.
let state = 7;
function random(below) {
	state = (state + 0x6d2b79f5) | 0;
	let t = Math.imul(state ^ (state >>> 15), 1 | state);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
}
const pick = (list) => list[random(list.length)];
const values = [1, 'dark', ['hat'], { name: 'Ada' }, null, undefined, new Date(0), true, 'dark', [['hat'], 'x']];
for (let index = 0; index < 60; index++) {
	const names = ['a', 'b', 'c', 'd', 'e'];
	const some = () => Object.fromEntries(names.filter(() => random(3) > 0).map((key) => [key, [pick(values), pick([undefined, undefined, PAST, LATER])]]));
	const base = some();
	const theirs = random(2) ? { ...base, ...some() } : some();
	let loaded = random(2) > 0;
	const changes = Array.from({ length: 1 + random(5) }, () => {
		loaded ||= random(3) === 0;
		return random(3) ? set(pick([...names, 'f', 'g']), pick(values), { loaded, expires: pick([undefined, LATER]) }) : remove(pick(names));
	});
	add(`at random, ${index}`, base, changes, theirs);
}
console.log(JSON.stringify(cases, null, 2));
