// What all requests of a site share, made once for the process.
import { settled } from './environment.js';
import { cookieSettings } from './session/cookie.js';
import { Store } from './session/store.js';

/** @typedef {import('./session/store.js').Driver} Driver */
/**
 * What stands around a driver, and what its options are called.
 * @typedef {{ around: (driver: Driver, options: any) => Driver, of: string, options: object }} Layer
 */

const OPENED = Symbol.for('cloakroom.site');

/**
 * @param {object} settings As the integration has found them.
 * @param {string | { name?: string }} [settings.cookie]
 * @param {import('./session/lifetime.js').Limits} settings.limits
 * @param {'error' | 'retry' | 'merge'} settings.conflict
 * @param {boolean} settings.isProduction
 * @param {object} options The driver's.
 * @param {(options: any) => Driver} open
 * @param {Layer[]} [layers] What stands around the driver, the outermost last.
 * @returns {import('./session/session.js').Site}
 */
export function openSite(settings, options, open, layers = []) {
	const global = /** @type {Record<symbol, any>} */ (globalThis);
	const key = JSON.stringify([settings, options, layers]);
	const { cookie, limits, conflict, isProduction } = settings;
	return {
		/** Opened by the first who asks: where the site is built nobody does, and its variables need not be set. */
		get store() {
			// A development server loads this again whenever something changes; the connection stays.
			if (global[OPENED]?.key !== key) {
				global[OPENED]?.store.driver.close?.();
				const driver = layers.reduce((within, { around, of, options }) => around(within, settled(options, of)), open(settled(options)));
				global[OPENED] = { key, store: new Store(driver) };
			}
			return global[OPENED].store;
		},
		rules: { limits, conflict },
		cookie: cookieSettings(cookie, isProduction),
	};
}
