// Redis and Valkey, by ioredis as Astro has it. The options, keys and bytes are those of unstorage's driver.
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { millisecondsOf } from '../time.js';

// Replaces or removes what is stored, if it is what the caller saw.
// ARGV: what was seen; its length where that is a digest, or nothing; what to store; for how many milliseconds.
// Without something to store it is removed. Gives 1 if done, and else 0.
const SWAP = `
local stored = redis.call('GET', KEYS[1])
if not stored then return 0 end
if ARGV[2] ~= '' then stored = #stored == tonumber(ARGV[2]) and redis.sha1hex(stored) end
if stored ~= ARGV[1] then return 0 end
if not ARGV[3] or ARGV[4] == '0' then redis.call('UNLINK', KEYS[1])
elseif ARGV[4] then redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
else redis.call('SET', KEYS[1], ARGV[3]) end
return 1
`;

/** From this length on, what was seen is sent as its digest: that saves half of what goes over the wire. */
const DIGEST_FROM = 4096;

/**
 * @param {import('ioredis').RedisOptions & { url?: string, base?: string, ttl?: number, cluster?: any, clusterOptions?: any }} options
 * @returns {import('../session/store.js').Driver}
 */
export default function redis({ url, base = '', ttl: defaultTtl, cluster, clusterOptions, ...rest }) {
	const own = {
		// A write whose answer was lost must not be sent again, since it would meet its own result; nor is one kept for a
		// server that may come back when nobody waits for it any more.
		autoResendUnfulfilledCommands: false,
		enableOfflineQueue: false,
		lazyConnect: false,
		stringNumbers: false,
		scripts: { cloakroomSwap: { lua: SWAP, numberOfKeys: 1 } },
	};
	const usual = { connectTimeout: 3000, commandTimeout: 4000 };
	const open = () => {
		if (cluster) {
			const redisOptions = { ...usual, ...clusterOptions?.redisOptions, ...own };
			return new Redis.Cluster(cluster, { ...clusterOptions, ...own, redisOptions });
		}
		const all = { ...usual, ...rest, ...own };
		return url ? new Redis(url, all) : new Redis(all);
	};
	/** @type {any} */
	let client;
	/** @type {Promise<unknown> | undefined} */
	let waiting;
	const connection = async () => {
		if (!client) {
			client = open();
			// Each call says what went wrong; without a listener the process would be told to end.
			client.on('error', (/** @type {Error} */ error) => (client.cloakroomError = error));
			// Of a command that it does not send again ioredis says nothing.
			client.on('close', () => {
				for (const fail of unanswered) fail(new Error('the connection ended before the answer'));
				unanswered.clear();
			});
		}
		// All calls wait for one connection.
		if (client.status !== 'ready') await (waiting ??= ready(client).finally(() => (waiting = undefined)));
		return client;
	};
	/** Those who wait for an answer. @type {Set<(error: Error) => void>} */
	const unanswered = new Set();
	/** @template T @param {(redis: any) => Promise<T>} command @returns {Promise<T>} */
	const send = async (command) => {
		const redis = await connection();
		return new Promise((resolve, reject) => {
			unanswered.add(reject);
			command(redis).then(resolve, reject).finally(() => unanswered.delete(reject));
		});
	};
	const prefix = normalizeBase(base);
	const name = (/** @type {string} */ key) => prefix + key;
	const expiry = (/** @type {number | undefined} */ ttl) => {
		const milliseconds = millisecondsOf(ttl ?? (defaultTtl || undefined));
		return milliseconds === undefined ? [] : [String(milliseconds)];
	};
	/** Whether the server compares by itself, as far as is known: Redis from 8.4 and Valkey from 8.1 on. */
	let compares = true;
	/**
	 * Gives whether it was done. By the script it takes the server twice as long, and more for long items.
	 * @param {string} key @param {string} seen @param {string} text @param {string[]} life
	 */
	const replace = async (key, seen, text, life) => {
		if (compares) {
			try {
				return (await send((redis) => redis.set(name(key), text, 'IFEQ', seen, ...pxOf(life)))) !== null;
			} catch (error) {
				// An older server has written nothing.
				if (!/syntax error/i.test(/** @type {Error} */ (error).message)) throw error;
				compares = false;
			}
		}
		return (await swap(key, seen, [text, ...life])) === 1;
	};
	/** @param {string} key @param {string} seen @param {string[]} replacement */
	const swap = (key, seen, replacement) => {
		const isLong = seen.length >= DIGEST_FROM;
		const told = isLong
			? [createHash('sha1').update(seen).digest('hex'), String(Buffer.byteLength(seen))]
			: [seen, ''];
		return send((redis) => redis.cloakroomSwap(name(key), ...told, ...replacement));
	};

	return {
		name: 'redis',
		expires: true,
		ttl: defaultTtl || undefined,
		close: () => client?.disconnect(),
		async get(key) {
			// Sent together: one round trip.
			const [text, left] = await send((redis) => Promise.all([redis.get(name(key)), redis.pttl(name(key))]));
			if (text === null) return null;
			return { text, version: text, ends: left > 0 ? Date.now() + left : undefined };
		},
		async set(key, text, when, ttl) {
			const life = expiry(ttl);
			if (typeof when === 'object') {
				const isDone = await replace(key, /** @type {string} */ (when.version), text, life);
				return isDone ? { version: text } : null;
			}
			const nx = when === 'absent' ? ['NX'] : [];
			const answer = await send((redis) => redis.set(name(key), text, ...pxOf(life), ...nx));
			return answer === null ? null : { version: text };
		},
		async remove(key, when) {
			if (typeof when !== 'object') return (await send((redis) => redis.unlink(name(key)))) === 1 ? 'removed' : 'missing';
			return (await swap(key, /** @type {string} */ (when.version), [])) === 1 ? 'removed' : 'conflict';
		},
		async touch(key, ttl) {
			const [life] = expiry(ttl);
			const done = await send((redis) => (life === undefined ? redis.persist(name(key)) : redis.pexpire(name(key), life)));
			return done === 1;
		},
	};
}

/** @param {string[]} life */
const pxOf = (life) => (life.length > 0 ? ['PX', ...life] : []);

/** How long a call waits for a connection, in milliseconds. */
const PATIENCE = 3000;

/** @param {any} client */
function ready(client) {
	return new Promise((resolve, reject) => {
		const end = (/** @type {() => void} */ settle) => {
			clearTimeout(timer);
			client.off('ready', connected);
			settle();
		};
		const connected = () => end(() => resolve(undefined));
		const late = () => end(() => reject(client.cloakroomError ?? new Error(`no connection within ${PATIENCE} ms`)));
		const timer = setTimeout(late, PATIENCE);
		client.on('ready', connected);
	});
}

/** As unstorage's driver does it. @param {string} base */
function normalizeBase(base) {
	const joined = base.replace(/:$/, '').replace(/[/\\]/g, ':').replace(/^:|:$/g, '');
	return joined === '' ? '' : `${joined}:`;
}
