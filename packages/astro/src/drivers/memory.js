// In this process alone: for `astro dev` and for tests.
import { endOf, hasPassed } from '../time.js';

/** @returns {import('../session/store.js').Driver} */
export default function memory() {
	/** @type {Map<string, import('../session/store.js').Item>} */
	const items = new Map();
	let writes = 0;
	const find = (/** @type {string} */ key) => {
		const item = items.get(key);
		if (hasPassed(item?.ends)) items.delete(key);
		return items.get(key);
	};
	/** @param {string} key @param {import('../session/store.js').Condition} when */
	const holds = (key, when) => {
		if (when === 'always') return true;
		const item = find(key);
		return when === 'absent' ? !item : item?.version === when.version;
	};
	return {
		name: 'memory',
		expires: true,
		get: async (key) => find(key) ?? null,
		async set(key, text, when, ttl) {
			if (!holds(key, when)) return null;
			const version = ++writes;
			items.set(key, { text, version, ends: endOf(ttl) });
			return { version };
		},
		async remove(key, when) {
			if (!find(key)) return 'missing';
			if (!holds(key, when)) return 'conflict';
			items.delete(key);
			return 'removed';
		},
		async touch(key, ttl) {
			const item = find(key);
			if (item) item.ends = endOf(ttl);
			return item !== undefined;
		},
	};
}
