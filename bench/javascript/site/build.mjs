// Builds the site twice, with its sessions in files and in Redis. Both drivers resolve a relative path where the server
// runs.
import node from '@astrojs/node';
import { build } from 'astro';
import { sessionDrivers } from 'astro/config';

const drivers = {
	files: sessionDrivers.fs({ base: '.data/sessions' }),
	redis: sessionDrivers.redis({ path: 'redis.sock' }),
};
for (const [name, driver] of Object.entries(drivers)) {
	await build({
		root: import.meta.dirname,
		configFile: false,
		output: 'server',
		outDir: `./dist/${name}`,
		adapter: node({ mode: 'standalone' }),
		session: { driver },
		security: { checkOrigin: false },
		devToolbar: { enabled: false },
	});
}
