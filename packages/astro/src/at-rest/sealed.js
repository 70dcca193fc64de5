// The format of a sealed record, which `docs/at-rest.md` writes down: `sealed.1.KEYIDKEY.BODY`.
//
// The body is base64url of a nonce, the ciphertext and its tag, by AES-256-GCM-SIV. What stands before it is authenticated, and
// the store's key with it, so that a record that was moved does not open.
import { gcmsiv } from '@noble/ciphers/aes.js';
import { decode, encode } from './base64url.js';
import { isSealed, MARK } from './mark.js';

/** The version of the format, and what ends it. */
const VERSION = '1.';

export const NONCE = 12;
const TAG = 16;

const CHANGED = 'it does not open: it was changed, or sealed for another session, since its key is there';

const encoder = new TextEncoder();

/** Why a record does not open. It shows neither the record nor a key. */
export class Unopened extends Error {}

/**
 * @param {import('./encryption-key.js').EncryptionKey} key
 * @param {string} storeKey @param {Uint8Array} nonce @param {string} text
 */
export function seal(key, storeKey, nonce, text) {
	const header = `${MARK}${VERSION}${key.id}.`;
	const sealed = gcmsiv(key.bytes, nonce, encoder.encode(header + storeKey)).encrypt(encoder.encode(text));
	const body = new Uint8Array(NONCE + sealed.length);
	body.set(nonce);
	body.set(sealed, NONCE);
	return header + encode(body);
}

/**
 * The text that was sealed.
 * @param {import('./encryption-key.js').EncryptionKey[]} ring @param {string} storeKey @param {string} text
 * @throws {Unopened}
 */
export function open(ring, storeKey, text) {
	if (!isSealed(text)) throw new Unopened('it is not sealed, and plain records are not accepted (see `acceptPlain`)');
	if (!text.startsWith(VERSION, MARK.length)) throw new Unopened('it is sealed in a format that this version does not know');
	const [, header, id, letters] = /^(sealed\.1\.([\w-]{8})\.)(.*)$/s.exec(text) ?? [];
	// What is no name is not shown as one.
	if (!header) throw new Unopened(CHANGED);
	const key = ring.find((key) => key.id === id);
	if (!key) throw new Unopened(lacks(id, ring));
	const body = decode(letters);
	if (!body || body.length < NONCE + TAG) throw new Unopened(CHANGED);
	const cipher = gcmsiv(key.bytes, body.subarray(0, NONCE), encoder.encode(header + storeKey));
	try {
		return new TextDecoder('utf-8', { ignoreBOM: true }).decode(cipher.decrypt(body.subarray(NONCE)));
	} catch {
		throw new Unopened(CHANGED);
	}
}

/** Which key it is that is needed, and which there are. @param {string} id @param {import('./encryption-key.js').EncryptionKey[]} ring */
function lacks(id, ring) {
	const there = ring.map((key) => key.id).join(', ');
	return `it is sealed with the key ${id}, which is not among the keys that there are (${there}); where no session opens, these are the wrong keys`;
}
