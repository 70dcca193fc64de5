// @ts-check
// One line is ours. The driver is the adapter's default: files below `cacheDir`.
import node from '@astrojs/node';
import cloakroom from '@cloakroom/astro';
import { defineConfig } from 'astro/config';

export default defineConfig({
	output: 'server',
	adapter: node({ mode: 'standalone' }),
	integrations: [cloakroom()],
	cacheDir: '../.data',
	devToolbar: { enabled: false },
});
