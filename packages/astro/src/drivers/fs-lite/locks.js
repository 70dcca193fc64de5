// One writer at a time, among all processes that write the folder: the kernel's `flock` on one of 64 lock files, as the Rust
// side takes it.
//
// Node has no such call. On macOS and the BSDs a file can be opened with the lock taken. On Linux a small process takes it: a
// holder, started with the first write. It takes one lock at a time; a few of them serve all writes.
//
// A process that is halted keeps its locks. Nobody waits for ever: the write fails, as it does on the Rust side.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { OF_OWNER } from './file.js';
import { Holders } from './holders.js';

/** How many locks there are. Processes of all versions and languages agree on it. */
const STRIPES = 64n;

/** For how long a lock is waited for, in milliseconds: as long as the Rust side waits for a store. */
const PATIENCE = 5000;

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
	#holders = new Holders();

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
		const file = path.join(this.folder, `${stripe}.lock$`);
		const wait = new AbortController();
		const timer = setTimeout(() => wait.abort(new Error(waitedInVain(file))), PATIENCE);
		const locked = (/** @type {() => void} */ check) => {
			clearTimeout(timer);
			return work(stripe, check);
		};
		const before = this.#queues.get(stripe);
		const turn = (async () => {
			await before?.catch(() => {});
			wait.signal.throwIfAborted();
			if (OPENS_LOCKED) return withOpenLock(file, wait.signal, locked);
			return this.#holders.hold(file, wait.signal, locked);
		})();
		// Who gives up its wait leaves the queue in its turn, so that no more than one of this process waits for a lock.
		this.#queues.set(stripe, turn);
		const end = () => {
			clearTimeout(timer);
			if (this.#queues.get(stripe) === turn) this.#queues.delete(stripe);
		};
		turn.then(end, end);
		return Promise.race([turn, whenAborted(wait.signal)]);
	}
}

/** @param {string} file */
const waitedInVain = (file) =>
	`the lock ${file} was not free within ${PATIENCE / 1000} s: a process that writes to this folder may be halted, or its disk is too slow.`;

/** @param {AbortSignal} signal @returns {Promise<never>} */
const whenAborted = (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** Whether a file can be opened with its lock taken. */
const OPENS_LOCKED = ['darwin', 'freebsd', 'netbsd', 'openbsd'].includes(process.platform);
/** Of those systems. */
const O_EXLOCK = 0x20;
/** Between two tries to take a lock there, in milliseconds. */
const BETWEEN_TRIES = 5;

/** @template T @param {string} file @param {AbortSignal} signal @param {(check: () => void) => Promise<T>} work */
async function withOpenLock(file, signal, work) {
	const handle = await openLocked(file, signal);
	try {
		signal.throwIfAborted();
		return await work(() => {});
	} finally {
		await handle.close();
	}
}

/** A call that waited itself would keep one of Node's few threads from all other files. @param {string} file @param {AbortSignal} signal */
async function openLocked(file, signal) {
	for (;;) {
		signal.throwIfAborted();
		try {
			return await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | O_EXLOCK, OF_OWNER.file);
		} catch (error) {
			if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EAGAIN') throw error;
		}
		await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES));
	}
}
