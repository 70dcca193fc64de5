// @ts-check
// The same site before `cloakroom serve` with the integration. Where that is, the environment says when the server runs.
import cloakroom from '@cloakroom/astro';
import config from './astro.config.mjs';

export default {
	...config,
	outDir: './dist-cloakroom-http',
	session: undefined,
	integrations: [cloakroom({ driver: { entrypoint: 'unstorage/drivers/http', config: { base: { $env: 'SESSIONS_URL' } } } })],
};
