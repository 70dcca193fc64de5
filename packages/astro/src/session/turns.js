// Who of this process writes a session next. Only those queue up who have met a conflict: the others need not wait.

/** How long anybody waits, in milliseconds: whoever has the turn may wait for this very request. A turn only saves tries. */
const PATIENCE = 1000;

/** Whether no request can wait for another, since that one's I/O is none of its own. */
const IS_ALONE = globalThis.navigator?.userAgent === 'Cloudflare-Workers';

/** @type {Map<string, Promise<void>>} */
const queues = new Map();

/**
 * Waits for the turn of this session; the function that it gives ends it.
 * @param {string} id
 * @returns {Promise<() => void>}
 */
export async function takeTurn(id) {
	if (IS_ALONE) return () => {};
	const before = queues.get(id);
	let end = () => {};
	const turn = new Promise((/** @type {(value?: undefined) => void} */ resolve) => (end = resolve));
	const all = (before ?? Promise.resolve()).then(() => turn);
	queues.set(id, all);
	if (before) {
		let timer;
		await Promise.race([before, new Promise((resolve) => (timer = setTimeout(resolve, PATIENCE)))]);
		clearTimeout(timer);
	}
	return () => {
		end();
		if (queues.get(id) === all) queues.delete(id);
	};
}

/** Lets another process go first, for longer the more often that was of no use. @param {number} conflicts */
export function giveWay(conflicts) {
	const longest = Math.min(2 ** conflicts, 64);
	return new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
}
