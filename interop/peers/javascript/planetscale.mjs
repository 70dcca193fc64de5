// PlanetScale's HTTP interface over a real MariaDB, as far as its own client uses it:
// `node planetscale.mjs PORT MARIADB_URL [changed] [safe-migrations]`. It counts rows that were found, or with `changed`
// those alone that were changed; with `safe-migrations` it lets nobody change a table.
import { createServer } from 'node:http';
import mysql from 'mysql2/promise';

const [port, url, ...modes] = process.argv.slice(2);
const AUTHORIZATION = `Basic ${btoa('user:pscale_pw_test')}`;
const pool = mysql.createPool({
	uri: url,
	multipleStatements: false,
	rowsAsArray: true,
	connectionLimit: 16,
	flags: modes.includes('changed') ? ['-FOUND_ROWS'] : [],
	// The cells as the database sends them.
	typeCast: (field) => field.buffer(),
});

/** Vitess's names of MySQL's types, by number; the binary ones have names of their own. */
const TYPES = {
	1: 'INT8', 2: 'INT16', 3: 'INT32', 4: 'FLOAT32', 5: 'FLOAT64', 6: 'NULL', 7: 'TIMESTAMP', 8: 'INT64',
	12: 'DATETIME', 246: 'DECIMAL', 252: 'TEXT', 253: 'VARCHAR', 254: 'CHAR',
};
const BINARY_TYPES = { 252: 'BLOB', 253: 'VARBINARY', 254: 'BINARY' };
const BINARY = 63;

/** gRPC's codes for what MySQL refuses. */
const CODES = { 1045: 'PERMISSION_DENIED', 1054: 'NOT_FOUND', 1062: 'ALREADY_EXISTS', 1146: 'NOT_FOUND', 1213: 'ABORTED' };

function field({ name, columnType, characterSet }) {
	const types = characterSet === BINARY ? { ...TYPES, ...BINARY_TYPES } : TYPES;
	return { name, type: types[columnType], charset: characterSet };
}

function row(cells) {
	const present = cells.filter((cell) => cell !== null);
	return { lengths: cells.map((cell) => `${cell?.length ?? -1}`), values: Buffer.concat(present).toString('base64') };
}

function refusal(code, words, number, state, query) {
	const message = `target: cloakroom.-.primary: vttablet: rpc error: code = ${code} desc = ${words} (errno ${number}) (sqlstate ${state}) (CallerID: user): Sql: ${JSON.stringify(query)}, BindVars: {}`;
	return { session: null, error: { code, message } };
}

async function execute(query) {
	if (modes.includes('safe-migrations') && /^\s*(create|alter|drop)\s/i.test(query)) {
		return refusal('UNKNOWN', 'direct DDL is disabled', 1105, 'HY000', query);
	}
	try {
		const [result, fields] = await pool.query(query);
		const answer = fields
			? { fields: fields.map(field), rows: result.map(row) }
			: { rowsAffected: result.affectedRows ? `${result.affectedRows}` : undefined };
		return { session: { signature: 'none', vitessSession: { autocommit: true } }, result: answer, timing: 0.001 };
	} catch ({ errno, sqlState, sqlMessage }) {
		if (!sqlMessage) return { session: null, error: { code: 'UNAVAILABLE', message: 'the primary is not serving' } };
		return refusal(CODES[errno] ?? 'UNKNOWN', sqlMessage, errno, sqlState, query);
	}
}

createServer(async (request, response) => {
	const answer = (status, body) => {
		response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
	};
	const chunks = await Array.fromAsync(request);
	if (request.headers.authorization !== AUTHORIZATION) {
		return answer(401, { error: { code: 'UNAUTHENTICATED', message: 'invalid username or password' } });
	}
	if (request.method !== 'POST' || request.url !== '/psdb.v1alpha1.Database/Execute') return answer(404, {});
	answer(200, await execute(JSON.parse(Buffer.concat(chunks)).query));
}).listen(Number(port), '127.0.0.1');
