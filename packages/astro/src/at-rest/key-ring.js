// The keys of a store: the first seals, all open.
import { keyBytes, named } from './encryption-key.js';

/** @typedef {import('./encryption-key.js').EncryptionKey} EncryptionKey */

/**
 * A list of keys, or one text with commas between them, or one that spells the list in JSON, as a variable has it.
 * @param {string | string[]} keys
 * @param {string} of What the keys are of, for errors, which show none of them.
 * @returns {Promise<EncryptionKey[]>}
 */
export function keyRing(keys, of) {
	const texts = typeof keys === 'string' ? listed(keys) : keys;
	const refuse = (/** @type {string} */ why) => {
		throw new Error(`[cloakroom] ${of}: ${why}.`);
	};
	const ring = texts.map((text, index) => {
		try {
			return keyBytes(text);
		} catch (error) {
			return refuse(`number ${index + 1}: ${/** @type {Error} */ (error).message}`);
		}
	});
	if (ring.length === 0) refuse('there is no key, and one is needed to seal with (`openssl rand -base64 32` makes one)');
	if (new Set(ring.map(String)).size < ring.length) refuse('a key is there twice: each is needed once');
	return Promise.all(ring.map(named));
}

/** @param {string} text @returns {string[]} */
function listed(text) {
	try {
		const list = JSON.parse(text);
		if (Array.isArray(list)) return list.map(String);
	} catch {
		// Most are no JSON.
	}
	return text.split(',').filter((key) => key.trim() !== '');
}
