// What two have changed at once is merged alike in both languages.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { load } from '../lib/astro-package.mjs';

const { Changes, merge } = await load('session/merge.js');
const { parse, readEntries, stringify } = await load('session/record.js');
const cases = JSON.parse(readFileSync(new URL('../../crates/cloakroom-session/tests/data/merge.json', import.meta.url), 'utf8'));

/** The moment of all cases. */
const NOW = 1_795_431_615_459;

test(`the ${cases.length} vectors of the Rust side`, async () => {
	for (const { name, base, changes: made, theirs, merged } of cases) {
		const changes = new Changes();
		const ours = readEntries(base, NOW);
		for (const change of made) {
			if ('delete' in change) {
				changes.delete(change.delete, false);
				ours.delete(change.delete);
			} else {
				changes.set(change.set, { isLoaded: change.loaded, wasRead: false });
				ours.set(change.set, { data: parse(change.value), expires: change.expires });
			}
		}
		const result = await merge({ base: readEntries(base, NOW), ours, changes, theirs: readEntries(theirs, NOW), conflict: 'error' });
		assert.equal(stringify(result), merged, name);
	}
});

test('a key that was read and set, and that another has changed, is a conflict', async () => {
	const entries = (value) => new Map([['cart', { data: value, expires: undefined }]]);
	const changes = new Changes();
	changes.set('cart', { isLoaded: true, wasRead: true });
	const of = { base: entries(['hat']), ours: entries(['hat', 'boots']), changes, theirs: entries(['hat', 'coat']) };
	await assert.rejects(merge({ ...of, conflict: 'error' }), { name: 'SessionConflictError', status: 409, key: 'cart' });
	assert.deepEqual((await merge({ ...of, conflict: 'merge' })).get('cart').data, ['hat', 'boots']);
	assert.deepEqual((await merge({ ...of, theirs: entries(['hat']), conflict: 'error' })).get('cart').data, ['hat', 'boots']);
});

test('a value that was changed in its place is a change of a key that was read', async () => {
	const entries = (value) => new Map([['cart', { data: value, expires: undefined }]]);
	const of = { base: entries(['hat']), ours: entries(['hat', 'boots']), changes: new Changes() };
	assert.deepEqual((await merge({ ...of, theirs: entries(['hat']), conflict: 'error' })).get('cart').data, ['hat', 'boots']);
	await assert.rejects(merge({ ...of, theirs: entries([]), conflict: 'error' }), { name: 'SessionConflictError' });
});

test('an update is made anew on what another has stored, and keeps its time to live', async () => {
	const changes = new Changes();
	changes.update('count', (count = 0) => count + 1);
	changes.update('count', async (count) => count * 10);
	const entries = (data, expires) => new Map([['count', { data, expires }]]);
	const merged = await merge({ base: entries(1), ours: entries(20), changes, theirs: entries(4, NOW + 1), conflict: 'error' });
	assert.deepEqual(merged, entries(50, NOW + 1));
});
