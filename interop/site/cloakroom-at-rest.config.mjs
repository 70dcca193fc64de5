// @ts-check
// The same site with the integration, IDs hashed and records sealed. The environment has the secrets when the server runs.
import cloakroom from '@cloakroom/astro';
import config from './astro.config.mjs';

export const atRest = { hashIds: { secret: { $env: 'SITE_SECRET' } }, encryption: true };

export default { ...config, outDir: './dist-cloakroom-at-rest', integrations: [cloakroom(atRest)] };
