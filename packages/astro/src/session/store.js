// A driver, in terms of sessions: what is found under an ID, and what it means that a call fails.
import { endOf, hasPassed } from '../time.js';
import { SessionCorruptError, SessionUnavailableError } from './errors.js';
import { isTombstone, readTombstone, REMEMBERED, writeTombstone } from './tombstone.js';

/**
 * What every driver does. A version says which value was seen; `ends` is when the item expires at the store, in
 * milliseconds since 1970, and `undefined` for never. A ttl is in seconds, and `undefined` for ever.
 *
 * @typedef {{ text: string, version: unknown, ends?: number }} Item
 * @typedef {'always' | 'absent' | { version: unknown }} Condition
 * @typedef {object} Driver
 * @property {string} name
 * @property {boolean} expires Whether items end by themselves.
 * @property {number} [ttl] For how long an item lives that is written without a ttl.
 * @property {(key: string) => Promise<Item | null>} get
 * @property {(key: string, text: string, when: Condition, ttl?: number) => Promise<{ version: unknown } | null>} set
 *   Gives the version that was written, or null where the condition did not hold.
 * @property {(key: string, when: Condition) => Promise<'removed' | 'missing' | 'conflict'>} remove
 * @property {(key: string, ttl?: number) => Promise<boolean>} touch
 * @property {() => void} [close] Gives up a connection.
 */
/**
 * What is under an ID: a record, the tombstone of one that was retired, or nothing.
 * @typedef {{ is: 'alive', item: Item } | { is: 'retired', by: string } | { is: 'missing' }} Found
 */

export class Store {
	/** @param {Driver} driver */
	constructor(driver) {
		this.driver = driver;
	}

	/** @param {string} id @returns {Promise<Found>} */
	async find(id) {
		const item = await this.#call('be read', () => this.driver.get(id));
		if (!item || hasPassed(item.ends)) return { is: 'missing' };
		if (!isTombstone(item.text)) return { is: 'alive', item };
		const tombstone = readTombstone(item.text, Date.now());
		return tombstone ? { is: 'retired', by: tombstone.by } : { is: 'missing' };
	}

	/**
	 * What is there of a session that is to be retired: what cannot be read is retired as well.
	 * @param {string} id
	 * @returns {Promise<Found | { is: 'unreadable' }>}
	 */
	async look(id) {
		try {
			return await this.find(id);
		} catch (error) {
			if (error instanceof SessionCorruptError) return { is: 'unreadable' };
			throw error;
		}
	}

	/**
	 * Writes a record. Gives the item as it is stored now, or null where the condition did not hold.
	 * @param {string} id @param {string} text @param {Condition} when @param {number | undefined} wanted
	 * @returns {Promise<Item | null>}
	 */
	async write(id, text, when, wanted) {
		// No store takes one of no time at all.
		const ttl = wanted === undefined ? undefined : Math.max(wanted, 0.001);
		const written = await this.#call('be written to', () => this.driver.set(id, text, when, ttl));
		if (!written) return null;
		return { text, version: written.version, ends: endOf(ttl ?? this.driver.ttl) };
	}

	/**
	 * Puts a tombstone in the place of a record, or removes it where the store cannot keep one for a time. Whether the
	 * condition held.
	 * @param {string} id @param {Condition} when @param {'moved' | 'destroyed'} fate @param {string} by
	 */
	async retire(id, when, fate, by) {
		return this.#call('retire a session', async () => {
			if (!this.driver.expires) return (await this.driver.remove(id, when)) === 'removed';
			const tombstone = writeTombstone(fate, by, Date.now());
			return (await this.driver.set(id, tombstone, when, REMEMBERED)) !== null;
		});
	}

	/** Removes whatever is there. @param {string} id */
	async remove(id) {
		return this.#call('remove a session', () => this.driver.remove(id, 'always'));
	}

	/**
	 * @template T
	 * @param {string} what
	 * @param {() => Promise<T>} call
	 */
	async #call(what, call) {
		try {
			return await call();
		} catch (cause) {
			// What is stored is the same whenever it is asked for.
			if (cause instanceof SessionCorruptError) throw cause;
			throw new SessionUnavailableError(what, cause);
		}
	}
}
