// Whether what npm has installed runs. Its failure is told before the first test, and not by each of them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const wanted = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const node = Object.values(wanted.optionalDependencies)[0];
assert.equal(process.versions.node, node, `Node.js ${node} was not installed for this machine`);

for (const name of ['astro', 'devalue', 'unstorage', 'ioredis', 'mongodb', 'playwright-core', 'miniflare']) {
	await import(name);
}
// Native programs, each in a package for this machine.
const { transformSync } = await import('esbuild');
assert.equal(transformSync('1').code, '1;\n');
const workerd = fileURLToPath(new URL('../node_modules/.bin/workerd', import.meta.url));
assert.match(execFileSync(workerd, ['--version'], { encoding: 'utf8' }), /^workerd /);
process.exit();
