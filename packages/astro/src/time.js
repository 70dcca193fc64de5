// When something ends, in milliseconds since 1970; `undefined` for never.

/** When what lives for so many seconds from now ends. @param {number | undefined} ttl */
export const endOf = (ttl) => (ttl === undefined ? undefined : Date.now() + ttl * 1000);

/** The longest ttl in milliseconds, about thirty thousand years; what is longer never ends. */
const LONGEST_TTL = 1e15;

/** A ttl in milliseconds; `undefined` for ever. @param {number | undefined} ttl In seconds. */
export function millisecondsOf(ttl) {
	const rounded = ttl === undefined ? Infinity : Math.ceil(ttl * 1000);
	return rounded > LONGEST_TTL ? undefined : rounded;
}

/** @param {number | undefined} ends */
export const hasPassed = (ends) => ends !== undefined && ends <= Date.now();
