// Many updates at once of one list in one session, on servers that may die meanwhile.
import assert from 'node:assert/strict';
import { Client } from './client.mjs';
import { until } from './until.mjs';

const AT_ONCE = 2;

export class Burst {
	/** What became of each item: its server, and the status that was answered; none where nothing was. */
	#items = new Map();
	#asked = 0;
	#isOver = false;
	#workers;

	/**
	 * Pushes items to `cart` until the end, some at a time on each server.
	 * @param {Client} client Whose session it is.
	 * @param {Record<string, { url: string }>} servers By name. A server that has died is replaced there.
	 */
	constructor(client, servers) {
		this.client = client;
		this.servers = servers;
		this.#workers = Object.keys(servers).flatMap((name) => Array.from({ length: AT_ONCE }, () => this.#push(name)));
	}

	async #push(name) {
		while (!this.#isOver) {
			const server = this.servers[name];
			const item = `${name}-${this.#asked++}`;
			const status = await this.#ask(server, item);
			this.#items.set(item, { name, status });
			if (status === undefined) await until(`${name} is started again`, () => this.#isOver || this.servers[name] !== server);
		}
	}

	async #ask(server, item) {
		const init = {
			method: 'POST',
			body: JSON.stringify([{ do: 'push', key: 'cart', item }]),
			headers: { 'content-type': 'application/json' },
		};
		try {
			const response = await new Client(this.client.cookies).request(server, '/api/session', init);
			await response.text();
			return response.status;
		} catch {
			return undefined;
		}
	}

	#count(name, status) {
		return [...this.#items.values()].filter((item) => item.name === name && item.status === status).length;
	}

	/** Waits until each server has answered so some more times. */
	async answers(status, times) {
		const names = Object.keys(this.servers);
		const wanted = new Map(names.map((name) => [name, this.#count(name, status) + times]));
		await until(`each has answered ${status}`, () => names.every((name) => this.#count(name, status) >= wanted.get(name)));
	}

	/** Ends it. The items by the status that was answered, and those that were `lost`. */
	async end() {
		this.#isOver = true;
		await Promise.all(this.#workers);
		return Object.groupBy([...this.#items.keys()], (item) => this.#items.get(item).status ?? 'lost');
	}
}

/** What was acknowledged is in the list, and nothing twice. What was not may be there, if nobody can know. */
export function assertKept(list, { 200: saved = [] }) {
	assert.equal(new Set(list).size, list.length, 'an item is there twice');
	assert.deepEqual(list.filter((item) => saved.includes(item)).toSorted(), saved.toSorted());
}
