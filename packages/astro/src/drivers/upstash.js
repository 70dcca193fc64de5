// Upstash's Redis over HTTP, by `fetch` alone. The options, keys and bytes are those of unstorage's driver.
import { millisecondsOf } from '../time.js';

/** How long a call may take, in milliseconds. */
const PATIENCE = 10_000;

// As in `redis.js`; what was seen goes as it is.
const SWAP = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if not ARGV[2] then redis.call('UNLINK', KEYS[1])
elseif ARGV[3] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
else redis.call('SET', KEYS[1], ARGV[2]) end
return 1
`;

/**
 * @param {{ url?: string, token?: string, base?: string, ttl?: number }} options
 * @returns {import('../session/store.js').Driver}
 */
export default function upstash({ url, token, base = '', ttl: defaultTtl }) {
	const environment = globalThis.process?.env ?? {};
	const address = url ?? environment.UPSTASH_REDIS_REST_URL;
	const secret = token ?? environment.UPSTASH_REDIS_REST_TOKEN;
	if (!address || !secret) {
		throw new Error(
			'[cloakroom] [upstash] the options `url` and `token` are missing, and so are UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN.',
		);
	}
	const prefix = base.replace(/:$/, '');
	const name = (/** @type {string} */ key) => (prefix ? `${prefix}:${key}` : key);

	/** Several commands in one round trip, each with its result. @param {Array<Array<string | number>>} commands */
	async function run(commands) {
		const response = await fetch(new URL('pipeline', address.endsWith('/') ? address : `${address}/`), {
			method: 'POST',
			body: JSON.stringify(commands),
			headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
			signal: AbortSignal.timeout(PATIENCE),
		});
		const answers = await response.json().catch(() => undefined);
		if (!Array.isArray(answers)) throw new Error(`Upstash answered ${response.status} ${answers?.error ?? ''}`.trim());
		return answers.map(({ result, error }) => {
			if (error) throw new Error(`Upstash answered: ${error}`);
			return result;
		});
	}

	const expiry = (/** @type {number | undefined} */ ttl) => {
		const milliseconds = millisecondsOf(ttl ?? (defaultTtl || undefined));
		return milliseconds === undefined ? [] : [Math.max(1, milliseconds)];
	};

	return {
		name: 'upstash',
		expires: true,
		ttl: defaultTtl || undefined,
		async get(key) {
			const [text, left] = await run([['GET', name(key)], ['PTTL', name(key)]]);
			if (typeof text !== 'string') return null;
			return { text, version: text, ends: left > 0 ? Date.now() + left : undefined };
		},
		async set(key, text, when, ttl) {
			const life = expiry(ttl);
			if (typeof when === 'object') {
				const [done] = await run([['EVAL', SWAP, 1, name(key), /** @type {string} */ (when.version), text, ...life]]);
				return done === 1 ? { version: text } : null;
			}
			const px = life.length > 0 ? ['PX', ...life] : [];
			const [answer] = await run([['SET', name(key), text, ...px, ...(when === 'absent' ? ['NX'] : [])]]);
			return answer === null ? null : { version: text };
		},
		async remove(key, when) {
			if (typeof when !== 'object') {
				const [gone] = await run([['UNLINK', name(key)]]);
				return gone === 1 ? 'removed' : 'missing';
			}
			const [done] = await run([['EVAL', SWAP, 1, name(key), /** @type {string} */ (when.version)]]);
			return done === 1 ? 'removed' : 'conflict';
		},
		async touch(key, ttl) {
			const [life] = expiry(ttl);
			const [done] = await run([life === undefined ? ['PERSIST', name(key)] : ['PEXPIRE', name(key), life]]);
			return done === 1;
		},
	};
}
