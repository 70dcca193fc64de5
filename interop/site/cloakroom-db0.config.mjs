// @ts-check
// The same site on a database with the integration. Where it is, the environment says when the server runs.
import cloakroom from '@cloakroom/astro';
import { sessionDrivers } from 'astro/config';
import config from './astro.config.mjs';

export default {
	...config,
	outDir: './dist-cloakroom-db0',
	session: { driver: sessionDrivers.db0(/** @type {any} */ ({ url: { $env: 'SESSIONS_URL' } })) },
	integrations: [cloakroom()],
};
