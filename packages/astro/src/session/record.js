// The stored text: devalue's form of `Map<key, { data, expires }>`, as Astro writes and reads it.
import * as devalue from 'devalue';
import { isSealed } from '../at-rest/mark.js';
import { SessionCorruptError } from './errors.js';

/** @typedef {{ data: unknown, expires?: number }} Entry */

// Astro reads and writes URLs through these two, which gives them another form than devalue's own.
const reducers = { URL: (/** @type {unknown} */ value) => value instanceof URL && value.href };
const revivers = { URL: (/** @type {string} */ href) => new URL(href) };

/** @param {unknown} value */
export const stringify = (value) => devalue.stringify(value, reducers);

/** @param {string} text */
export const parse = (text) => devalue.parse(text, revivers);

/**
 * A value that shares nothing with this one.
 * @template T
 * @param {T} value
 * @returns {T}
 */
export const copy = (value) => parse(stringify(value));

/** Why a record is none to a site that seals nothing. */
const SEALED = 'is sealed, and this site has no keys: it needs the `encryption` that the servers beside it have';

/**
 * The entries that have not expired at this moment.
 * @param {string} text
 * @param {number} now Milliseconds since 1970.
 * @returns {Map<string, Entry>}
 */
export function readEntries(text, now) {
	let entries;
	try {
		entries = parse(text);
	} catch (cause) {
		throw new SessionCorruptError(cause, isSealed(text) ? SEALED : undefined);
	}
	if (!(entries instanceof Map)) throw new SessionCorruptError();
	for (const [key, entry] of entries) {
		// Astro's rule.
		if (typeof entry?.expires === 'number' && entry.expires < now) entries.delete(key);
	}
	return entries;
}
