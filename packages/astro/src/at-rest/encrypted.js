// Each record of a driver is sealed, so that nobody reads or changes it who has the store alone. The Rust side has the same.
//
// It goes within `hashed-keys.js`, so that what a record is bound to is the key in the store.
import { SessionCorruptError } from '../session/errors.js';
import { keyRing } from './key-ring.js';
import { isSealed } from './mark.js';
import { NONCE, open, seal, Unopened } from './sealed.js';

/**
 * Seals what a driver keeps. What does not open is an error, and stays in the store as it is.
 * @param {import('../session/store.js').Driver} driver
 * @param {object} options
 * @param {string | string[]} options.keys The first seals, all open.
 * @param {boolean} [options.acceptPlain] Whether a record that is not sealed is taken as it is.
 * @param {string} [of] What the keys are of, for errors.
 * @returns {import('../session/store.js').Driver}
 */
export default function encrypted(driver, { keys, acceptPlain = false }, of = '`encryption.keys`') {
	const ring = keyRing(keys, of);
	/** @type {Partial<import('../session/store.js').Driver>} */
	const sealing = {
		async get(key) {
			const item = await driver.get(key);
			if (!item || (acceptPlain && !isSealed(item.text))) return item;
			const text = opened(await ring, key, item.text);
			return { ...item, text };
		},
		async set(key, text, when, ttl) {
			const [first] = await ring;
			return driver.set(key, seal(first, key, crypto.getRandomValues(new Uint8Array(NONCE)), text), when, ttl);
		},
	};
	// All else is the driver's.
	return Object.assign(Object.create(driver), sealing);
}

/** @param {import('./encryption-key.js').EncryptionKey[]} ring @param {string} key @param {string} text */
function opened(ring, key, text) {
	try {
		return open(ring, key, text);
	} catch (error) {
		if (!(error instanceof Unopened)) throw error;
		throw new SessionCorruptError(error, `could not be opened: ${error.message}`);
	}
}
