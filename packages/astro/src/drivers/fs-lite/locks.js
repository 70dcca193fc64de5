// One writer at a time, among all processes that write the folder: the kernel's `flock` on one of 64 lock files, as the Rust
// side takes it.
//
// Node has no such call. On macOS and the BSDs a file can be opened with the lock taken. On Linux a small shell process
// takes it with the command `flock` (util-linux, busybox) and gives it back when it is told so, or when this process ends,
// whichever way. It is started with the first write and takes one lock at a time; a few of them serve all writes.
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';

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
	 * Does something while nobody else has the key's lock.
	 * @template T
	 * @param {string} key
	 * @param {(stripe: string) => Promise<T>} work
	 * @returns {Promise<T>}
	 */
	async hold(key, work) {
		const stripe = stripeOf(key);
		const before = this.#queues.get(stripe);
		const turn = (async () => {
			await before?.catch(() => {});
			const file = path.join(this.folder, `${stripe}.lock$`);
			if (OPENS_LOCKED) return withOpenLock(file, () => work(stripe));
			const holder = await this.#take();
			try {
				await holder.lock(file);
				try {
					return await work(stripe);
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

// Reads the name of a lock file, takes its lock, says so, and gives it back after the next line. A lock on a file that was
// replaced meanwhile excludes nobody.
const HOLD = `
while IFS= read -r file; do
	while :; do
		exec 9>>"$file" || { echo failed; exit 1; }
		flock 9 || { echo failed; exit 1; }
		[ "$file" -ef /proc/self/fd/9 ] && break
	done
	echo locked
	IFS= read -r go || exit 0
	exec 9>&-
done
`;

/** A process that holds one lock at a time. It ends with this one, and keeps it from ending only while a lock is held. */
class Holder {
	#process = spawn('sh', ['-c', HOLD], { stdio: ['pipe', 'pipe', 'pipe'] });
	#output = '';
	#errors = '';
	isAlive = true;
	/** @type {((error?: Error) => void) | undefined} */
	#answer;

	constructor() {
		const { stdin, stdout, stderr } = this.#process;
		const end = (/** @type {string} */ why) => {
			this.isAlive = false;
			this.#answer?.(new Error(`a lock could not be taken: ${why}. On Linux it needs the command \`flock\` (util-linux).`));
		};
		this.#process.on('error', (error) => end(error.message));
		this.#process.on('exit', () => end(this.#errors.trim() || 'its process has ended'));
		stdin.on('error', () => {});
		stderr.setEncoding('utf8').on('data', (text) => (this.#errors = (this.#errors + text).slice(-500)));
		stdout.setEncoding('utf8').on('data', (text) => {
			this.#output += text;
			if (!this.#output.includes('\n')) return;
			const isLocked = this.#output.startsWith('locked');
			this.#output = '';
			if (isLocked) this.#answer?.();
		});
		this.#count('unref');
	}

	/** Whether this process waits for it. @param {'ref' | 'unref'} how */
	#count(how) {
		const { stdin, stdout, stderr } = this.#process;
		for (const part of [this.#process, stdin, stdout, stderr]) /** @type {any} */ (part)[how]?.();
	}

	/** @param {string} file @returns {Promise<void>} */
	lock(file) {
		if (!this.isAlive) return Promise.reject(new Error('a lock could not be taken: its process has ended'));
		this.#count('ref');
		return new Promise((resolve, reject) => {
			this.#answer = (error) => {
				this.#answer = undefined;
				if (error) reject(error);
				else resolve();
			};
			this.#process.stdin.write(`${file}\n`);
		});
	}

	unlock() {
		if (this.isAlive) this.#process.stdin.write('\n');
		this.#count('unref');
	}
}
