// What one request knows of its session. It does no I/O: `commit.js` asks the store and says here what came of it.
import { absoluteLeft } from './lifetime.js';
import { SessionConflictError } from './errors.js';
import { Changes, isEqual, merge } from './merge.js';
import { readEntries } from './record.js';
import { newRetirement } from './tombstone.js';

/** @typedef {import('./record.js').Entry} Entry */
/** @typedef {import('./store.js').Item} Item */
/**
 * A session whose ID `regenerate` leaves.
 * @typedef {{ id: string, item: Item, by: string }} Left
 */
/**
 * Which session this is, as far as the request knows.
 * - `unasked`: whatever the cookie says.
 * - `absent`: there is none, or none any more.
 * - `ended`: another request retired it. Nothing is saved, and no cookie is sent.
 * - `new`: it has an ID that nobody was told. `written` is what the store holds of it already, and `isSent` that it may.
 * - `stored`: as it is in the store.
 * @typedef {{ is: 'unasked' } | { is: 'absent' } | { is: 'ended' }
 *   | { is: 'new', id: string, left?: Left, isRegenerated?: boolean, written?: Item, isSent?: boolean }
 *   | { is: 'stored', id: string, item: Item }} Known
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Whether this can be the ID of a session. @param {unknown} id @returns {id is string} */
export const isId = (id) => typeof id === 'string' && UUID.test(id);

/** A record as it was at a moment. Read when somebody asks, as most requests change nothing. */
class Snapshot {
	/** @type {Map<string, Entry> | undefined} */
	#entries;

	/** @param {string} text @param {number} moment In milliseconds since 1970. */
	constructor(text, moment) {
		this.text = text;
		this.moment = moment;
	}

	get entries() {
		return (this.#entries ??= readEntries(this.text, this.moment));
	}
}

/** Where there is no record. */
const NOTHING = { entries: /** @type {Map<string, Entry>} */ (new Map()) };

/** What nobody has stored: the handler was given a value by an update that was then made anew on what another had stored. */
const OUTDATED = { entries: NOTHING.entries };

export class State {
	/** @type {Known} */
	known = { is: 'unasked' };
	/** The entries as handlers see them: what they set, and what was loaded. @type {Map<string, Entry>} */
	entries = new Map();
	changes = new Changes();
	/** The keys whose values the handler has seen, and of which record: it may set what it made of them much later. @type {Map<string, { entries: Map<string, Entry> }>} */
	#reads = new Map();
	/** The record that the changes go on top of, as it was seen last. */
	#snapshot = NOTHING;
	/** What the handler destroyed, to be retired. @type {Array<{ id: string, by: string }>} */
	endings = [];
	/** The handler destroyed a session, so its cookie goes too. */
	isDestroyed = false;
	/** The record was written, if only to live longer, so that a cookie with an age of its own is renewed. */
	wasWritten = false;
	/** The request has its turn among those of this process. */
	hasTurn = false;

	/** @param {string | undefined} presented What the browser's cookie says. */
	constructor(presented) {
		this.hasCookie = presented !== undefined;
		this.presented = isId(presented) ? presented : undefined;
	}

	get id() {
		if (this.known.is === 'new' || this.known.is === 'stored') return this.known.id;
		// What was set goes to the session that the cookie names, as far as anybody knows.
		return this.known.is === 'unasked' && !this.changes.isEmpty ? this.presented : undefined;
	}

	/** Whether `entries` has all there is. */
	get isLoaded() {
		return this.known.is !== 'unasked' || this.presented === undefined;
	}

	/** The session in the store that the changes go on top of: this one, or the one that `regenerate` leaves. */
	get stored() {
		const { known } = this;
		return known.is === 'stored' ? known : known.is === 'new' ? known.left : undefined;
	}

	/** Its entries, as they are stored. */
	get base() {
		return (this.stored ? this.#snapshot : NOTHING).entries;
	}

	/** Whether a commit has something to store. */
	get isChanged() {
		// As in Astro, a new ID is written even where there is no data.
		return !this.changes.isEmpty || (this.known.is === 'new' && this.known.isRegenerated === true);
	}

	/** The handler has ended the session, or given it a new ID, and the store does not know yet. */
	get isAhead() {
		return this.endings.length > 0 || (this.known.is === 'new' && this.isChanged);
	}

	/** The handler sees this key's value. @param {string} key */
	read(key) {
		this.#reads.set(key, this.#snapshot);
	}

	/** @param {string} key @param {Entry} entry */
	set(key, entry) {
		this.changes.set(key, { isLoaded: this.isLoaded, wasRead: this.#reads.has(key) });
		this.#put(key, entry);
	}

	/** @param {string} key @param {Entry} entry @param {(value: any) => any} change */
	update(key, entry, change) {
		this.changes.update(key, change);
		if (this.#reads.has(key)) this.read(key);
		this.#put(key, entry);
	}

	/** @param {string} key @param {Entry} entry */
	#put(key, entry) {
		if (this.known.is === 'absent' || (this.known.is === 'unasked' && this.presented === undefined)) this.begin();
		this.entries.set(key, entry);
	}

	/** @param {string} key */
	delete(key) {
		// Where there is no session there is nothing to delete; not even an empty record is left behind.
		if (this.isLoaded && !this.entries.has(key)) return;
		this.changes.delete(key, this.#reads.has(key));
		this.entries.delete(key);
	}

	/** A session begins. */
	begin() {
		const isRegenerated = this.known.is === 'new' && this.known.isRegenerated;
		this.known = { is: 'new', id: crypto.randomUUID(), isRegenerated };
	}

	/** The store has this record under the ID. @param {string} id @param {Item} item @param {import('./lifetime.js').Limits} limits */
	loaded(id, item, limits) {
		const now = Date.now();
		const stored = readEntries(item.text, now);
		if ((absoluteLeft(stored, limits, now) ?? 1) <= 0) return this.missed();
		this.known = { is: 'stored', id, item };
		this.#snapshot = new Snapshot(item.text, now);
		for (const [key, entry] of stored) {
			if (!this.changes.byKey.has(key)) this.entries.set(key, entry);
		}
	}

	/** The store knows no such session: what was set begins one. */
	missed() {
		this.known = { is: 'absent' };
		this.#snapshot = NOTHING;
		this.#reads.clear();
		for (const [key, { isDeleted }] of this.changes.byKey) {
			if (isDeleted) this.changes.byKey.delete(key);
		}
		if (!this.changes.isEmpty) this.begin();
	}

	/** Another request has retired the session. */
	ended() {
		this.known = { is: 'ended' };
		this.forget();
	}

	/**
	 * Fails where a change is made of what is not stored any more: the record was looked at again between its read and its set.
	 * @throws {SessionConflictError}
	 */
	check() {
		for (const [key, { wasRead, updates }] of this.changes.byKey) {
			const seen = this.#reads.get(key) ?? this.#snapshot;
			if (!wasRead || updates || seen === this.#snapshot) continue;
			if (seen === OUTDATED || !isEqual(seen.entries.get(key), this.base.get(key))) throw new SessionConflictError(key);
		}
	}

	/**
	 * Another request has written the record since: our changes go on top of that.
	 * @param {Item} item @param {'error' | 'merge'} conflict
	 */
	async rebase(item, conflict) {
		const now = Date.now();
		const { base, entries: ours, changes } = this;
		/** @type {Map<string, import('./merge.js').Change>} */
		let before;
		let merged;
		do {
			before = new Map(changes.byKey);
			merged = await merge({ base, ours, changes, theirs: readEntries(item.text, now), conflict });
			// Another part of the request has ended the session meanwhile.
			if (this.changes !== changes) return;
			// Another part has changed something: that goes on top of the newer record, too.
		} while ([...changes.byKey].some(([key, change]) => before.get(key) !== change));
		for (const [key, { updates }] of changes.byKey) {
			if (updates && !isEqual(merged.get(key), ours.get(key))) this.#reads.set(key, OUTDATED);
		}
		this.entries = merged;
		this.#snapshot = new Snapshot(item.text, now);
		if (this.stored) this.stored.item = item;
	}

	/**
	 * These changes are stored, and not those that came while they were.
	 * @param {{ id: string }} known What was known when they were sent.
	 * @param {Item} item @param {Map<string, import('./merge.js').Change>} sent
	 */
	saved(known, item, sent) {
		if (this.known === known) this.known = { is: 'stored', id: known.id, item };
		// Another part of the request has given it a new ID meanwhile: that one is written next.
		else if (this.stored?.id === known.id) this.stored.item = item;
		// Another part has ended it.
		else return;
		const before = this.#snapshot;
		this.#snapshot = new Snapshot(item.text, Date.now());
		this.changes.forget(sent);
		// What is new in the record is this request's own.
		for (const [key, seen] of this.#reads) if (seen === before) this.read(key);
		for (const [key, { wasRead, updates }] of sent) {
			// What the handler makes of its own value later is made of what is stored now.
			if ((wasRead || updates) && this.#reads.get(key) !== OUTDATED) this.read(key);
		}
		this.wasWritten = true;
	}

	/** The handler ends the session: nothing from before reaches what comes after. */
	destroy() {
		const { known } = this;
		const isStored = known.is === 'stored' || (known.is === 'new' && known.isSent);
		const id = isStored ? known.id : known.is === 'unasked' ? this.presented : undefined;
		if (known.is === 'new' && known.left) this.endings.push({ id: known.left.id, by: known.left.by });
		if (id) this.endings.push({ id, by: newRetirement() });
		if (known.is !== 'ended') this.known = { is: 'absent' };
		this.isDestroyed = true;
		this.forget();
	}

	/** The handler wants a new ID for what there is, which is loaded. */
	regenerate() {
		const { known } = this;
		// It is being stored under an ID that nobody was told.
		if (known.is === 'new' && known.isSent) return;
		const left = known.is === 'new' ? known.left : undefined;
		const id = crypto.randomUUID();
		const stored = known.is === 'stored' ? { id: known.id, item: known.item, by: newRetirement() } : left;
		this.known = { is: 'new', id, left: stored, isRegenerated: true };
	}

	/** No entry is known, and none was changed. */
	forget() {
		this.entries = new Map();
		this.changes = new Changes();
		this.#reads.clear();
	}
}
