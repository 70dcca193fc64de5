// What the site says to the integration.

const CONFLICTS = ['error', 'retry', 'merge'];
const LIMITS = ['idle', 'absolute', 'remember', 'touchInterval'];

/** @param {Record<string, any>} options */
export function checkOptions({ conflict = 'error', driver, ...limits }) {
	if (!CONFLICTS.includes(conflict)) {
		throw new Error(`[@cloakroom/astro] \`conflict\` is ${JSON.stringify(conflict)}: it can be one of ${CONFLICTS.join(', ')}.`);
	}
	for (const [name, value] of Object.entries(limits)) {
		if (!LIMITS.includes(name)) {
			throw new Error(
				`[@cloakroom/astro] unknown option \`${name}\`: it can be one of ${[...LIMITS, 'conflict', 'driver'].join(', ')}.`,
			);
		}
		if (value !== undefined && (typeof value !== 'number' || !(value > 0))) {
			throw new Error(`[@cloakroom/astro] \`${name}\` is ${JSON.stringify(value)}: it must be a number of seconds.`);
		}
	}
	return { conflict, driver, limits };
}
