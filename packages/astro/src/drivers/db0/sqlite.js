// SQLite, by Node's own `node:sqlite`, which db0's connector `node-sqlite` uses too.
//
// Its calls wait for nothing but the disk: where another process writes, they fail at once and are tried again, so that the
// requests of this process go on meanwhile.
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';

export const words = {
	quote: /** @type {const} */ ('`'),
	isNumbered: false,
	now: "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)",
	bytes: 'coalesce(CAST(`value` AS BLOB), `blob`)',
	mark: '{bytes}',
	given: 'CAST(:text AS BLOB)',
	isOther: '(`expires_value` IS NOT {mark})',
	isKey: '`key` = :key',
	seen: 'CAST(:seen AS BLOB)',
	expired: 'rowid IN (SELECT rowid FROM {table} WHERE {isExpired})',
};

/** @param {string} table @param {string} index @param {string} [schema] An index's name has it, and its table's has not. */
export const migrations = (table, index, schema) => [
	`CREATE TABLE IF NOT EXISTS ${table} (
  \`key\` TEXT PRIMARY KEY,
  \`value\` TEXT,
  \`blob\` BLOB,
  \`created_at\` TEXT DEFAULT CURRENT_TIMESTAMP,
  \`updated_at\` TEXT DEFAULT CURRENT_TIMESTAMP
)`,
	`ALTER TABLE ${table} ADD COLUMN \`expires_at\` INTEGER`,
	`ALTER TABLE ${table} ADD COLUMN \`expires_value\` BLOB`,
	`CREATE INDEX IF NOT EXISTS ${schema ? `${schema}.` : ''}${index} ON ${schema ? table.slice(schema.length + 1) : table} (\`expires_at\`) WHERE \`expires_at\` IS NOT NULL`,
];

/** @param {Required<import('../db0.js').Options>} options @returns {import('../db0.js').Database} */
export function open({ url, synchronous }) {
	/** @type {Promise<import('node:sqlite').DatabaseSync> | undefined} */
	let opened;
	/** What was prepared once. @type {Map<string, import('node:sqlite').StatementSync>} */
	const statements = new Map();

	async function connect() {
		const { DatabaseSync } = await import('node:sqlite').catch((cause) => {
			throw new Error('SQLite needs Node.js 22.13 or later, which has `node:sqlite`', { cause });
		});
		const { file, mode } = fileOf(url);
		if (mode === 'rwc' && file !== ':memory:') make(file);
		if (mode === 'rw' && !existsSync(file)) throw new Error('there is no such file, and `mode=rw` makes none');
		const database = new DatabaseSync(file, { readOnly: mode === 'ro' });
		try {
			if (mode !== 'ro') database.exec('PRAGMA journal_mode = WAL');
			database.exec(`PRAGMA synchronous = ${synchronous === 'full' ? 'FULL' : 'NORMAL'}`);
		} catch (error) {
			database.close();
			throw error;
		}
		return database;
	}

	return {
		async run(sql, values) {
			const database = await (opened ??= connect().catch((error) => {
				opened = undefined;
				throw error;
			}));
			let statement = statements.get(sql);
			if (!statement) statements.set(sql, (statement = database.prepare(sql)));
			const given = /** @type {any[]} */ (values.map((value) => (typeof value === 'number' ? BigInt(value) : value)));
			if (sql.startsWith('SELECT')) return { rows: statement.all(...given), changed: 0 };
			return { rows: [], changed: Number(statement.run(...given).changes) };
		},
		close() {
			opened?.then((database) => database.close()).catch(() => {});
		},
	};
}

/** The file that a URL names, as the Rust side reads it. @param {string} url */
function fileOf(url) {
	const [, name, query] = /** @type {RegExpExecArray} */ (/^sqlite:(?:\/\/)?([^?]*)\??(.*)$/s.exec(url));
	const mode = new URLSearchParams(query).get('mode') ?? 'rwc';
	const file = decodeURIComponent(name).replace(/^file:(?:\/\/(?:localhost)?(?=\/))?/, '');
	if (file === ':memory:' || mode === 'memory') return { file: ':memory:', mode: 'rwc' };
	if (file === '' || !['rwc', 'rw', 'ro'].includes(mode)) {
		throw new Error('the option `url` has to name a file, with no `mode` but `rwc`, `rw` or `ro`');
	}
	return { file: path.resolve(file), mode };
}

/** Makes a missing file, and its folder. Its owner alone may read it: whoever reads sessions can take them over. @param {string} file */
function make(file) {
	mkdirSync(path.dirname(file), { recursive: true });
	try {
		closeSync(openSync(file, 'wx', 0o600));
	} catch {
		// Mostly it is there. Where it cannot be made, SQLite says why.
	}
}

/** @param {any} error */
export function meaningOf({ errcode, message }) {
	// Of a result code the lowest byte is the same for all that it may have been.
	if ([5, 6].includes(errcode & 0xff)) return 'busy';
	if (/^duplicate column|already exists$/.test(message)) return 'exists';
	return /^no such /.test(message) ? 'missing' : undefined;
}
