// Sites of each version of Astro that `@cloakroom/astro` supports.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { startAstro, startNode } from './servers.mjs';

const interop = path.resolve(import.meta.dirname, '..');

/** Where each is installed. */
const installed = [path.join(interop, 'versions/5'), path.join(interop, 'versions/6'), interop];

/** Their `node_modules`, by the version. */
export const versions = new Map(
	installed.map((folder) => {
		const { dependencies } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
		return [dependencies.astro, path.join(folder, 'node_modules')];
	}),
);

export class Site {
	/** @param {import('./folder.mjs').Folder} store Where it keeps its sessions, and is itself. */
	constructor(store) {
		this.store = store;
		this.root = path.join(store.root, 'site');
	}

	/** Builds it in each of its configurations, with what is installed there. */
	static async build(store, modules) {
		const site = new Site(store);
		cpSync(path.join(interop, 'versions/site'), site.root, { recursive: true });
		// What the tests ask is that of the large site.
		for (const file of ['build.mjs', 'src/gates.ts', 'src/pages/api/session.ts', 'src/pages/api/gates']) {
			cpSync(path.join(interop, 'site', file), path.join(site.root, file), { recursive: true });
		}
		const own = path.join(site.root, 'node_modules');
		mkdirSync(own);
		for (const name of readdirSync(modules)) if (name !== '@cloakroom') symlinkSync(path.join(modules, name), path.join(own, name));
		cpSync(path.resolve(interop, '../packages/astro'), path.join(own, '@cloakroom/astro'), { recursive: true });
		const env = { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' };
		await promisify(execFile)(process.execPath, ['build.mjs'], { cwd: site.root, env });
		return site;
	}

	/** What a Rust server beside it is told of its sessions. */
	get told() {
		return path.join(this.root, 'dist/server/cloakroom.json');
	}

	start(build) {
		return startAstro(this.store, { build: path.join(this.root, build) });
	}

	/** Starts one of its own scripts. */
	run(script) {
		return startNode(this.store, path.join(this.root, script));
	}
}
