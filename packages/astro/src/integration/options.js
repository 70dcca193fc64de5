// What the site says to the integration.
import { checkAtRest } from './at-rest.js';

const CONFLICTS = ['error', 'retry', 'merge'];
const AT_REST = ['hashIds', 'encryption'];
const LIMITS = ['idle', 'absolute', 'remember', 'touchInterval'];

/** @param {Record<string, any>} options */
export function checkOptions({ conflict = 'error', driver, hashIds, encryption, ...limits }) {
	if (!CONFLICTS.includes(conflict)) {
		throw new Error(`[@cloakroom/astro] \`conflict\` is ${JSON.stringify(conflict)}: it can be one of ${CONFLICTS.join(', ')}.`);
	}
	for (const [name, value] of Object.entries(limits)) {
		if (!LIMITS.includes(name)) {
			throw new Error(
				`[@cloakroom/astro] unknown option \`${name}\`: it can be one of ${[...LIMITS, ...AT_REST, 'conflict', 'driver'].join(', ')}.`,
			);
		}
		if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
			throw new Error(`[@cloakroom/astro] \`${name}\` is ${typeof value === 'number' ? value : JSON.stringify(value)}: it must be a whole number of seconds.`);
		}
	}
	checkLimits(limits);
	return { conflict, driver, limits, atRest: checkAtRest({ hashIds, encryption }) };
}

/**
 * What a Rust server beside the site would refuse, is refused here.
 * @param {Record<string, any>} limits
 */
function checkLimits({ idle, remember, touchInterval }) {
	const refuse = (/** @type {string} */ why) => {
		throw new Error(`[@cloakroom/astro] ${why}.`);
	};
	if (remember !== undefined && idle === undefined) refuse('`remember` means nothing without `idle`');
	if (remember <= idle) refuse(`\`remember\` is ${remember} and \`idle\` ${idle}: a remembered session lives longer`);
	if (touchInterval >= idle) {
		refuse(`\`touchInterval\` is ${touchInterval} and \`idle\` ${idle}: a session in use would end between two touches`);
	}
}
