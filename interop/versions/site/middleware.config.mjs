// @ts-check
// The same site, for a server of one's own.
import node from '@astrojs/node';
import config from './astro.config.mjs';

export default { ...config, outDir: './dist-middleware', adapter: node({ mode: 'middleware' }) };
