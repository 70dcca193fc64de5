// Bytes as base64url without padding, as letters that every store takes.

/** How many bytes are made letters of at once: a call takes no more arguments. */
const AT_ONCE = 8192;

/** @param {Uint8Array} bytes */
export function encode(bytes) {
	let binary = '';
	for (let at = 0; at < bytes.length; at += AT_ONCE) binary += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
	return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/**
 * The bytes; `undefined` where the text is none that `encode` gives, as with padding, or with bits behind the last byte.
 * @param {string} text
 */
export function decode(text) {
	if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined;
	const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
	const bytes = new Uint8Array(binary.length);
	for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
	return encode(bytes) === text ? bytes : undefined;
}
