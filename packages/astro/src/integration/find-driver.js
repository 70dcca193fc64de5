// Which of our drivers keeps what the site's own driver kept.

/** By unstorage's names, as they are in a configuration and in the names of its modules. */
const DRIVERS = /** @type {Record<string, string>} */ ({
	db0: 'db0',
	fs: 'fs-lite',
	fsLite: 'fs-lite',
	'fs-lite': 'fs-lite',
	http: 'http',
	memory: 'memory',
	netlifyBlobs: 'netlify-blobs',
	'netlify-blobs': 'netlify-blobs',
	redis: 'redis',
	upstash: 'upstash',
});

/**
 * @typedef {{ name: string, module: string, options: Record<string, unknown> }} FoundDriver
 */

/**
 * @param {string | { entrypoint: string | URL, config?: Record<string, unknown> } | undefined} driver As `session.driver`.
 * @param {Record<string, unknown>} [options] As `session.options`, beside a driver's name.
 * @returns {FoundDriver}
 */
export function findDriver(driver, options = {}) {
	if (!driver) {
		throw new Error(
			'[@cloakroom/astro] the site has no session driver: use an adapter that brings one (`npx astro add node`), or set `session.driver`.',
		);
	}
	const told = typeof driver === 'string' ? driver : String(driver.entrypoint);
	const given = typeof driver === 'string' ? options : (driver.config ?? {});
	// By its name, or as `unstorage/drivers/fs-lite`, or the file of that name. What has the same name elsewhere is another.
	const name = /^(?:.*\bunstorage\b.*\/)?([\w-]+)(?:\.[cm]?js)?$/.exec(told)?.[1] ?? told;
	const module = Object.hasOwn(DRIVERS, name) ? DRIVERS[name] : undefined;
	if (!module) {
		const reason = /cloudflare-?kv/i.test(name)
			? 'Cloudflare KV cannot compare and swap, so updates would be lost there'
			: 'it is not known how to compare and swap there';
		const known = [...new Set(Object.values(DRIVERS))].join(', ');
		throw new Error(
			`[@cloakroom/astro] the session driver ${JSON.stringify(told)} cannot be used: ${reason}. It can be one of ${known}; ` +
				'`http`, before `cloakroom serve`, brings any other store.',
		);
	}
	return { name: module, module: `@cloakroom/astro/drivers/${module}`, options: given };
}
