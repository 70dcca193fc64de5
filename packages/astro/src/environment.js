// Options that are taken from the environment where the server runs, and not where it is built: `{ $env: 'NAME' }`.
// The Rust side reads them in `cloakroom.json` the same way.

/** Whether this stands in the place of a variable's value. @param {any} value */
export const isVariable = (value) => typeof value?.$env === 'string' && Object.keys(value).length === 1;

/**
 * The options with the values of the variables that they name.
 * @param {any} value
 * @param {string} [of] What they are options of.
 * @returns {any}
 */
export function settled(value, of = "the session driver's options") {
	if (isVariable(value)) {
		const text = globalThis.process?.env?.[value.$env];
		if (text !== undefined) return text;
		throw new Error(`[cloakroom] the environment variable ${value.$env}, which ${of} name, is not set.`);
	}
	if (Array.isArray(value)) return value.map((one) => settled(one, of));
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, settled(one, of)]));
}
