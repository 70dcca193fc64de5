// What a request did to its session, per key, and how that goes onto a record that another has written since. The Rust
// side has the same rules: `vectors/merge.json` is run by both.
import { SessionConflictError } from './errors.js';
import { copy, stringify } from './record.js';

/** @typedef {import('./record.js').Entry} Entry */
/**
 * A change of one key.
 *
 * `place`: `first` for what was set before the record was loaded, since Astro merges what it loads into what it has;
 * `kept` for what stays where the key stood, or is new; `last` for what was deleted before it was set again.
 * `wasRead`: the handler had read the key before, or updated it, so that the value may have been made of what it saw.
 * `updates`: how to make the value anew of what is there.
 * @typedef {{ isDeleted: boolean, place: 'first' | 'kept' | 'last', wasRead: boolean, updates: Array<(value: any) => any> | null }} Change
 */

/** Whether the handler has the value: it read it, or an update gave it. @param {Change | undefined} before */
const hasSeen = (before) => before !== undefined && (before.wasRead || before.updates !== null);

export class Changes {
	/** In the order in which the keys first changed. @type {Map<string, Change>} */
	byKey = new Map();

	get isEmpty() {
		return this.byKey.size === 0;
	}

	/** @param {string} key @param {{ isLoaded: boolean, wasRead: boolean }} seen */
	set(key, { isLoaded, wasRead }) {
		const before = this.byKey.get(key);
		if (before?.isDeleted) this.byKey.delete(key);
		const place = before && !before.isDeleted ? before.place : !isLoaded ? 'first' : before ? 'last' : 'kept';
		this.byKey.set(key, { isDeleted: false, place, wasRead: wasRead || hasSeen(before), updates: null });
	}

	/** @param {string} key @param {boolean} wasRead */
	delete(key, wasRead) {
		const before = this.byKey.get(key);
		this.byKey.set(key, {
			isDeleted: true,
			place: before?.place ?? 'kept',
			wasRead: wasRead || hasSeen(before),
			updates: null,
		});
	}

	/** Forgets what was stored; of a key that was updated again since, the updates that are in it. @param {Map<string, Change>} sent */
	forget(sent) {
		for (const [key, change] of sent) {
			const now = this.byKey.get(key);
			if (now === change) this.byKey.delete(key);
			else if (now?.updates && change.updates) now.updates.splice(0, change.updates.length);
		}
	}

	/** @param {string} key @param {(value: any) => any} change */
	update(key, change) {
		const before = this.byKey.get(key);
		if (before && before.updates === null) return this.set(key, { isLoaded: true, wasRead: before.wasRead });
		this.byKey.set(key, {
			isDeleted: false,
			place: before?.place ?? 'kept',
			wasRead: false,
			updates: [...(before?.updates ?? []), change],
		});
	}
}

/**
 * The entries of a newer record with a request's changes on top.
 *
 * @param {object} of
 * @param {Map<string, Entry>} of.base What the request had loaded.
 * @param {Map<string, Entry>} of.ours What it made of that.
 * @param {Changes} of.changes What it changed by a call. A value that was read and changed in its place counts, too.
 * @param {Map<string, Entry>} of.theirs What is stored now.
 * @param {'error' | 'merge'} of.conflict Whether a key that was read, and changed by both, is an error.
 * @returns {Promise<Map<string, Entry>>}
 * @throws {SessionConflictError}
 */
export async function merge({ base, ours, changes, theirs, conflict }) {
	const all = new Map(changes.byKey);
	for (const [key, entry] of ours) {
		if (!all.has(key) && !isEqual(entry, base.get(key))) {
			all.set(key, { isDeleted: false, place: 'kept', wasRead: true, updates: null });
		}
	}
	/** @type {Map<string, Entry>} */
	const values = new Map();
	for (const [key, change] of all) {
		if (change.updates) {
			values.set(key, await updated(theirs.get(key), change.updates, ours.get(key)));
			continue;
		}
		if (conflict === 'error' && change.wasRead && !isEqual(theirs.get(key), base.get(key))) {
			throw new SessionConflictError(key);
		}
		const entry = ours.get(key);
		if (!change.isDeleted && entry) values.set(key, entry);
	}
	/** @type {Map<string, Entry>} */
	const merged = new Map();
	const add = (/** @type {string} */ key) => {
		const entry = values.get(key);
		if (entry && !merged.has(key)) merged.set(key, entry);
	};
	for (const [key, { place }] of all) if (place === 'first') add(key);
	for (const [key, entry] of theirs) {
		const change = all.get(key);
		if (!change) merged.set(key, entry);
		else if (change.place === 'kept') add(key);
	}
	for (const key of all.keys()) add(key);
	return merged;
}

/**
 * The entry with this value made anew. One that is there keeps its own time to live.
 * @param {Entry | undefined} theirs @param {Array<(value: any) => any>} updates @param {Entry | undefined} ours
 */
async function updated(theirs, updates, ours) {
	let data = theirs?.data;
	for (const update of updates) data = copy(await update(data));
	return { data, expires: theirs ? theirs.expires : ours?.expires };
}

/** @param {Entry | undefined} one @param {Entry | undefined} other */
export const isEqual = (one, other) => one === other || (!!one && !!other && stringify(one) === stringify(other));
