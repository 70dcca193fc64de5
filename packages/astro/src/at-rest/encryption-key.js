// A key that records are sealed with, and what it is called.
import { decode, encode } from './base64url.js';

/** The bytes of a key. */
const LENGTH = 32;

/** What the name of a key is a hash of, with the key. */
const NAMED_BY = 'cloakroom key id';

/** The bytes of a name, which are eight letters. */
const NAME = 6;

/** @typedef {{ id: string, bytes: Uint8Array }} EncryptionKey */

/**
 * The bytes of a key, which is 64 hexadecimal digits, or base64 of either alphabet. An error does not show what is none.
 * @param {string} text
 */
export function keyBytes(text) {
	const trimmed = text.trim();
	// A key of base64 has 43 or 44 letters.
	const isHexadecimal = trimmed.length % 2 === 0 && trimmed.length !== 44 && /^[0-9a-f]*$/i.test(trimmed);
	const bytes = isHexadecimal ? ofHexadecimal(trimmed) : ofBase64(trimmed);
	if (bytes?.length === LENGTH) return bytes;
	const what = bytes ? `has ${bytes.length} bytes` : 'is neither base64 nor hexadecimal';
	throw new Error(`a key ${what}: it must be 32 bytes, as 64 hexadecimal digits or 43 letters of base64`);
}

/** Whether this is a key, or several with commas between them, which are not to be shown, where something else should be. @param {string} text */
export function isKey(text) {
	return text.split(',').some((one) => {
		try {
			return keyBytes(one).length > 0;
		} catch {
			return false;
		}
	});
}

/**
 * With its name: what stands beside all that it has sealed, and is no secret.
 * @param {Uint8Array} bytes
 * @returns {Promise<EncryptionKey>}
 */
export async function named(bytes) {
	const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
	const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(NAMED_BY));
	return { id: encode(new Uint8Array(mac, 0, NAME)), bytes };
}

/** @param {string} text */
function ofHexadecimal(text) {
	return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

/** @param {string} text */
function ofBase64(text) {
	const letters = text.replace(/=*$/, '');
	// Of one alphabet, and not of both.
	return /[-_]/.test(letters) && /[+/]/.test(letters) ? undefined : decode(letters.replaceAll('+', '-').replaceAll('/', '_'));
}
