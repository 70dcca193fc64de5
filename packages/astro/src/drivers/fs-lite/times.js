// When an item ends, as its file tells it. The Rust side reads and writes the same times.

const DAY = 24 * 60 * 60 * 1000;

/** How much earlier than the deadline the modification time is. */
const EARLY = 16_801 * DAY;

/** The modification times that are deadlines: until 2022, before anybody wrote an item. */
const FIRST = 2 * DAY;
const END = 52 * 365 * DAY;

/** How far back a file without a deadline is dated, so that it is not taken for one that is being written in place. */
const SET_BACK = 3000;

/** When the item ends, of a file with this modification time; all in milliseconds since 1970. @param {number} modified */
export function deadlineOf(modified) {
	return modified >= FIRST && modified < END ? modified + EARLY : undefined;
}

/** The modification time of a file whose item ends then. What would end after 2067 does not end. @param {number | undefined} ends @param {number} now */
export function modifiedFor(ends, now) {
	if (ends === undefined || ends - EARLY >= END) return now - SET_BACK;
	return Math.max(ends - EARLY, FIRST);
}

/** How many buckets of the index at least lie between now and a deadline. */
const BUCKETS_AHEAD = 16;

/** The name of the bucket for a deadline: the end of a span of time, the narrower the nearer it is. @param {number} ends @param {number} now */
export function bucketOf(ends, now) {
	const ahead = Math.floor(Math.max(0, ends - now) / 1000);
	const width = 2 ** Math.floor(Math.log2(Math.max(1, Math.floor(ahead / BUCKETS_AHEAD))));
	const end = Math.ceil((Math.floor(ends / 1000) + 1) / width) * width;
	return String(end).padStart(11, '0');
}
