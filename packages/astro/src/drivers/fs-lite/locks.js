// One writer at a time, among all processes that write the folder: the kernel's `flock` on one of 64 lock files, as the Rust
// side takes it.
//
// Node has no such call. On macOS and the BSDs a file can be opened with the lock taken. On Linux a small process takes it: a
// holder, started with the first write. It takes one lock at a time; a few of them serve all writes.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { Holder } from './holder.js';

/** How many locks there are. Processes of all versions and languages agree on it. */
const STRIPES = 64n;

/** How many locks are held at once. */
const HOLDERS = 4;

/** The name of a key's lock: FNV-1a of the key, as the Rust side has it. @param {string} key */
export function stripeOf(key) {
	let hash = 0xcbf29ce484222325n;
	for (const part of key.split(/(?<=:)/)) {
		// Names that some file systems take for the same one have one lock.
		if (!/^[\x00-\x7f]*$/.test(part)) continue;
		for (const letter of part.toLowerCase()) {
			hash = BigInt.asUintN(64, (hash ^ BigInt(letter.charCodeAt(0))) * 0x100000001b3n);
		}
	}
	return String(hash % STRIPES).padStart(2, '0');
}

export class Locks {
	/** Who waits for a stripe in this process. @type {Map<string, Promise<unknown>>} */
	#queues = new Map();
	/** @type {Holder[]} */
	#free = [];
	#holders = 0;
	/** @type {Array<(holder: Holder) => void>} */
	#waiting = [];

	/** @param {string} folder Where the lock files are. */
	constructor(folder) {
		this.folder = folder;
	}

	/**
	 * Does something while nobody else has the key's lock. Right before it writes it asks whether that is still so.
	 * @template T
	 * @param {string} key
	 * @param {(stripe: string, check: () => void) => Promise<T>} work
	 * @returns {Promise<T>}
	 */
	async hold(key, work) {
		const stripe = stripeOf(key);
		const before = this.#queues.get(stripe);
		const turn = (async () => {
			await before?.catch(() => {});
			const file = path.join(this.folder, `${stripe}.lock$`);
			if (OPENS_LOCKED) return withOpenLock(file, () => work(stripe, () => {}));
			const holder = await this.#take();
			try {
				await holder.lock(file);
				try {
					return await work(stripe, () => holder.check());
				} finally {
					holder.unlock();
				}
			} finally {
				this.#give(holder);
			}
		})();
		this.#queues.set(stripe, turn);
		try {
			return await turn;
		} finally {
			if (this.#queues.get(stripe) === turn) this.#queues.delete(stripe);
		}
	}

	/** @returns {Holder | Promise<Holder>} */
	#take() {
		while (this.#free.length > 0) {
			const free = /** @type {Holder} */ (this.#free.pop());
			if (free.isAlive) return free;
			this.#holders--;
		}
		if (this.#holders < HOLDERS) {
			this.#holders++;
			return new Holder();
		}
		return new Promise((resolve) => this.#waiting.push(resolve));
	}

	/** @param {Holder} holder */
	#give(holder) {
		const next = holder.isAlive ? holder : undefined;
		const waiting = this.#waiting.shift();
		if (waiting) waiting(next ?? new Holder());
		else if (next) this.#free.push(next);
		else this.#holders--;
	}
}

/** Whether a file can be opened with its lock taken. */
const OPENS_LOCKED = ['darwin', 'freebsd', 'netbsd', 'openbsd'].includes(process.platform);
/** Of those systems. */
const O_EXLOCK = 0x20;

/** @template T @param {string} file @param {() => Promise<T>} work */
async function withOpenLock(file, work) {
	const handle = await open(file, constants.O_RDWR | constants.O_CREAT | O_EXLOCK);
	try {
		return await work();
	} finally {
		await handle.close();
	}
}
