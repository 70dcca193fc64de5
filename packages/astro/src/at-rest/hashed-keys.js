// The store's keys are hashes of the sessions' IDs, so that what is read in the store is no cookie. Cloakroom's Rust side has
// the same: `docs/at-rest.md` writes it down.
//
// By WebCrypto, which is wherever sites run; Node's own is not.

/** The variable that the Rust side reads, too. */
export const SECRET = 'CLOAKROOM_SESSION_HASH_IDS_SECRET';

/** The bytes of the shortest secret that is one. */
const SHORTEST_SECRET = 16;

const ALGORITHM = { name: 'HMAC', hash: 'SHA-256' };

/**
 * Keeps the items of a driver under the hashes of their keys.
 * @param {import('../session/store.js').Driver} driver
 * @param {{ secret?: string }} options
 * @returns {import('../session/store.js').Driver}
 */
export default function hashedKeys(driver, { secret = globalThis.process?.env?.[SECRET] }) {
	const hash = keyHasher(secret);
	/** @type {Partial<import('../session/store.js').Driver>} */
	const hashed = {
		get: async (key) => driver.get(await hash(key)),
		set: async (key, ...given) => driver.set(await hash(key), ...given),
		remove: async (key, when) => driver.remove(await hash(key), when),
		touch: async (key, ttl) => driver.touch(await hash(key), ttl),
	};
	// All else is the driver's.
	return Object.assign(Object.create(driver), hashed);
}

/**
 * What makes the store's key of a key: SHA-256, or HMAC-SHA-256 with a secret, as hexadecimal digits.
 * @param {string} [secret]
 * @returns {(key: string) => Promise<string>}
 */
export function keyHasher(secret) {
	const encoder = new TextEncoder();
	if (secret === undefined) return async (key) => hexadecimal(await crypto.subtle.digest('SHA-256', encoder.encode(key)));
	const bytes = encoder.encode(secret);
	if (bytes.length < SHORTEST_SECRET) {
		throw new Error(
			`[cloakroom] the secret of \`hashIds\` has ${bytes.length} bytes: it must have ${SHORTEST_SECRET} at least, and be random.`,
		);
	}
	const imported = crypto.subtle.importKey('raw', bytes, ALGORITHM, false, ['sign']);
	return async (key) => hexadecimal(await crypto.subtle.sign('HMAC', await imported, encoder.encode(key)));
}

/** @param {ArrayBuffer} buffer */
const hexadecimal = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
