// Who of this process writes a session next. Only those queue up who have met a conflict: the others need not wait.

/**
 * How long those who wait see nobody come to an end before one more may go, in milliseconds: whoever has the turn may wait for
 * one of them. Were all let go, where the store is slow, they would only meet each other again and again.
 */
const PATIENCE = 1000;

/** Whether no request can wait for another, since that one's I/O is none of its own. */
const IS_ALONE = globalThis.navigator?.userAgent === 'Cloudflare-Workers';

class Queue {
	/** How many may have their turn at once. */
	#turns = 1;
	#taken = 0;
	/** @type {Array<() => void>} */
	#waiting = [];
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	get isEmpty() {
		return this.#taken === 0;
	}

	/** @returns {Promise<void>} */
	async take() {
		const turn = new Promise((/** @type {(value?: undefined) => void} */ resolve) => this.#waiting.push(resolve));
		this.#admit();
		if (this.#waiting.length === 1) this.#watch();
		return turn;
	}

	/** Somebody has come to an end. */
	end() {
		this.#taken--;
		this.#admit();
		this.#watch();
	}

	#admit() {
		while (this.#taken < this.#turns && this.#waiting.length > 0) {
			this.#taken++;
			this.#waiting.shift()?.();
		}
	}

	#watch() {
		clearTimeout(this.#timer);
		if (this.#waiting.length === 0) return;
		this.#timer = setTimeout(() => {
			this.#turns++;
			this.#admit();
			this.#watch();
		}, PATIENCE);
	}
}

/** @type {Map<string, Queue>} */
const queues = new Map();

/**
 * Waits for the turn of this session; the function that it gives ends it.
 * @param {string} id
 * @returns {Promise<() => void>}
 */
export async function takeTurn(id) {
	if (IS_ALONE) return () => {};
	const queue = queues.get(id) ?? new Queue();
	queues.set(id, queue);
	await queue.take();
	return () => {
		queue.end();
		if (queue.isEmpty) queues.delete(id);
	};
}

/** Lets another process go first, for longer the more often that was of no use. @param {number} conflicts */
export function giveWay(conflicts) {
	const longest = Math.min(2 ** conflicts, 64);
	return new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
}
