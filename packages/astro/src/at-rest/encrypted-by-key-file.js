// The same with the keys of a file, for sites that have files: one on a line. Lines that begin with `#` are left out.
import { readFileSync } from 'node:fs';
import encrypted from './encrypted.js';
import { isKey } from './encryption-key.js';

/**
 * @param {import('../session/store.js').Driver} driver
 * @param {{ keyFile: string, acceptPlain?: boolean }} options The file is read when the store is opened.
 */
export default function encryptedByKeyFile(driver, { keyFile, acceptPlain }) {
	const lines = textOf(keyFile).split('\n').map((line) => line.trim());
	const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
	return encrypted(driver, { keys, acceptPlain }, `the key file ${keyFile}`);
}

/** @param {string} file */
function textOf(file) {
	if (isKey(file)) throw new Error('[cloakroom] `encryption.keyFile` is a key: it must be the path of a file with keys.');
	try {
		return readFileSync(file, 'utf8');
	} catch (cause) {
		throw new Error(`[cloakroom] \`encryption.keyFile\`: ${/** @type {Error} */ (cause).message}`, { cause });
	}
}
