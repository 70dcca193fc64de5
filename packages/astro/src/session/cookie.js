// The cookie's name and attributes, as Astro has them.
import { absoluteLeft, isRemembered } from './lifetime.js';

/** @typedef {{ maxAge?: number, [attribute: string]: unknown }} CookieOptions */
/** @typedef {{ name: string, options: CookieOptions }} CookieSettings */

/**
 * @param {string | { name?: string, [attribute: string]: unknown } | undefined} configured As `session.cookie` says it.
 * @param {boolean} isProduction
 * @returns {CookieSettings}
 */
export function cookieSettings(configured, isProduction) {
	const { name = 'astro-session', ...rest } = typeof configured === 'string' ? { name: configured } : (configured ?? {});
	return { name, options: { sameSite: 'lax', secure: isProduction, path: '/', ...rest, httpOnly: true } };
}

/**
 * The attributes for this session: the cookie lives no longer than the session may.
 * @param {CookieSettings} settings
 * @param {Map<string, import('./record.js').Entry>} entries
 * @param {import('./lifetime.js').Limits} limits
 */
export function cookieOptions({ options }, entries, limits) {
	const wanted = (isRemembered(entries) ? limits.remember : undefined) ?? options.maxAge;
	if (wanted === undefined) return options;
	const longest = absoluteLeft(entries, limits, Date.now()) ?? Infinity;
	return { ...options, maxAge: Math.floor(Math.min(wanted, longest)) };
}
