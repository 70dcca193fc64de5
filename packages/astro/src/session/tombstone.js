// What stands in the place of a session that was retired, for as long as requests may still carry its ID. To whoever reads
// it as JavaScript's drivers do it is the number zero, which is no session. Cloakroom's Rust side has the same format.

/** For how long a retired ID is remembered, in seconds. */
export const REMEMBERED = 60;

/** How far the clocks of two machines may be apart, in milliseconds. */
export const CLOCK_SKEW = 60_000;

const FORM = /^1(\d{10})(\d)(\d{4})\.(\d{16})1e-999$/;

/** Which attempt to retire a session this is, so that one whose answer was lost is known by its tombstone. */
export function newRetirement() {
	const [number] = crypto.getRandomValues(new BigUint64Array(1));
	return String(number).padStart(20, '0');
}

/**
 * @param {'moved' | 'destroyed'} fate
 * @param {string} by
 * @param {number} now Milliseconds since 1970.
 */
export function writeTombstone(fate, by, now) {
	const until = String(Math.ceil(now / 1000) + REMEMBERED).padStart(10, '0');
	return `1${until}${fate === 'moved' ? 1 : 2}${by.slice(0, 4)}.${by.slice(4)}1e-999`;
}

/** Whether this is a tombstone, also one whose time has passed. @param {string} text */
export const isTombstone = (text) => FORM.test(text);

/**
 * Who retired the session whose place this stands in; `undefined` where its time has passed, or it is no tombstone.
 * @param {string} text
 * @param {number} now Milliseconds since 1970.
 */
export function readTombstone(text, now) {
	const found = FORM.exec(text);
	if (!found || now > Number(found[1]) * 1000 + CLOCK_SKEW) return undefined;
	return { by: found[3] + found[4] };
}
