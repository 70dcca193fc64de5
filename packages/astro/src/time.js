// When something ends, in milliseconds since 1970; `undefined` for never.

/** When what lives for so many seconds from now ends. @param {number | undefined} ttl */
export const endOf = (ttl) => (ttl === undefined ? undefined : Date.now() + ttl * 1000);

/** @param {number | undefined} ends */
export const hasPassed = (ends) => ends !== undefined && ends <= Date.now();
