// A site that knows nothing of this repository, with the package `@cloakroom/astro` as npm would install it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const require = createRequire(import.meta.url);
const folderOf = (name) => path.dirname(require.resolve(`${name}/package.json`));

export class FreshSite {
	root = mkdtempSync(path.join(tmpdir(), 'cloakroom-site-'));
	#modules = path.join(this.root, 'node_modules');
	#installed = path.join(this.#modules, '@cloakroom/astro');

	constructor() {
		const source = path.resolve(import.meta.dirname, '../../packages/astro');
		execFileSync('npm', ['pack', '--silent', '--pack-destination', this.root], { cwd: source });
		const [packed] = readdirSync(this.root).filter((name) => name.endsWith('.tgz'));
		mkdirSync(this.#installed, { recursive: true });
		execFileSync('tar', ['--extract', '--strip-components=1', '--file', path.join(this.root, packed), '--directory', this.#installed]);
		// What npm would install beside it is here already.
		for (const name of ['astro', '@astrojs/node']) {
			mkdirSync(path.dirname(path.join(this.#modules, name)), { recursive: true });
			symlinkSync(folderOf(name), path.join(this.#modules, name));
		}
		this.write('package.json', JSON.stringify({ type: 'module', dependencies: { astro: '*', '@cloakroom/astro': '*' } }));
	}

	/** The package's own manifest, as it is installed. */
	get manifest() {
		return JSON.parse(readFileSync(path.join(this.#installed, 'package.json'), 'utf8'));
	}

	write(file, text) {
		mkdirSync(path.dirname(path.join(this.root, file)), { recursive: true });
		writeFileSync(path.join(this.root, file), text);
	}

	/** Runs a package's program in the site's folder. Gives what it prints, and throws where it fails. */
	run(name, program, ...args) {
		return execFileSync(process.execPath, [path.join(folderOf(name), program), ...args], {
			cwd: this.root,
			env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' },
			stdio: 'pipe',
			encoding: 'utf8',
		});
	}

	remove() {
		rmSync(this.root, { recursive: true, force: true });
	}
}
