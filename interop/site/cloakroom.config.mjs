// @ts-check
// The same site with the integration, in one line.
import cloakroom from '@cloakroom/astro';
import config from './astro.config.mjs';

export default { ...config, outDir: './dist-cloakroom', integrations: [cloakroom()] };
