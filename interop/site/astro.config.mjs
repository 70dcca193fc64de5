// @ts-check
import node from '@astrojs/node';
import { defineConfig, sessionDrivers } from 'astro/config';

export default defineConfig({
	output: 'server',
	adapter: node({ mode: 'standalone' }),
	session: {
		// The driver resolves a relative base where the server runs, so one build serves any folder.
		driver: sessionDrivers.fs({ base: '.data/sessions' }),
	},
	// Without it the origin check compares a form's Origin with a port that the server does not listen on.
	security: { allowedDomains: [{ hostname: 'localhost' }, { hostname: '127.0.0.1' }] },
	devToolbar: { enabled: false },
});
