// JavaScript that changes a record at a moment of the test's choice.
import { parse, stringify } from 'devalue';
import { createStorage } from 'unstorage';
import { Client } from './client.mjs';
import { startAstro } from './servers.mjs';

/** unstorage on its own driver, as anybody may use it on the same store. */
export class UnstorageWriter {
	static title = 'unstorage';

	static async start(store) {
		const writer = new UnstorageWriter();
		writer.storage = createStorage({ driver: store.driver() });
		return writer;
	}

	async set({ id }, key, data) {
		await this.#change(id, (entries) => entries.set(key, { data, expires: undefined }));
	}

	async delete({ id }, key) {
		await this.#change(id, (entries) => entries.delete(key));
	}

	async destroy({ id }) {
		await this.storage.removeItem(id);
	}

	async #change(id, change) {
		const entries = parse(JSON.stringify(await this.storage.getItem(id)));
		change(entries);
		await this.storage.setItem(id, stringify(entries));
	}

	async close() {
		await this.storage.dispose();
	}
}

/** The Astro site, on a request of its own. */
export class AstroWriter {
	static title = 'Astro';

	static async start(store) {
		const writer = new AstroWriter();
		writer.astro = await startAstro(store);
		return writer;
	}

	async set({ cookies }, key, value) {
		await new Client(cookies).set(this.astro, key, value);
	}

	async delete({ cookies }, key) {
		await new Client(cookies).steps(this.astro, { do: 'delete', key });
	}

	async destroy({ cookies }) {
		await new Client(cookies).steps(this.astro, { do: 'destroy' });
	}

	/** It ends with the store. */
	async close() {}
}
