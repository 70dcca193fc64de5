// The stores that the suites run over.
import { MariaDb, Postgres, Sqlite } from './database.mjs';
import { Folder } from './folder.mjs';
import { RedisStore, RedisStoreWithNearCache } from './redis.mjs';

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

/** Those with unstorage's table. */
export const databaseStores = [Sqlite, Postgres, MariaDb];

/** Those that unstorage's own drivers open. */
export const unstorageStores = [...astroStores, ...databaseStores];

/** Those in which what Rust has loaded may be old at its commit. */
export const racedStores = [...unstorageStores, RedisStoreWithNearCache];
