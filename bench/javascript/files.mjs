// Measures unstorage on files: `node files.mjs MILLISECONDS`. Each line `OPERATION FOLDER` is answered with the nanoseconds
// that a session of the folder takes, measured for about so long.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const milliseconds = BigInt(process.argv[2]);
const interop = createRequire(new URL('../../interop/package.json', import.meta.url));
const load = async (name) => import(pathToFileURL(interop.resolve(name)));
const { createStorage } = await load('unstorage');
const { default: fsLite } = await load('unstorage/drivers/fs-lite');

const BATCH = 64;
const LENGTH = 1024;
// Where a record has the number of its turn.
const TURN = 57;

const folders = new Map();
function open(base) {
	if (!folders.has(base)) {
		const keys = readdirSync(base).sort();
		folders.set(base, { keys, storage: createStorage({ driver: fsLite({ base }) }), place: 0 });
	}
	return folders.get(base);
}

/** The same walk as ours. */
function next(folder) {
	folder.place = (folder.place * 48_281 + 12_347) % folder.keys.length;
	return folder.keys[folder.place];
}

async function read({ storage }, key) {
	// The raw bytes, which is less work than a text.
	const record = await storage.getItemRaw(key);
	if (record?.length !== LENGTH) throw new Error('a session is missing');
	return record;
}

let turn = 0;
const operations = {
	read,
	write: async (folder, key) => {
		const record = await read(folder, key);
		record.write(String(turn).padStart(8, '0'), TURN);
		await folder.storage.setItemRaw(key, record);
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	const [name, base] = line.split(' ');
	const operation = operations[name];
	const folder = open(base);
	turn++;
	let spent = 0n;
	let times = 0;
	while (spent < milliseconds * 1_000_000n) {
		const keys = Array.from({ length: BATCH }, () => next(folder));
		const begin = process.hrtime.bigint();
		for (const key of keys) await operation(folder, key);
		spent += process.hrtime.bigint() - begin;
		times += BATCH;
	}
	console.log(Number(spent) / times);
}
