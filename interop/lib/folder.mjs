// Records as files in a folder.
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fsDriver from 'unstorage/drivers/fs';
import { Store } from './store.mjs';

export class Folder extends Store {
	static title = 'files';
	build = 'dist';
	/** Where the site keeps its sessions, relative to where it is started. */
	sessions = path.join(this.root, '.data/sessions');
	config = { driver: 'fs', options: { base: this.sessions } };

	async start() {
		mkdirSync(this.sessions, { recursive: true });
	}

	async find(id) {
		try {
			return await readFile(path.join(this.sessions, id), 'utf8');
		} catch (error) {
			if (error.code === 'ENOENT') return null;
			throw error;
		}
	}

	driver() {
		return fsDriver({ base: this.sessions });
	}
}
