// @ts-check
// The same site on Redis with the driver's own options for keys and lifetimes.
import { sessionDrivers } from 'astro/config';
import config, { path } from './redis.config.mjs';

/** The Rust servers read the same object, so that both sides are configured alike. */
export const options = { base: 'site:sessions', ttl: 600 };

export default {
	...config,
	outDir: './dist-redis-options',
	session: { driver: sessionDrivers.redis({ path, ...options }) },
};
