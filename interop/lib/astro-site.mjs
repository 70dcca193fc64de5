// A site's sessions in this process, with the package's own memory behind them: what its middleware asks for as
// `virtual:cloakroom/site`.
import { load } from './astro-package.mjs';

const { openSite } = await load('site.js');
const { Session } = await load('session/session.js');
const { default: memory } = await load('drivers/memory.js');

export const site = openSite({ limits: {}, conflict: 'error', isProduction: true }, {}, memory);
export const isSessionAtBuild = true;

/** What a browser has, as Astro's cookies. */
function jar(values = new Map()) {
	return {
		get: (name) => (values.has(name) ? { value: values.get(name) } : undefined),
		set: (name, value) => values.set(name, value),
		delete: (name) => values.delete(name),
		headers: () => [],
	};
}

/** A visitor's cookies, and a session with these entries. */
export async function visitor(entries, of = site) {
	const cookies = jar();
	await request(cookies, (session) => Object.entries(entries).forEach(([key, value]) => session.set(key, value)), of);
	return cookies;
}

/** A whole request. */
export async function request(cookies, handle, of = site) {
	const session = new Session(of, cookies);
	const result = await handle(session);
	await session.commit();
	session.close();
	return result;
}

export const read = (cookies, key) => request(cookies, (session) => session.get(key));
