// From what a request has changed to the store: one write on the condition that the store still holds what was loaded.
//
// - A record that another has written since is read again, and the changes go on top of it, key by key.
// - A record that is gone before its time stays gone.
// - `regenerate` writes the new record, then retires the old one on the condition of what was copied.
// - What was destroyed is retired whatever was written to it meanwhile.
import { hasPassed } from '../time.js';
import { SessionEndedError, SessionUnavailableError } from './errors.js';
import { CREATED, createdAt, endOfOthers, idleOf, timeToLive } from './lifetime.js';
import { stringify } from './record.js';
import { giveWay, takeTurn } from './turns.js';

/** After this many lost races something else is wrong. */
const ATTEMPTS = 1000;

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./store.js').Store} Store */
/**
 * @typedef {object} Rules
 * @property {import('./lifetime.js').Limits} limits
 * @property {'error' | 'retry' | 'merge'} conflict
 */

/** Loads what the cookie names, once. @param {State} state @param {Store} store @param {Rules} rules */
export async function load(state, store, rules) {
	if (state.known.is !== 'unasked') return;
	if (!state.presented) {
		state.known = { is: 'absent' };
		return;
	}
	const id = state.presented;
	const found = await store.find(id);
	// Another part of the request was faster, or destroyed it meanwhile.
	if (state.known.is !== 'unasked') return;
	if (found.is === 'alive') state.loaded(id, found.item, rules.limits);
	else if (found.is === 'retired') end(state);
	else state.missed();
}

/** Stores what the request changed. @param {State} state @param {Store} store @param {Rules} rules */
export async function commit(state, store, rules) {
	while (state.endings.length > 0) {
		await retireDestroyed(state.endings[0], store);
		state.endings.shift();
	}
	if (state.isChanged) {
		await load(state, store, rules);
		await save(state, store, rules);
	}
	if (!state.wasWritten) await keepAlive(state, store, rules);
}

/**
 * Stores what a page changed that has failed since; no cookie goes with that answer. So a session that would begin, or get
 * a new ID, does not: nobody could name it, and the one that it was to replace would be lost.
 * @param {State} state @param {Store} store @param {Rules} rules
 */
export async function commitFailed(state, store, rules) {
	if (state.isChanged) await load(state, store, rules);
	if (state.known.is === 'new') {
		takeBack(state, store);
		state.forget();
		console.error('[cloakroom] a page failed that had begun a session or given it a new ID: nothing that it set was saved.');
	}
	await commit(state, store, rules);
}

/** @param {State} state @param {Store} store @param {Rules} rules */
async function save(state, store, rules) {
	let conflicts = 0;
	let endTurn;
	try {
		while (state.isChanged) {
			if (conflicts > ATTEMPTS) throw new SessionUnavailableError('be written to', 'too many others write to it');
			if (conflicts > 0) {
				if (!state.hasTurn) endTurn ??= await takeTurn(state.stored?.id ?? '');
				if (conflicts > 1) await giveWay(conflicts);
				await lookAgain(state, store, rules);
				if (!state.isChanged) return;
			}
			if (rules.conflict !== 'merge') state.check();
			const isDone = state.known.is === 'new' ? await writeNew(state, store, rules) : await writeStored(state, store, rules);
			if (isDone) return;
			conflicts++;
		}
	} catch (error) {
		takeBack(state, store);
		throw error;
	} finally {
		endTurn?.();
	}
}

/** @param {State} state @param {Store} store @param {Rules} rules */
async function writeStored(state, store, rules) {
	if (state.known.is !== 'stored') return true;
	const { known } = state;
	const sent = new Map(state.changes.byKey);
	const written = await put(state, store, rules, known.id, { version: known.item.version });
	if (written) state.saved(known, written, sent);
	return written !== null;
}

/** @param {State} state @param {Store} store @param {Rules} rules */
async function writeNew(state, store, rules) {
	if (state.known.is !== 'new') return true;
	const { known } = state;
	const when = known.written ? { version: known.written.version } : 'absent';
	known.isSent = true;
	const sent = new Map(state.changes.byKey);
	const written = await put(state, store, rules, known.id, when);
	if (!written) {
		// Nobody else knows the ID.
		if (!known.left && state.known === known) state.begin();
		return false;
	}
	known.written = written;
	const { left } = known;
	if (left && !(await retireLeft(state, store, left))) return false;
	state.saved(known, written, sent);
	return true;
}

/**
 * Retires what `regenerate` leaves. Not where it has changed since it was copied.
 * @param {State} state @param {Store} store @param {import('./state.js').Left} left
 */
async function retireLeft(state, store, left) {
	try {
		return await store.retire(left.id, { version: left.item.version }, 'moved', left.by);
	} catch (error) {
		// Whether it was retired is not known: it is looked at once, and else both are there for a moment.
		const found = await store.find(left.id).catch(() => undefined);
		if (!found) {
			retireLater(left, 'moved', store);
			return true;
		}
		if (found.is === 'retired' && found.by === left.by) return true;
		if (found.is === 'alive' && found.item.text === left.item.text) throw error;
		return false;
	}
}

/** Looks what others have made of the record, and decides anew. @param {State} state @param {Store} store @param {Rules} rules */
async function lookAgain(state, store, rules) {
	const { stored } = state;
	if (!stored) return;
	const found = await store.find(stored.id);
	if (found.is === 'alive') return state.rebase(found.item, rules.conflict === 'merge' ? 'merge' : 'error');
	// What has expired is not destroyed: what was set begins a new session.
	if (found.is === 'missing' && hasPassed(stored.item.ends)) {
		takeBack(state, store);
		return state.missed();
	}
	const isNew = state.known.is === 'new';
	takeBack(state, store);
	end(state);
	// Of two logins one wins, and the other must not pass for done.
	if (isNew) throw new SessionEndedError();
}

/** Another retired the session. Whoever wanted an update is told. @param {State} state */
function end(state) {
	const hasUpdates = [...state.changes.byKey.values()].some(({ updates }) => updates !== null);
	state.ended();
	if (hasUpdates) throw new SessionEndedError();
}

/** Removes a new record that will not be, and goes back to the session that it was to replace. @param {State} state @param {Store} store */
function takeBack(state, store) {
	if (state.known.is !== 'new') return;
	const { id, left, isSent } = state.known;
	// Nobody can name it. What cannot be removed is left to its deadline.
	if (isSent) store.remove(id).catch(() => {});
	state.known = left ? { is: 'stored', id: left.id, item: left.item } : { is: 'absent' };
}

/**
 * Retires a session as it is now. Not where it has changed since it was looked at.
 * @param {{ id: string, by: string }} session @param {'moved' | 'destroyed'} fate @param {Store} store
 */
async function retire({ id, by }, fate, store) {
	const found = await store.look(id);
	if (found.is === 'unreadable') return store.retire(id, 'always', fate, by);
	// Nothing is stored under an ID that somebody made up, not even a tombstone.
	return found.is !== 'alive' || store.retire(id, { version: found.item.version }, fate, by);
}

/** @param {{ id: string, by: string }} ending @param {Store} store */
async function retireDestroyed(ending, store) {
	const { id, by } = ending;
	let seen;
	for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
		const found = await store.look(id);
		if (found.is === 'missing' || found.is === 'retired') return;
		const item = found.is === 'alive' ? found.item : undefined;
		// Bytes that are no text equal nothing that was read.
		const when = !item || item.text === seen ? 'always' : { version: item.version };
		if (await store.retire(id, when, 'destroyed', by)) return;
		seen = item?.text;
		await giveWay(Math.min(attempt, 4));
	}
	throw new SessionUnavailableError('retire a session', 'too many others write to it');
}

/** How often a session is tried to be retired behind the request's back, each time after twice as long. */
const LATER = 9;

/**
 * Retires a session that could not be retired yet: nothing that the response waits for.
 * @param {{ id: string, by: string }} session @param {'moved' | 'destroyed'} fate @param {Store} store
 */
export function retireLater(session, fate, store, attempt = 0) {
	if (attempt === LATER) return;
	const again = () => {
		const isDone = retire(session, fate, store).catch(() => false);
		isDone.then((isDone) => isDone || retireLater(session, fate, store, attempt + 1));
	};
	const timer = setTimeout(again, 250 * 2 ** attempt);
	// It keeps no process from ending.
	/** @type {{ unref?: () => void }} */ (timer).unref?.();
}

/**
 * Writes the entries as they are.
 * @param {State} state @param {Store} store @param {Rules} rules
 * @param {string} id @param {import('./store.js').Condition} when
 */
function put(state, store, rules, id, when) {
	const now = Date.now();
	// A deadline that the driver sets anew at every write is nobody's limit.
	const ends = store.driver.ttl === undefined ? state.stored?.item.ends : undefined;
	if (rules.limits.absolute !== undefined && createdAt(state.entries) === undefined) {
		state.entries.set(CREATED, { data: now, expires: undefined });
	}
	const others = ends === undefined ? undefined : endOfOthers(state.base, rules.limits, now, ends);
	return store.write(id, stringify(state.entries), when, timeToLive(state.entries, rules.limits, now, others));
}

/**
 * A session in use is not idle: what was read is written again, to end later. On the condition that nobody has written since,
 * as a newer record may live longer, and what was retired must not. A failure costs the request nothing: it changed nothing
 * that anybody asked for.
 * @param {State} state @param {Store} store @param {Rules} rules
 */
async function keepAlive(state, store, { limits }) {
	const { known, entries } = state;
	if (known.is !== 'stored' || !store.driver.expires) return;
	const idle = idleOf(entries, limits);
	if (idle === undefined) return;
	const now = Date.now();
	const left = known.item.ends === undefined ? 0 : (known.item.ends - now) / 1000;
	const ttl = timeToLive(entries, limits, now, known.item.ends);
	if (ttl === undefined || ttl - left < (limits.touchInterval ?? Math.min(60, idle / 10))) return;
	const { item } = known;
	const kept = await store
		.write(known.id, item.text, { version: item.version }, ttl)
		.catch((error) => console.warn(`[cloakroom] ${error.message}`));
	if (!kept) return;
	state.wasWritten = true;
	if (state.stored?.id === known.id) state.stored.item = kept;
}
