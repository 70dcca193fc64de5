// MySQL and MariaDB, by the client `mysql2`, which db0's connector `mysql2` uses too.
import { readFileSync } from 'node:fs';
import { missing } from './client.js';

/** How long a statement may take, in milliseconds. */
const PATIENCE = 10_000;

export const words = {
	quote: /** @type {const} */ ('`'),
	isNumbered: false,
	// Not UNIX_TIMESTAMP: it reads a local time, of which there are two when summer ends.
	now: "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
	bytes: 'COALESCE(CAST(CONVERT(`value` USING utf8mb4) AS BINARY), `blob`)',
	mark: 'UNHEX(SHA2({bytes}, 256))',
	given: 'UNHEX(:mark)',
	isOther: '(NOT (`expires_value` <=> {mark}))',
	// The first finds the row, in the order of the column's collation, which may ignore case.
	isKey: '`key` = :key AND CAST(CONVERT(`key` USING utf8mb4) AS BINARY) = CAST(:key AS BINARY)',
	seen: 'CAST(:seen AS BINARY)',
	// The key too: it may be another one, which is the same to the column's collation.
	set: `INSERT INTO {table} {columns} {values} ON DUPLICATE KEY UPDATE ${['key', 'value', 'blob', 'expires_at', 'expires_value']
		.map((column) => `\`${column}\` = VALUES(\`${column}\`)`)
		.join(', ')}, \`updated_at\` = CURRENT_TIMESTAMP`,
	create: 'INSERT INTO {table} {columns} {values}',
	renew: 'UPDATE {table} SET `key` = :key, {changes} WHERE `key` = :key AND NOT ({isKey} AND {live})',
	expired: '{isExpired}',
};

/** @param {string} table @param {string} index */
export const migrations = (table, index) => [
	// Unlike unstorage's, it tells all keys apart and takes all letters, whatever the database's character set is.
	`CREATE TABLE IF NOT EXISTS ${table} (
  \`key\` VARCHAR(255) NOT NULL PRIMARY KEY,
  \`value\` LONGTEXT,
  \`blob\` BLOB,
  \`created_at\` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  \`updated_at\` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
	// unstorage's ends at 64 KB.
	`ALTER TABLE ${table} MODIFY COLUMN \`blob\` LONGBLOB`,
	`ALTER TABLE ${table} ADD COLUMN \`expires_at\` BIGINT`,
	`ALTER TABLE ${table} ADD COLUMN \`expires_value\` VARBINARY(32)`,
	`ALTER TABLE ${table} ADD INDEX ${index} (\`expires_at\`)`,
];

// Only in a strict mode is what cannot be stored refused, and not cut short or replaced. Who waits for a lock for longer than
// a call may take would write when nobody waits for it any more.
const SETTINGS = `SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1,
sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',
sql_safe_updates = 0, sql_select_limit = 18446744073709551615, innodb_lock_wait_timeout = 5`;

/** @param {Required<import('../db0.js').Options>} options @returns {import('../db0.js').Database} */
export function open({ url, maxConnections, connectTimeout }) {
	/** @type {Promise<import('mysql2/promise').Pool> | undefined} */
	let opened;
	const connect = async () => {
		const { default: mysql } = await import('mysql2/promise').catch(missing('mysql2'));
		return mysql.createPool({ ...addressOf(url), connectionLimit: maxConnections, connectTimeout });
	};
	/** The connections that have our settings. @type {WeakSet<object>} */
	const ready = new WeakSet();
	return {
		async run(sql, values) {
			const connection = await borrow(await (opened ??= connect()), connectTimeout);
			try {
				if (!ready.has(connection.connection)) {
					await connection.query({ sql: SETTINGS, timeout: PATIENCE });
					ready.add(connection.connection);
				}
				const [result] = await connection.execute({ sql, timeout: PATIENCE }, /** @type {any[]} */ (values));
				connection.release();
				return Array.isArray(result) ? { rows: result, changed: 0 } : { rows: [], changed: result.affectedRows };
			} catch (error) {
				// What failed otherwise may be broken, or a replica by now: another one is made.
				if (meaningOf(error)) connection.release();
				else connection.destroy();
				throw error;
			}
		},
		close() {
			opened?.then((pool) => pool.end()).catch(() => {});
		},
	};
}

/**
 * A connection of the pool, which itself waits for one for ever.
 * @param {import('mysql2/promise').Pool} pool @param {number} patience
 */
async function borrow(pool, patience) {
	let timer;
	const borrowed = pool.getConnection();
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`no connection was free or opened within ${patience} ms`)), patience);
	});
	try {
		return /** @type {import('mysql2/promise').PoolConnection} */ (await Promise.race([borrowed, late]));
	} catch (error) {
		borrowed.then((connection) => connection.release()).catch(() => {});
		throw error;
	} finally {
		clearTimeout(timer);
	}
}

/** What `ssl-mode` says, as MySQL's own clients and the Rust side have it; `mysql2` does not know it. */
const TLS = /** @type {Record<string, object | undefined>} */ ({
	DISABLED: undefined,
	PREFERRED: undefined,
	REQUIRED: { rejectUnauthorized: false },
	VERIFY_CA: {},
	VERIFY_IDENTITY: { verifyIdentity: true },
});

/** @param {string} given */
function addressOf(given) {
	const url = new URL(given);
	/** @param {string} name */
	const take = (name) => {
		const value = url.searchParams.get(name) ?? undefined;
		url.searchParams.delete(name);
		return value;
	};
	const authority = take('ssl-ca');
	const mode = take('ssl-mode')?.toUpperCase() ?? (authority && 'VERIFY_CA');
	if (mode === undefined) return { uri: url.href };
	if (!Object.hasOwn(TLS, mode)) {
		throw new Error(`\`ssl-mode\` of the option \`url\` is ${mode}: it can be one of ${Object.keys(TLS).join(', ')}`);
	}
	const ca = authority === undefined ? {} : { ca: readFileSync(authority) };
	return { uri: url.href, ssl: TLS[mode] && { ...TLS[mode], ...ca } };
}

/** @param {any} error */
export function meaningOf({ errno }) {
	// A lock was not to be had; a deadlock; the row changed since the snapshot.
	if ([1205, 1213, 1020].includes(errno)) return 'busy';
	if (errno === 1062) return 'duplicate';
	if ([1050, 1060, 1061].includes(errno)) return 'exists';
	return [1146, 1054].includes(errno) ? 'missing' : undefined;
}
