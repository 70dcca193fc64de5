// Netlify's blobs, where Astro's adapter for Netlify keeps sessions, by Netlify's own client. The options, keys and bytes are
// those of unstorage's driver; when an item ends is in the blob's metadata, as on the Rust side.
import { getDeployStore, getStore } from '@netlify/blobs';
import { hasPassed } from '../time.js';

/** @typedef {{ cloakroomExpires?: number }} Metadata */

/**
 * @param {{ name?: string, deployScoped?: boolean, [option: string]: any }} options
 * @returns {import('../session/store.js').Driver}
 */
export default function netlifyBlobs({ name, deployScoped, ...rest }) {
	if (!name && !deployScoped) throw new Error('[cloakroom] [netlify-blobs] the option `name` is missing: it is the store\'s.');
	const given = { consistency: /** @type {const} */ ('strong'), ...rest };
	// Each request of a function that lives longer may bring other credentials, in the environment.
	const store = () => (deployScoped ? getDeployStore(given) : getStore({ name: encodeURIComponent(name ?? ''), ...given }));

	/** Whatever is there, also what has ended. @param {string} key */
	async function find(key) {
		const found = await store().getWithMetadata(key, { type: 'text' });
		if (!found) return null;
		const version = found.etag ?? (await listed(key, found.data));
		const ends = /** @type {Metadata} */ (found.metadata).cloakroomExpires;
		return { text: found.data, version, ends };
	}

	/**
	 * The version of what was read. Netlify's server for development tells it in a list alone.
	 * @param {string} key @param {string} text
	 */
	async function listed(key, text) {
		const { blobs } = await store().list({ prefix: key });
		const etag = blobs.find((blob) => blob.key === key)?.etag;
		if (!etag) throw new Error('Netlify told no version (ETag)');
		// It may have been written in between: then this is of no version, and no condition holds.
		return (await store().get(key, { type: 'text' })) === text ? etag : 'none';
	}

	/**
	 * @param {string} key @param {string} text @param {number | undefined} ttl
	 * @param {{ onlyIfMatch: string } | { onlyIfNew: true } | {}} condition
	 */
	async function put(key, text, ttl, condition) {
		const metadata = ttl === undefined ? {} : { cloakroomExpires: Math.ceil(Date.now() + ttl * 1000) };
		const { modified, etag } = await store().set(key, text, { metadata, ...condition });
		if (!modified) return null;
		// Its client takes every answer to a conditional write for a success that is not the refusal of the condition.
		if (!etag) throw new Error('Netlify did not say that it was written');
		return { version: etag };
	}

	const of = (/** @type {unknown} */ version) => ({ onlyIfMatch: /** @type {string} */ (version) });

	return {
		name: 'netlify-blobs',
		expires: true,
		async get(key) {
			const found = await find(key);
			return found && !hasPassed(found.ends) ? found : null;
		},
		async set(key, text, when, ttl) {
			if (typeof when === 'object') return put(key, text, ttl, of(when.version));
			if (when === 'always') return put(key, text, ttl, {});
			const written = await put(key, text, ttl, { onlyIfNew: true });
			if (written) return written;
			// What has ended takes no place.
			const there = await find(key);
			return there && hasPassed(there.ends) ? put(key, text, ttl, of(there.version)) : null;
		},
		async remove(key, when) {
			const there = await find(key);
			if (!there || hasPassed(there.ends)) return 'missing';
			if (typeof when === 'object') {
				// A removal knows no condition: what stands there is written over on one, by what has ended already.
				const over = await put(key, there.text, 0, of(when.version));
				if (!over) return 'conflict';
			}
			await store().delete(key);
			return 'removed';
		},
		async touch(key, ttl) {
			const there = await find(key);
			if (!there || hasPassed(there.ends)) return false;
			// Whoever was faster has moved the deadline, too.
			await put(key, there.text, ttl, of(there.version));
			return true;
		},
	};
}
