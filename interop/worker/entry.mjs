// What the tests put into a Worker: Rust, from `rust`, and beside it Astro's own session and unstorage's own drivers, on the
// same bindings.
import RustWorker from 'rust';
import { AstroCookies } from '../node_modules/astro/dist/core/cookies/cookies.js';
import { AstroSession, PERSIST_SYMBOL } from '../node_modules/astro/dist/core/session/runtime.js';
import kv from 'unstorage/drivers/cloudflare-kv-binding';
import r2 from 'unstorage/drivers/cloudflare-r2-binding';
import { POST as takeSteps } from '../site/src/pages/api/session.ts';

const drivers = { 'cloudflare-kv-binding': kv, 'cloudflare-r2-binding': r2 };

export default class extends RustWorker {
	async fetch(request) {
		// Where unstorage looks, and Astro's adapter puts them.
		globalThis.__env__ = this.env;
		const [, first, second] = new URL(request.url).pathname.split('/');
		if (first === 'astro') return answerAsAstro(request);
		if (first === 'unstorage') return answerWithUnstorage(second, await request.json());
		if (first === 'items') return answerWithCalls(this.env, () => super.fetch(request));
		return super.fetch(request);
	}
}

/** Says in a header which methods of the bindings were called. Rust looks into the global scope first, as unstorage does. */
async function answerWithCalls(env, answer) {
	const calls = [];
	for (const name of ['STORAGE', 'BUCKET']) globalThis[name] = noting(env[name], calls);
	try {
		const response = await answer();
		return new Response(response.body, { status: response.status, headers: { calls: calls.join(', ') } });
	} finally {
		for (const name of ['STORAGE', 'BUCKET']) delete globalThis[name];
	}
}

function noting(binding, calls) {
	return new Proxy(binding, {
		get(target, name) {
			const value = target[name];
			if (typeof value !== 'function') return value;
			return (...args) => {
				calls.push(name);
				return value.apply(target, args);
			};
		},
	});
}

/** The steps of the Astro site's `/api/session`, on a session as Astro's adapter for Cloudflare makes it. */
async function answerAsAstro(request) {
	const cookies = new AstroCookies(request);
	const session = new AstroSession({
		cookies,
		config: { driver: 'cloudflare-kv-binding', options: { binding: 'SESSION' } },
		runtimeMode: 'production',
		driverFactory: kv,
		logger: console,
	});
	const response = await takeSteps({ request, session });
	await session[PERSIST_SYMBOL]();
	for (const cookie of cookies.headers()) response.headers.append('set-cookie', cookie);
	return response;
}

/** The calls of the Rust Worker's `/items`, on a driver of unstorage's. */
async function answerWithUnstorage(name, { options, calls }) {
	const driver = drivers[name](options);
	const methods = {
		get: ({ key }) => driver.getItem(key),
		set: ({ key, value, ttl }) => driver.setItem(key, value, ttl === undefined ? undefined : { ttl }),
		remove: ({ key }) => driver.removeItem(key),
	};
	const answers = [];
	for (const call of calls) answers.push((await methods[call.do](call)) ?? null);
	return Response.json(answers);
}
