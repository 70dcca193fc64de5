// What keeps secrets from who has the store alone, as the site says it: `hashIds` and `encryption`. The secrets themselves are
// said by the environment where the server runs, since what the site says stays in what is built.
import { isKey } from '../at-rest/encryption-key.js';
import { SECRET } from '../at-rest/hashed-keys.js';
import { isVariable } from '../environment.js';

/** The variable that the Rust side reads, too. */
const KEYS = 'CLOAKROOM_SESSION_ENCRYPTION_KEYS';

/**
 * What stands around the driver, the outermost last: a module, and its options.
 * @typedef {{ of: string, module: string, options: Record<string, unknown> }} Layer
 */

/**
 * @param {{ hashIds?: any, encryption?: any }} options
 * @returns {{ layers: Layer[], told: { hashIds?: object | true, encryption?: object } }}
 */
export function checkAtRest({ hashIds = false, encryption = false }) {
	const hashed = checkHashIds(hashIds);
	const sealed = checkEncryption(encryption);
	/** @type {Layer[]} */
	const layers = [];
	// A record is bound to the key that it has in the store, and so sealed within.
	if (sealed) layers.push({ of: '`encryption`', module: sealed.keyFile ? 'encrypted-by-key-file' : 'encrypted', options: sealed });
	if (hashed) layers.push({ of: '`hashIds`', module: 'hashed-keys', options: hashed });
	const told = { hashIds: hashIds === true ? hashIds : hashed, encryption: sealed };
	return { layers, told };
}

/** @param {any} hashIds */
function checkHashIds(hashIds) {
	if (hashIds === false) return undefined;
	// Without a secret, where the environment has none.
	if (hashIds === true) return {};
	checkTable('hashIds', hashIds, ['secret']);
	const { secret = { $env: SECRET } } = hashIds;
	checkSecret('hashIds.secret', secret);
	return { secret };
}

/** @param {any} encryption */
function checkEncryption(encryption) {
	if (encryption === false) return undefined;
	const given = encryption === true ? {} : encryption;
	checkTable('encryption', given, ['keys', 'keyFile', 'acceptPlain']);
	const { keys, keyFile, acceptPlain } = given;
	if (acceptPlain !== undefined && typeof acceptPlain !== 'boolean') refuse('`encryption.acceptPlain` must be true or false');
	if (keyFile === undefined) {
		const named = keys ?? { $env: KEYS };
		if (Array.isArray(named)) named.forEach((key, index) => checkSecret(`encryption.keys[${index}]`, key));
		else checkSecret('encryption.keys', named);
		return { keys: named, acceptPlain };
	}
	if (keys !== undefined) refuse('`encryption` has both `keys` and `keyFile`: use one of them');
	if (typeof keyFile === 'string' ? isKey(keyFile) : !isVariable(keyFile)) {
		refuse('`encryption.keyFile` must be the path of a file with keys; a key itself is said as `keys`');
	}
	return { keyFile, acceptPlain };
}

/** @param {string} name @param {any} value @param {string[]} known */
function checkTable(name, value, known) {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		refuse(`\`${name}\` must be true, false, or an object with ${known.map((key) => `\`${key}\``).join(', ')}`);
	}
	const unknown = Object.keys(value).find((key) => !known.includes(key));
	if (unknown) refuse(`unknown option \`${name}.${unknown}\`: it can be one of ${known.join(', ')}`);
}

/** @param {string} name @param {any} value */
function checkSecret(name, value) {
	if (isVariable(value)) return;
	// Not to be shown either.
	refuse(`\`${name}\` would stay in what is built: name the variable of the environment that has it, { $env: 'NAME' }`);
}

/** @param {string} why @returns {never} */
function refuse(why) {
	throw new Error(`[@cloakroom/astro] ${why}.`);
}
