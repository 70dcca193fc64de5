// PostgreSQL, by the client `pg`, which db0's connector `postgresql` uses too.
import { missing } from './client.js';
import { prepare } from './statements.js';

/** How long a statement may take, in milliseconds. */
const PATIENCE = 10_000;

export const words = {
	quote: /** @type {const} */ ('"'),
	isNumbered: true,
	now: 'CAST(floor(extract(epoch FROM statement_timestamp()) * 1000) AS BIGINT)',
	bytes: "coalesce(convert_to(`value`, 'UTF8'), `blob`)",
	mark: 'sha256({bytes})',
	given: "sha256(convert_to(:text, 'UTF8'))",
	isOther: '(`expires_value` IS DISTINCT FROM {mark})',
	isKey: '`key` = :key',
	seen: "convert_to(:seen, 'UTF8')",
	// Rows that another machine sweeps, or that are being written, are passed over.
	expired: '`key` = ANY(ARRAY(SELECT `key` FROM {table} WHERE {isExpired} FOR UPDATE SKIP LOCKED))',
};

/** @param {string} table @param {string} index */
export const migrations = (table, index) => [
	`CREATE TABLE IF NOT EXISTS ${table} (
  \`key\` VARCHAR(255) NOT NULL PRIMARY KEY,
  \`value\` TEXT,
  \`blob\` BYTEA,
  \`created_at\` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  \`updated_at\` TIMESTAMP DEFAULT CURRENT_TIMESTAMP
)`,
	`ALTER TABLE ${table} ADD COLUMN \`expires_at\` BIGINT`,
	`ALTER TABLE ${table} ADD COLUMN \`expires_value\` BYTEA`,
	`CREATE INDEX IF NOT EXISTS ${index} ON ${table} (\`expires_at\`) WHERE \`expires_at\` IS NOT NULL`,
];

/** @param {Required<import('../db0.js').Options>} options @returns {import('../db0.js').Database} */
export function open({ url, maxConnections, connectTimeout }) {
	/** @type {Promise<import('pg').Pool> | undefined} */
	let opened;
	const connect = async () => {
		const { default: pg } = await import('pg').catch(missing('pg'));
		const pool = new pg.Pool({
			connectionString: url,
			max: maxConnections,
			connectionTimeoutMillis: connectTimeout,
			query_timeout: PATIENCE,
			keepAlive: true,
			// An open connection keeps no process from ending.
			allowExitOnIdle: true,
		});
		// A connection that breaks while nobody uses it is nobody's failure: the pool makes another.
		pool.on('error', () => {});
		return pool;
	};
	return {
		async run(sql, values) {
			// Nothing is prepared under a name, which a pooler of transactions would not know.
			const { rows, rowCount } = await (await (opened ??= connect())).query(sql, values);
			return { rows, changed: rowCount ?? 0 };
		},
		close() {
			opened?.then((pool) => pool.end()).catch(() => {});
		},
	};
}

const MEANINGS = /** @type {const} */ ({
	busy: ['40001', '40P01', '55P03'],
	exists: ['42P07', '42P06', '42701', '42710', '23505'],
	missing: ['42P01', '42703', '3F000'],
});

/** @param {any} error */
export function meaningOf({ code }) {
	return /** @type {Array<keyof typeof MEANINGS>} */ (Object.keys(MEANINGS)).find((meaning) =>
		/** @type {readonly string[]} */ (MEANINGS[meaning]).includes(code),
	);
}

/**
 * Row-level security does not refuse to read what it hides: sessions would be lost in silence.
 * @param {import('../db0.js').Run} run @param {string} table
 */
export async function inspect(run, table) {
	const look = `SELECT 1 FROM pg_class WHERE oid = to_regclass('${table}') AND row_security_active(oid) AND NOT EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid)`;
	// What only speaks as PostgreSQL does may not know of all this.
	const { rows } = await run(prepare(look, words)).catch((error) => {
		if (typeof error.severity !== 'string') throw error;
		return { rows: [] };
	});
	if (rows.length === 0) return;
	throw new Error(
		`row-level security hides every row of the table ${table} from this user; give it a policy, or make this user its owner`,
	);
}
