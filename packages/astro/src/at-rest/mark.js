// What tells a sealed record from a plain one, for those who need not open it.

/** What every sealed record begins with, and no plain one. */
export const MARK = 'sealed.';

/** Whether this was meant to be a sealed record. @param {string} text */
export const isSealed = (text) => text.startsWith(MARK);
