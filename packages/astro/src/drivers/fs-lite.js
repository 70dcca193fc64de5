// Files, one for each item, as unstorage's `fs-lite` has them, which is Astro's `fs` too.
//
// What makes them safe is Cloakroom's own, and the same on the Rust side (`cloakroom_drivers::fs_lite` says why):
// - a value is written beside and renamed, so that a reader sees the old one or the new one;
// - bytes are compared under one of 64 lock files, chosen by the key;
// - a file's modification time is the item's deadline, 46 years early. A time of today's is none;
// - deadlines are noted in an index, from which the Rust side sweeps.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, link, mkdir, rename, stat, unlink, utimes } from 'node:fs/promises';
import path from 'node:path';
import { isSealed } from '../at-rest/mark.js';
import { endOf, hasPassed } from '../time.js';
import { OF_OWNER, readText, writeText } from './fs-lite/file.js';
import { Locks } from './fs-lite/locks.js';
import { bucketOf, deadlineOf, modifiedFor } from './fs-lite/times.js';

/** The folder inside the base that is ours. */
const OWN_FOLDER = '.cloakroom';

/** For how long a file that is being written in place is read again, in milliseconds. */
const SETTLES_WITHIN = 500;

/**
 * @param {{ base: string, readOnly?: boolean }} options
 * @returns {import('../session/store.js').Driver}
 */
export default function fsLite({ base, readOnly = false }) {
	if (!base) throw new Error('[cloakroom] [fs-lite] the option `base` is missing: it is the folder of the sessions.');
	const folder = path.resolve(base);
	const own = path.join(folder, OWN_FOLDER);
	const locks = new Locks(own);
	const fileOf = (/** @type {string} */ key) => path.join(folder, ...key.split(':'));

	/** @param {string} key */
	async function find(key) {
		const file = fileOf(key);
		const until = Date.now() + SETTLES_WITHIN;
		for (;;) {
			let text, modified;
			try {
				({ text, modified } = await readText(file));
			} catch (error) {
				if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null;
				throw error;
			}
			const ends = deadlineOf(modified);
			// Plain Astro writes in place: what is not whole is read again.
			if (text !== '' && isWhole(text)) {
				return hasPassed(ends) ? null : { text, version: text, ends };
			}
			if (Date.now() > until) {
				if (text === '') return null;
				return { text, version: text, ends };
			}
			await new Promise((resolve) => setTimeout(resolve, 2));
		}
	}

	/**
	 * Does something while nobody else writes this item. Right before it writes it asks whether that is still so.
	 * @template T
	 * @param {string} key
	 * @param {(prefix: string, check: () => void) => Promise<T>} work
	 */
	async function exclusively(key, work) {
		if (readOnly) throw new Error(`the folder ${folder} is read-only (option \`readOnly\`)`);
		if (!existsSync(own)) await makeFolder(own);
		return locks.hold(key, work);
	}

	/** @param {string} key @param {import('../session/store.js').Condition} when */
	async function holds(key, when) {
		if (when === 'always') return true;
		const found = await find(key);
		return when === 'absent' ? found === null : found !== null && found.text === when.version;
	}

	/** Notes when an item ends, before it says so itself. @param {string} key @param {number | undefined} ends */
	async function note(key, ends) {
		if (ends === undefined) return;
		await appendFile(path.join(own, `${bucketOf(ends, Date.now())}.expires$`), `\n${key}`, { mode: OF_OWNER.file });
	}

	return {
		name: 'fs-lite',
		expires: true,
		get: find,
		async set(key, text, when, ttl) {
			return exclusively(key, async (prefix, check) => {
				if (!(await holds(key, when))) return null;
				const file = fileOf(key);
				const temporary = path.join(own, `${prefix}-${randomBytes(8).toString('hex')}.tmp$`);
				const ends = endOf(ttl);
				await note(key, ends);
				try {
					await writeText(temporary, text, modifiedFor(ends, Date.now()));
					if (key.includes(':')) await makeFolder(path.dirname(file));
					if (when === 'absent' && !(await exists(file))) {
						// Unlike a rename, a link takes no place that somebody without a lock has taken meanwhile.
						check();
						await link(temporary, file);
						await unlink(temporary);
					} else {
						check();
						await rename(temporary, file);
					}
				} catch (error) {
					await unlink(temporary).catch(() => {});
					if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return null;
					throw error;
				}
				return { version: text };
			});
		},
		async remove(key, when) {
			return exclusively(key, async (_, check) => {
				const found = await find(key);
				if (!found) return 'missing';
				if (when !== 'always' && found.text !== /** @type {any} */ (when).version) return 'conflict';
				check();
				await unlink(fileOf(key));
				return 'removed';
			});
		},
		async touch(key, ttl) {
			return exclusively(key, async (_, check) => {
				if (!(await find(key))) return false;
				const ends = endOf(ttl);
				await note(key, ends);
				const modified = modifiedFor(ends, Date.now()) / 1000;
				check();
				await utimes(fileOf(key), modified, modified);
				return true;
			});
		},
	};
}

/** Whether this is a whole record or number, and not what was written of one so far. @param {string} text */
function isWhole(text) {
	// Plain Astro writes none.
	if (isSealed(text)) return true;
	try {
		JSON.parse(text);
		return true;
	} catch {
		return false;
	}
}

/** @param {string} folder */
const makeFolder = (folder) => mkdir(folder, { recursive: true, mode: OF_OWNER.folder });

/** @param {string} file */
const exists = (file) =>
	stat(file).then(
		() => true,
		() => false,
	);
