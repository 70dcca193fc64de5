// Bytes as base64url without padding: letters that every store takes. By hand, since `btoa` and `atob` take as long as the
// cipher, and are less strict than a sealed record has to be.

const ALPHABET = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** What each letter stands for; what is no letter, for more than six bits have. */
const VALUES = new Uint8Array(256).fill(64);
for (const [value, letter] of ALPHABET.entries()) VALUES[letter] = value;

/** @param {Uint8Array} bytes */
export function encode(bytes) {
	const letters = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
	let at = 0;
	for (let from = 0; from < bytes.length; from += 3) {
		// Beyond the end are zeros, whose letters are left out.
		const three = (bytes[from] << 16) | (bytes[from + 1] << 8) | bytes[from + 2];
		for (let shift = 18; shift >= 0 && at < letters.length; shift -= 6) letters[at++] = ALPHABET[(three >> shift) & 63];
	}
	return new TextDecoder().decode(letters);
}

/**
 * The bytes; `undefined` where the text is none that `encode` gives, as with padding, or with bits behind the last byte.
 * @param {string} text
 */
export function decode(text) {
	const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
	let [at, bits, held] = [0, 0, 0];
	for (let from = 0; from < text.length; from++) {
		const value = VALUES[text.charCodeAt(from)] ?? 64;
		if (value === 64) return undefined;
		held = ((held << 6) | value) & 0xfff;
		bits += 6;
		if (bits >= 8) bytes[at++] = held >> (bits -= 8);
	}
	// No byte ends with six bits.
	return bits === 6 || held & ((1 << bits) - 1) ? undefined : bytes;
}
