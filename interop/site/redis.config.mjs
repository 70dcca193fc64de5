// @ts-check
// The same site on Astro's own redis driver.
import { sessionDrivers } from 'astro/config';
import config from './astro.config.mjs';

/** ioredis resolves the path of a socket where the server runs, so one build serves any Redis. */
export const path = 'redis.sock';

export default {
	...config,
	outDir: './dist-redis',
	session: { driver: sessionDrivers.redis({ path }) },
};
