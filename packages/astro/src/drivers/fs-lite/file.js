// A file's text and its modification time, read or written together.
//
// What is asked of an open file does not wait for the disk, and is asked at once: what is awaited takes its turn in another
// thread, and that is most of what a call costs.
import { closeSync, fstatSync, futimesSync, open, read, writeFile } from 'node:fs';
import { promisify } from 'node:util';

/** Nobody but the owner may use what is made, as on the Rust side. */
export const OF_OWNER = { file: 0o600, folder: 0o700 };

const [openFile, readOpen, writeOpen] = [promisify(open), promisify(read), promisify(writeFile)];

/** Both of the same file, whatever is renamed into its place meanwhile. What is longer by then is told in part. @param {string} file */
export async function readText(file) {
	const opened = await openFile(file, 'r');
	try {
		const { size, mtimeMs } = fstatSync(opened);
		const { bytesRead, buffer } = await readOpen(opened, Buffer.allocUnsafe(size), 0, size, 0);
		return { text: buffer.toString('utf8', 0, bytesRead), modified: mtimeMs };
	} finally {
		closeSync(opened);
	}
}

/** Makes a file that is not there yet. @param {string} file @param {string} text @param {number} modified In milliseconds since 1970. */
export async function writeText(file, text, modified) {
	const opened = await openFile(file, 'wx', OF_OWNER.file);
	try {
		await writeOpen(opened, text);
		futimesSync(opened, modified / 1000, modified / 1000);
	} finally {
		closeSync(opened);
	}
}
