// Records in a real Redis.
import path from 'node:path';
import { Redis } from 'ioredis';
import redisDriver from 'unstorage/drivers/redis';
import { path as socket } from '../site/redis.config.mjs';
import { options as siteOptions } from '../site/redis-options.config.mjs';
import { startPeer } from './peer.mjs';
import { Store } from './store.mjs';

export class RedisStore extends Store {
	static title = 'Redis';
	static needs = ['redis'];
	build = 'dist-redis';

	/** `options` are the driver's, besides the address. */
	async start(options) {
		// The site takes the socket in the folder where it runs, the Rust servers the port.
		this.socket = path.join(this.root, socket);
		this.peer = await startPeer('redis', '--unixsocket', this.socket);
		this.options = options;
		this.config = { driver: 'redis', options: { url: this.peer.url, ...options } };
		/** For commands of the test's own. */
		this.client = new Redis(this.peer.url);
		// It connects again when Redis is there again.
		this.client.on('error', () => {});
	}

	key(id) {
		return this.options.base ? `${this.options.base}:${id}` : id;
	}

	async find(id) {
		return (await this.client.getBuffer(this.key(id)))?.toString() ?? null;
	}

	driver() {
		return redisDriver({ url: this.peer.url, ...this.options });
	}

	async stop() {
		this.client?.disconnect();
		await this.peer?.stop();
	}
}

/** As the site's `redis-options.config.mjs` has it. */
export class RedisStoreWithOptions extends RedisStore {
	static title = 'Redis with a base and a ttl';
	build = 'dist-redis-options';

	start() {
		return super.start(siteOptions);
	}
}

/** The Rust servers keep what they read in their memory, until Redis tells them that somebody else wrote it. */
export class RedisStoreWithNearCache extends RedisStore {
	static title = 'Redis with a near cache';

	async start(options) {
		await super.start(options);
		this.config.options.nearCache = true;
	}
}
