// Builds the site for each store, files and Redis, as Astro has it and with the package `@cloakroom/astro`. Both drivers
// resolve a relative path where the server runs.
import node from '@astrojs/node';
import cloakroom from '@cloakroom/astro';
import { build } from 'astro';
import { sessionDrivers } from 'astro/config';

const drivers = {
	files: sessionDrivers.fs({ base: '.data/sessions' }),
	redis: sessionDrivers.redis({ path: 'redis.sock' }),
};
const integrations = { plain: [], package: [cloakroom()] };
for (const [store, driver] of Object.entries(drivers)) {
	for (const [name, used] of Object.entries(integrations)) {
		await build({
			root: import.meta.dirname,
			configFile: false,
			output: 'server',
			outDir: `./dist/${store}-${name}`,
			adapter: node({ mode: 'standalone' }),
			integrations: used,
			session: { driver },
			security: { checkOrigin: false },
			devToolbar: { enabled: false },
		});
	}
}
