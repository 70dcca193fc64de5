// @ts-check
// The same site without that line.
import config from './astro.config.mjs';

export default { ...config, outDir: './dist-plain', integrations: [] };
