// The table: made by whoever comes first, in either language, or by somebody else.
import { prepare } from './statements.js';

/** With room for an index's: PostgreSQL takes 63 letters. */
const NAME = '[A-Za-z_][A-Za-z0-9_]{0,47}';

/** Refuses what is no plain name, since it goes into the SQL as it is. @param {string} name */
export function checkName(name) {
	if (new RegExp(`^${NAME}(?:\\.${NAME})?$`).test(name)) return;
	throw new Error(
		`[cloakroom] [db0] the option \`tableName\` is ${JSON.stringify(name)}: it has to be a name of at most 48 letters, digits and \`_\`, or a schema, a dot and such a name.`,
	);
}

/**
 * Makes sure that the table is as it has to be.
 * @param {import('../db0.js').Dialect} dialect
 * @param {import('../db0.js').Run} run
 * @param {{ tableName: string, migrate: boolean }} settings
 */
export async function prepareTable(dialect, run, { tableName, migrate }) {
	const statement = (/** @type {string} */ sql) => prepare(sql, dialect.words);
	const probe = statement(`SELECT \`key\`, \`value\`, \`blob\`, \`expires_at\`, \`expires_value\` FROM ${tableName} WHERE 1 = 0`);
	const isThere = await run(probe).then(
		() => true,
		(error) => {
			if (dialect.meaningOf(error) !== 'missing') throw error;
			return false;
		},
	);
	if (!isThere) {
		const [name, schema] = tableName.split('.').reverse();
		const migrations = dialect.migrations(tableName, `${name}_expires_at`, schema).map(statement);
		const toRun = `let somebody run:\n${migrations.map(({ sql }) => `${sql};\n`).join('')}`;
		if (!migrate) throw new Error(`the table ${tableName} or some of its columns are missing; ${toRun}`);
		for (const migration of migrations) {
			await run(migration).catch((error) => {
				// Somebody else who starts made it.
				if (dialect.meaningOf(error) === 'exists') return;
				throw new Error(`the table ${tableName} cannot be made: ${error.message}; ${toRun}`, { cause: error });
			});
		}
		await run(probe);
	}
	await dialect.inspect?.(run, tableName);
}
