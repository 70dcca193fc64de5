// Loads configurations as Astro does: of each of the files on the standard input, the session, or why there is none.
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const modules = path.resolve(import.meta.dirname, '../../node_modules');
const loader = path.join(modules, 'astro/dist/core/config/vite-load.js');
const { loadConfigWithVite } = await import(pathToFileURL(loader));

// What configurations print is none of the answer.
for (const method of ['log', 'info', 'warn', 'error']) console[method] = () => {};

const variables = { ...process.env };
const answers = [];
for (const { config, environment } of JSON.parse(await text(process.stdin))) {
	const root = path.dirname(config);
	process.chdir(root);
	for (const name of Object.keys(process.env)) delete process.env[name];
	Object.assign(process.env, variables, { NODE_ENV: 'production' }, environment);
	try {
		const { session } = await loadConfigWithVite({ root, configPath: config, fs });
		answers.push({ session });
	} catch (error) {
		answers.push({ error: String(error?.message ?? error) });
	}
}
process.stdout.write(JSON.stringify(answers), () => process.exit());
