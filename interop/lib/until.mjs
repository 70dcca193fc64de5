import { setImmediate } from 'node:timers/promises';

/** Asks again until the answer is true, and fails when the deadline passes first. */
export async function until(what, ask, { deadline = 15_000 } = {}) {
	const end = Date.now() + deadline;
	while (!(await ask())) {
		if (Date.now() > end) throw new Error(`waited ${deadline} ms in vain until ${what}`);
		await setImmediate();
	}
}
