// The SQL of each operation on unstorage's table, in the words of one database; one statement each. The Rust side has the same
// (`common/table/unstorage.rs` of `cloakroom-drivers`).

/**
 * What the databases say differently. Names are quoted as MySQL quotes them; `:name` is a parameter, `{name}` another word.
 * @typedef {object} Words
 * @property {'`' | '"'} quote
 * @property {boolean} isNumbered Whether a placeholder has a number, so that it may stand in several places.
 * @property {string} now Milliseconds since 1970, the same throughout a statement.
 * @property {string} bytes A row's value: the text that JavaScript sets, or else its raw bytes.
 * @property {string} mark What a deadline keeps of the value that it was given for: a hash, or where there is none, a copy.
 * @property {string} given The same of the value that is written.
 * @property {string} isOther Whether a row's deadline is another value's.
 * @property {string} isKey Whether a row is the key's, to the byte.
 * @property {string} seen The bytes that were read.
 * @property {string} [set] Writes whatever is there.
 * @property {string} [create] Writes where nothing is.
 * @property {string} [renew] Writes where only an expired item is, if `create` takes that for a duplicate.
 * @property {string} expired The rows that a sweep removes, of those where `isExpired`.
 */
/** @typedef {{ sql: string, parameters: string[] }} Statement */
/** @typedef {ReturnType<typeof statementsOf>} Statements */

/** How many expired items one statement removes: few enough that nobody waits long for its locks. */
const BATCH = 500;

const COLUMNS = ['value', 'blob', 'expires_at', 'expires_value'];

const SHARED = {
	// A deadline counts for the value that it was given for: what plain JavaScript writes over it has none.
	live: '({bytes} IS NOT NULL AND (`expires_at` IS NULL OR `expires_at` > {now} OR {isOther}))',
	isExpired: `\`expires_at\` <= {now} AND NOT {isOther} ORDER BY \`expires_at\` LIMIT ${BATCH}`,
	givenMark: 'CASE WHEN :ttl IS NULL THEN NULL ELSE {given} END',
	rowMark: 'CASE WHEN :ttl IS NULL THEN NULL ELSE {mark} END',
	columns: '(`key`, `value`, `blob`, `created_at`, `updated_at`, `expires_at`, `expires_value`)',
	values: 'VALUES (:key, :text, NULL, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, {now} + :ttl, {givenMark})',
	changes:
		'`value` = :text, `blob` = NULL, `updated_at` = CURRENT_TIMESTAMP, `expires_at` = {now} + :ttl, `expires_value` = {givenMark}',
	// Of PostgreSQL and SQLite.
	upsert: `INSERT INTO {table} AS stored {columns} {values} ON CONFLICT (\`key\`) DO UPDATE SET ${COLUMNS.map(
		(column) => `\`${column}\` = excluded.\`${column}\``,
	).join(', ')}, \`updated_at\` = CURRENT_TIMESTAMP`,
};

/** @param {Words} own @param {string} table */
export function statementsOf(own, table) {
	/** @type {Record<string, string>} */
	const words = { ...SHARED, set: '{upsert}', create: '{upsert} WHERE NOT {storedLive}', ...own, table };
	const fill = (/** @type {string} */ text) => text.replace(/\{(\w+)\}/g, (_, /** @type {string} */ name) => fill(words[name]));
	words.storedLive = COLUMNS.reduce((live, column) => live.replaceAll(`\`${column}\``, `stored.\`${column}\``), fill('{live}'));
	const statement = (/** @type {string} */ template) => prepare(fill(template), own);
	const live = '{isKey} AND {live}';
	return {
		get: statement(
			`SELECT {bytes} AS bytes, CASE WHEN {isOther} THEN NULL ELSE \`expires_at\` - {now} END AS remaining FROM {table} WHERE ${live}`,
		),
		find: statement(`SELECT \`key\` FROM {table} WHERE ${live}`),
		set: statement('{set}'),
		create: statement('{create}'),
		renew: own.renew ? statement('{renew}') : undefined,
		update: statement(`UPDATE {table} SET {changes} WHERE ${live} AND {bytes} = {seen}`),
		remove: statement(`DELETE FROM {table} WHERE ${live}`),
		removeVersion: statement(`DELETE FROM {table} WHERE ${live} AND {bytes} = {seen}`),
		touch: statement(
			`UPDATE {table} SET \`expires_at\` = {now} + :ttl, \`expires_value\` = {rowMark}, \`updated_at\` = \`updated_at\` WHERE ${live}`,
		),
		sweep: statement('DELETE FROM {table} WHERE {expired}'),
	};
}

/**
 * SQL with its parameters' names.
 * @param {string} sql
 * @param {Pick<Words, 'quote' | 'isNumbered'>} words
 * @returns {Statement}
 */
export function prepare(sql, { quote, isNumbered }) {
	/** @type {string[]} */
	const parameters = [];
	const withPlaceholders = sql.replace(/:(\w+)/g, (_, name) => {
		if (!isNumbered || !parameters.includes(name)) parameters.push(name);
		return isNumbered ? `$${parameters.indexOf(name) + 1}` : '?';
	});
	return { sql: withPlaceholders.replaceAll('`', quote), parameters };
}
