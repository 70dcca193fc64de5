// Puts our session behind the object that Astro hands to pages, endpoints, actions and middleware.
//
// All of Astro's versions make that object of one class, and none lets an integration choose another. So the methods of its
// prototype lead to ours, for the objects that our middleware has seen. Those that it has not seen stay Astro's, and
// can only read: see `driver.js`.
import { lacks, METHODS, OURS, saves, WRITES } from './astro-session.js';
import { Session } from './session/session.js';

/** In one place for the process: a development server runs this module again whenever it changes. @returns {WeakMap<object, Session>} */
function sessions() {
	const global = /** @type {Record<symbol, any>} */ (globalThis);
	return (global[OURS] ??= new WeakMap());
}

const UNSEEN =
	'This session can only be read. A page that changes sessions is rendered on demand: `export const prerender = false`. Integrations whose middleware changes sessions come after cloakroom() in `integrations`.';

/** Ours, behind Astro's. @param {object} astros @returns {Session | undefined} */
export const sessionOf = (astros) => sessions().get(astros);

/**
 * Our session for the request whose object of Astro's this is.
 * @param {object} astros
 * @param {import('./session/session.js').Site} site
 * @param {import('./session/session.js').Cookies & { headers(): Iterable<string> }} cookies
 */
export function attach(astros, site, cookies) {
	// Before that nothing keeps a middleware before ours from changing Astro's own object, which nobody would save. It has set a
	// cookie then.
	const isFirst = lead(astros);
	if (isFirst && [...cookies.headers()].some((header) => header.startsWith(`${site.cookie.name}=`))) throw new Error(UNSEEN);
	const session = new Session(site, cookies);
	sessions().set(astros, session);
	return session;
}

/** Leads the methods of this object, and of all of its class, to ours. Whether they were not yet. @param {object} astros */
export function lead(astros) {
	const prototype = Object.getPrototypeOf(astros);
	if (Object.hasOwn(prototype, OURS)) return false;
	const problem = lacks(prototype);
	if (problem) throw new Error(`@cloakroom/astro does not know this version of Astro: ${problem}.`);
	const [persist] = saves(prototype);
	for (const name of METHODS) define(prototype, name, name, WRITES.includes(name));
	define(prototype, persist, 'commit');
	// Astro has none.
	define(prototype, 'update', 'update', true);
	const { get: astrosID } = Object.getOwnPropertyDescriptor(prototype, 'sessionID') ?? {};
	Object.defineProperty(prototype, 'sessionID', {
		configurable: true,
		get() {
			const ours = sessionOf(this);
			return ours ? ours.sessionID : astrosID?.call(this);
		},
	});
	Object.defineProperty(prototype, OURS, { value: true });
	return true;
}

/**
 * @param {any} prototype @param {string | symbol} name @param {string} ours
 * @param {boolean} [isWrite] Nobody would save what Astro's own object is told.
 */
function define(prototype, name, ours, isWrite = false) {
	const astros = prototype[name];
	Object.defineProperty(prototype, name, {
		configurable: true,
		writable: true,
		value(/** @type {any[]} */ ...given) {
			const session = /** @type {any} */ (sessionOf(this));
			if (session) return session[ours](...given);
			if (isWrite) throw new Error(UNSEEN);
			return astros.apply(this, given);
		},
	});
}
