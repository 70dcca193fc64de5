// @ts-check
// The same site on Redis with the integration.
import cloakroom from '@cloakroom/astro';
import config from './redis.config.mjs';

export default { ...config, outDir: './dist-cloakroom-redis', integrations: [cloakroom()] };
