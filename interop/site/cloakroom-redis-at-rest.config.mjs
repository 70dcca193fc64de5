// @ts-check
// The same on Redis.
import cloakroom from '@cloakroom/astro';
import { atRest } from './cloakroom-at-rest.config.mjs';
import config from './redis.config.mjs';

export default { ...config, outDir: './dist-cloakroom-redis-at-rest', integrations: [cloakroom(atRest)] };
