// @ts-check
import { fileURLToPath } from 'node:url';
import node from '@astrojs/node';
import cloakroom from '@cloakroom/astro';
import { defineConfig, sessionDrivers } from 'astro/config';

// Where visitors reach the site: the proxy's address, not Astro's own.
const origin = new URL(process.env.ORIGIN ?? 'http://localhost');

// Files, unless the two halves are on two machines.
const driver = process.env.REDIS_URL
	? sessionDrivers.redis({ url: process.env.REDIS_URL })
	: sessionDrivers.fsLite({ base: fileURLToPath(new URL('.data/sessions', import.meta.url)) });

export default defineConfig({
	output: 'server',
	adapter: node({ mode: 'standalone' }),
	// The sessions keep what they promise beside Rust, which learns of them from what this writes when the site is built.
	integrations: [cloakroom({ idle: 30 * 24 * 60 * 60 })],
	session: { driver, cookie: { secure: origin.protocol === 'https:' } },
	// Behind a proxy Astro takes a host's name from the headers only where it is one of these.
	security: { allowedDomains: [{ hostname: origin.hostname }, { hostname: '127.0.0.1' }] },
	devToolbar: { enabled: false },
});
