// Builds the site once for each of its configurations.
import { readdirSync } from 'node:fs';
import { build } from 'astro';

const root = import.meta.dirname;
for (const configFile of readdirSync(root).filter((name) => name.endsWith('.config.mjs'))) {
	await build({ root, configFile });
}
