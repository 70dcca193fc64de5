// The holders of this process: a few, which are used again and again.
//
// A lock that somebody else keeps for long must not keep a holder from all other locks: whoever waits for more than a moment
// gives its place to another, and there may be as many holders as locks.
import { Holder } from './holder.js';

/** How many locks are taken at once, besides those that are waited for. */
const PLACES = 4;

/** For how long one who waits for a lock keeps its place, in milliseconds. */
const MOMENT = 100;

export class Holders {
	/** @type {Holder[]} */
	#idle = [];
	#places = PLACES;
	/** Who waits for a place. @type {Array<() => void>} */
	#waiting = [];

	/**
	 * Does something while the lock of a file is held, of which `check` tells.
	 * @template T
	 * @param {string} file
	 * @param {AbortSignal} signal Ends the wait for the lock.
	 * @param {(check: () => void) => Promise<T>} work
	 * @returns {Promise<T>}
	 */
	async hold(file, signal, work) {
		const leave = await this.#enter();
		try {
			signal.throwIfAborted();
			const holder = this.#find();
			try {
				await lockWithin(holder, file, signal, leave);
				try {
					return await work(() => holder.check());
				} finally {
					holder.unlock();
				}
			} finally {
				if (holder.isAlive && this.#idle.length < PLACES) this.#idle.push(holder);
				else holder.end();
			}
		} finally {
			leave();
		}
	}

	/** Takes a place. What it gives leaves it, once. @returns {Promise<() => void>} */
	async #enter() {
		if (this.#places > 0) this.#places--;
		else await new Promise((/** @type {(value?: undefined) => void} */ resolve) => this.#waiting.push(resolve));
		let isIn = true;
		return () => {
			if (!isIn) return;
			isIn = false;
			const next = this.#waiting.shift();
			if (next) next();
			else this.#places++;
		};
	}

	#find() {
		while (this.#idle.length > 0) {
			const holder = /** @type {Holder} */ (this.#idle.pop());
			if (holder.isAlive) return holder;
		}
		return new Holder();
	}
}

/** @param {Holder} holder @param {string} file @param {AbortSignal} signal @param {() => void} leave */
async function lockWithin(holder, file, signal, leave) {
	const end = () => holder.end();
	signal.addEventListener('abort', end);
	const moment = setTimeout(leave, MOMENT);
	try {
		await holder.lock(file);
		signal.throwIfAborted();
	} finally {
		clearTimeout(moment);
		signal.removeEventListener('abort', end);
	}
}
