// `cloakroom serve` over HTTP, which brings every store that the Rust side knows, also to where there is nothing but `fetch`.
// The options are those of unstorage's driver.

/** How long a call may take, in milliseconds. */
const PATIENCE = 10_000;

/**
 * @param {{ base: string, headers?: Record<string, string> }} options
 * @returns {import('../session/store.js').Driver}
 */
export default function http({ base, headers = {} }) {
	if (!base) throw new Error('[cloakroom] [http] the option `base` is missing: it is the URL of `cloakroom serve`.');
	const root = base.endsWith('/') ? base : `${base}/`;
	const addressOf = (/** @type {string} */ key) => root + key.split(':').map(encodeURIComponent).join('/');

	/** Whether items end by themselves there, as the server has last said. */
	let expires = true;
	let isWarned = false;

	/** Says so once. A Rust server with `idle` does not start on such a store. */
	function warnThatNothingExpires() {
		if (isWarned) return;
		isWarned = true;
		console.warn(
			`[cloakroom] the store behind ${root} cannot let a session expire: \`idle\` ends none, and what has ended by its ttl is not ` +
				'removed. Choose another store, or leave `idle` out.',
		);
	}

	/**
	 * @param {string} key
	 * @param {RequestInit} init
	 * @param {number[]} expected The statuses that are no failure.
	 */
	async function call(key, { headers: own, ...init }, expected) {
		const response = await fetch(addressOf(key), {
			...init,
			headers: { ...headers, ...own },
			signal: AbortSignal.timeout(PATIENCE),
		});
		// Whatever stands in between can say 404 or 200 as well.
		const can = response.headers.get('cloakroom-storage');
		if (can === null) throw new Error(`${root} is no \`cloakroom serve\`, or it does not answer (status ${response.status})`);
		if (!can.includes('compare-and-swap')) {
			throw new Error(`the store behind ${root} cannot compare and swap, so updates would be lost there`);
		}
		expires = can.includes('expiry');
		if (!expires && own && 'x-ttl' in own) warnThatNothingExpires();
		if (expected.includes(response.status)) return response;
		const told = await response.text().catch(() => '');
		throw new Error(`${root} answered ${response.status} ${told}`.trim());
	}

	/** @param {import('../session/store.js').Condition} when @returns {Record<string, string>} */
	const condition = (when) => {
		if (when === 'always') return {};
		return when === 'absent' ? { 'if-none-match': '*' } : { 'if-match': /** @type {string} */ (when.version) };
	};
	/** @param {number | undefined} ttl @returns {Record<string, string>} */
	const life = (ttl) => (ttl === undefined ? {} : { 'x-ttl': String(Math.max(ttl, 0.001)) });

	return {
		name: 'http',
		get expires() {
			return expires;
		},
		async get(key) {
			const response = await call(key, { headers: { accept: 'application/octet-stream' } }, [200, 404]);
			if (response.status === 404) {
				await response.arrayBuffer();
				return null;
			}
			const left = Number(response.headers.get('x-ttl') || NaN);
			return {
				text: await response.text(),
				version: versionOf(response),
				ends: Number.isFinite(left) ? Date.now() + left * 1000 : undefined,
			};
		},
		async set(key, text, when, ttl) {
			const init = {
				method: 'PUT',
				body: text,
				headers: { 'content-type': 'text/plain; charset=utf-8', ...life(ttl), ...condition(when) },
			};
			const response = await call(key, init, [200, 412]);
			await response.arrayBuffer();
			return response.status === 412 ? null : { version: versionOf(response) };
		},
		async remove(key, when) {
			const init = { method: 'DELETE', headers: when === 'always' ? { 'if-match': '*' } : condition(when) };
			const response = await call(key, init, [200, 412]);
			await response.arrayBuffer();
			if (response.status === 200) return 'removed';
			return when !== 'always' && response.headers.has('etag') ? 'conflict' : 'missing';
		},
		async touch(key, ttl) {
			const response = await call(key, { method: 'PATCH', headers: life(ttl) }, [204, 404]);
			return response.status === 204;
		},
	};
}

/** The version's tag, without what a proxy adds to it: `W/` before it, and whatever is behind its full stop. @param {Response} response */
function versionOf(response) {
	const tag = /^(?:W\/)?"([^"]*\.)[^".]*"$/.exec(response.headers.get('etag') ?? '')?.[1];
	if (!tag) throw new Error('the server told no version (ETag): something in between may have removed it');
	return `"${tag}"`;
}
