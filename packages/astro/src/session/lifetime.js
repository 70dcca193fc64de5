// When a session ends by itself: after a time without use, and after a time whatever its use.

/** The entry that says when a session was created, where an absolute timeout needs it. */
export const CREATED = 'cloakroom.created';

/** The entry that says that a session outlives the browser. */
export const REMEMBER = 'cloakroom.remember';

/** The library's own notes: these, and those of the Rust side, which are carried along. */
const OWN = new Set([CREATED, REMEMBER, 'cloakroom.principal', 'cloakroom.authenticated', 'cloakroom.indexed']);

/** Whether an entry is none of the site's. @param {string} key */
export const isOwn = (key) => OWN.has(key);

/**
 * The configured limits, in seconds.
 * @typedef {{ idle?: number, absolute?: number, remember?: number, touchInterval?: number, ttl?: number }} Limits
 */

/**
 * How long the store has to keep a record, in seconds; `undefined` for ever.
 * @param {Map<string, import('./record.js').Entry>} entries
 * @param {Limits} limits
 * @param {number} now Milliseconds since 1970.
 * @param {number | undefined} ends When the record ends that stands there, where somebody else has decided that.
 */
export function timeToLive(entries, limits, now, ends) {
	const idle = idleOf(entries, limits);
	const left = [entriesEnd(entries, limits, now), idle, absoluteLeft(entries, limits, now)];
	const known = left.filter((seconds) => seconds !== undefined);
	if (known.length > 0) return Math.max(0, Math.min(...known));
	return ends === undefined ? undefined : Math.max(0, (ends - now) / 1000);
}

/** How much later than the last entry a record may end that ends because of its entries, in milliseconds. */
const SLACK = 2000;

/**
 * When a record ends, where that is not because its entries do.
 * @param {Map<string, import('./record.js').Entry>} entries Those that it has.
 * @param {Limits} limits @param {number} now @param {number | undefined} ends
 */
export function endOfOthers(entries, limits, now, ends) {
	const left = entries.size > 0 ? entriesEnd(entries, limits, now) : undefined;
	const isOfEntries = left !== undefined && ends !== undefined && ends >= now + left * 1000 - SLACK;
	return isOfEntries ? undefined : ends;
}

/** Whether a session outlives the browser. @param {Map<string, import('./record.js').Entry>} entries */
export const isRemembered = (entries) => entries.get(REMEMBER)?.data === true;

/** The idle timeout of this session. @param {Map<string, import('./record.js').Entry>} entries @param {Limits} limits */
export function idleOf(entries, limits) {
	return (isRemembered(entries) ? limits.remember : undefined) ?? limits.idle;
}

/**
 * How long it is until the absolute timeout, in seconds.
 * @param {Map<string, import('./record.js').Entry>} entries @param {Limits} limits @param {number} now
 */
export function absoluteLeft(entries, limits, now) {
	if (limits.absolute === undefined) return undefined;
	const created = createdAt(entries) ?? now;
	// A moment in the future comes from a clock that is ahead, and makes nobody live longer.
	return limits.absolute - Math.max(0, now - created) / 1000;
}

/** @param {Map<string, import('./record.js').Entry>} entries */
export function createdAt(entries) {
	const created = entries.get(CREATED)?.data;
	return typeof created === 'number' ? created : undefined;
}

/**
 * How long it is until the last entry expires; `undefined` where one never does.
 * @param {Map<string, import('./record.js').Entry>} entries @param {Limits} limits @param {number} now
 */
function entriesEnd(entries, limits, now) {
	let last;
	for (const [key, entry] of entries) {
		if (isOwn(key)) continue;
		// Also what is no number of JavaScript's that a clock reaches.
		if (typeof entry?.expires !== 'number' || !Number.isFinite(entry.expires)) return undefined;
		last = Math.max(last ?? 0, entry.expires);
	}
	return last === undefined ? limits.ttl : (last - now) / 1000;
}
