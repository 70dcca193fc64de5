// What all this stands on of Astro's session object.

/** The methods of it that change something. */
export const WRITES = ['set', 'delete', 'destroy', 'regenerate', 'load'];

/** All methods that it has. */
export const METHODS = ['get', 'has', 'keys', 'values', 'entries', ...WRITES];

/** Marks what was made to lead to ours, and where ours are kept. */
export const OURS = Symbol.for('cloakroom.sessions');

/** The method by which Astro saves a session: the only one that has no name. @param {object} prototype */
export const saves = (prototype) => Object.getOwnPropertySymbols(prototype).filter((symbol) => symbol !== OURS);

/** What is missing of the class that all this stands on; `undefined` where nothing is. @param {any} prototype */
export function lacks(prototype) {
	const missing = METHODS.filter((name) => typeof prototype?.[name] !== 'function');
	if (missing.length > 0) return `its session has no ${missing.join(', ')}`;
	if (saves(prototype).length !== 1) return 'its session is not saved by one method';
	return undefined;
}
