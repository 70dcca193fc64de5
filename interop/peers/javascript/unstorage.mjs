// One of unstorage's own drivers, for tests in Rust: `node unstorage.mjs DRIVER OPTIONS`. A line of the standard input is
// a call, `["method", argument, …]`; a line of the standard output is its `{ "value" }` or its `{ "error" }`.
import { createInterface } from 'node:readline';
import * as devalue from 'devalue';
import { createStorage } from 'unstorage';

const [name, options] = process.argv.slice(2);

async function open(name, options) {
	const { default: create } = await import(`unstorage/drivers/${name}`);
	if (options.layers) {
		// Drivers, which no command line can hold.
		options.layers = await Promise.all(options.layers.map((layer) => open(layer.driver, layer.options ?? {})));
	}
	return create(options);
}
const driver = await open(name, JSON.parse(options));
const storage = createStorage({ driver });

// Azure's clients insist on TLS, but for their emulator on its usual port.
if (name === 'azure-storage-table') {
	driver.getInstance().pipeline.addPolicy({
		name: 'without TLS',
		sendRequest: (request, next) => next(Object.assign(request, { allowInsecureConnection: true })),
	});
}

const methods = {
	/** What the driver itself gives: a text, or what its client has made of one. */
	getItem: async (key) => (await driver.getItem(key)) ?? null,
	setItem: (key, value, options) => storage.setItem(key, value, options),
	/** Bytes, as an array, or any other value. */
	setItemRaw: (key, value) => storage.setItemRaw(key, Array.isArray(value) ? Buffer.from(value) : value),
	hasItem: (key) => storage.hasItem(key),
	removeItem: (key) => storage.removeItem(key),
	getItemRaw: async (key) => [...((await storage.getItemRaw(key)) ?? [])],
	getKeys: (base) => storage.getKeys(base),
	clear: (base) => storage.clear(base),
	/** SQL, past the driver, where its client takes that: the rows that it gives. */
	execute: async (sql) => (await driver.getInstance().execute(sql)).rows,
	/** A session as Astro reads it; rewritten, so that a test sees what became of every value. */
	readSession: async (id) => {
		const flat = await storage.get(id);
		return flat && devalue.stringify(devalue.unflatten(flat));
	},
	/** What is stored under a key besides its text, as the vendor's own client finds it. */
	stored: async (key) => stored[name](await driver.getInstance(), key),
	/** A session as Astro writes it. */
	writeSession: (id, text) => storage.setItem(id, devalue.stringify(devalue.parse(text))),
};

const stored = {
	'azure-cosmos': async (container, key) => ({
		container: (await container.read()).resource,
		document: (await container.item(key).read()).resource,
	}),
	'azure-storage-blob': async (container, key) => {
		const { blobType, contentLength, metadata } = await container.getBlobClient(key).getProperties();
		return { blobType, contentLength, metadata };
	},
	'azure-storage-table': async (table, key) => {
		const entity = await table.getEntity('unstorage', key, { disableTypeConversion: true });
		return { ...entity, timestamp: undefined, etag: undefined };
	},
};

// What drivers say besides must not stand between the answers.
console.log = console.info = console.error;

for await (const line of createInterface({ input: process.stdin })) {
	const [method, ...args] = JSON.parse(line);
	let answer;
	try {
		answer = { value: (await methods[method](...args)) ?? null };
	} catch (error) {
		answer = { error: `${error?.stack ?? error}` };
	}
	process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await storage.dispose();
process.exit();
