// The stores that the suites run over.
import { Folder } from './folder.mjs';
import { RedisStore } from './redis.mjs';

/** Those that Astro's own drivers open. */
export const astroStores = [Folder, RedisStore];
