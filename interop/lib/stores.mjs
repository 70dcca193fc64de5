// The stores that the suites run over.
import { randomBytes } from 'node:crypto';
import { load } from './astro-package.mjs';
import { MariaDb, Postgres, Sqlite } from './database.mjs';
import { Folder } from './folder.mjs';
import { RedisStore, RedisStoreWithNearCache } from './redis.mjs';
import { startServe } from './serve.mjs';

/** Those that Astro's own drivers open. */
export const astroStores = [Folder, RedisStore];

class FolderWithPackage extends Folder {
	static title = `${Folder.title}, with @cloakroom/astro`;
	static keepsTombstones = true;
	build = 'dist-cloakroom';
}

class RedisWithPackage extends RedisStore {
	static title = `${RedisStore.title}, with @cloakroom/astro`;
	static keepsTombstones = true;
	build = 'dist-cloakroom-redis';
}

/** The same, for a site with the integration: there the promises hold on both sides. */
export const packageStores = [FolderWithPackage, RedisWithPackage];

const { default: encrypted } = await load('at-rest/encrypted.js');
const { default: hashedKeys } = await load('at-rest/hashed-keys.js');

/** Such a store whose IDs are hashed and whose records are sealed, by both sides. */
const atRest = (Plain, build) =>
	class extends Plain {
		static title = `${Plain.title}, IDs hashed and records sealed`;
		build = build;
		secret = randomBytes(16).toString('base64');
		sealedWith = randomBytes(32).toString('base64');

		async start(options) {
			await super.start(options);
			this.environment = this.variables();
			Object.assign(this.config, { hashIds: { secret: this.secret }, encryption: { keys: [this.sealedWith] } });
		}

		/** The environment of a server that has these keys. */
		variables(keys = this.sealedWith) {
			return { SITE_SECRET: this.secret, CLOAKROOM_SESSION_ENCRYPTION_KEYS: keys };
		}

		async find(id) {
			const get = async (key) => {
				const text = await super.find(key);
				return text === null ? null : { text };
			};
			const item = await hashedKeys(encrypted({ get }, { keys: this.sealedWith }), { secret: this.secret }).get(id);
			return item?.text ?? null;
		}
	};

/** The stores of such a site whose IDs are hashed and whose records are sealed. */
export const atRestStores = [atRest(FolderWithPackage, 'dist-cloakroom-at-rest'), atRest(RedisWithPackage, 'dist-cloakroom-redis-at-rest')];

/** Those with unstorage's table. */
export const databaseStores = [Sqlite, Postgres, MariaDb];

/** A database that such a site opens itself. */
const withPackage = (Database) =>
	class extends Database {
		static title = `${Database.title}, with @cloakroom/astro`;
		static keepsTombstones = true;
		build = 'dist-cloakroom-db0';

		async start() {
			await super.start();
			this.environment = { SESSIONS_URL: this.config.options.url };
		}
	};

/** A database that such a site reaches over HTTP, and the Rust servers directly. */
class SqliteBehindServe extends Sqlite {
	static title = `${Sqlite.title} behind \`cloakroom serve\`, with @cloakroom/astro`;
	static needs = [...Sqlite.needs, 'serve'];
	static keepsTombstones = true;
	build = 'dist-cloakroom-http';

	async start() {
		await super.start();
		this.serve = await startServe(this.config.driver, this.config.options);
		this.environment = { SESSIONS_URL: this.serve.url };
	}

	async stop() {
		await this.serve?.stop();
		await super.stop();
	}
}

/** Those that such a site knows by a variable of the environment. */
export const variableStores = [...databaseStores.map(withPackage), SqliteBehindServe];

/** Those in which such a site and Rust servers are in one session. */
export const sharedStores = [...packageStores, ...variableStores];

/** Those that unstorage's own drivers open. */
export const unstorageStores = [...astroStores, ...databaseStores];

/** Those in which what Rust has loaded may be old at its commit. */
export const racedStores = [...unstorageStores, RedisStoreWithNearCache];
