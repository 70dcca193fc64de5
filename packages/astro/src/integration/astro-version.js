// Whether this Astro is made as we know it. Found out when the site is built, and not by the first visitor.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { lacks } from '../astro-session.js';

const SUPPORTED = 'Astro 5.7 and later, 6 and 7';

/**
 * Where the class of the session is, in the versions that are supported, and what parameters its type has there.
 * @typedef {{ file: string, parameters: string }} SessionClass
 * @type {SessionClass[]}
 */
const PLACES = [
	{ file: 'dist/core/session/runtime.js', parameters: '' },
	{ file: 'dist/core/session.js', parameters: "<TDriver extends import('astro').SessionDriverName = any>" },
];

/** @param {URL} root The site's. */
export async function checkAstro(root) {
	const require = createRequire(new URL('package.json', root));
	const manifest = require.resolve('astro/package.json');
	const { version } = JSON.parse(await readFile(manifest, 'utf8'));
	const [major, minor] = version.split('.').map(Number);
	/** @param {string} why @returns {never} */
	const refuse = (why) => {
		throw new Error(
			`[@cloakroom/astro] Astro ${version} is not supported: ${why}. Supported are ${SUPPORTED}. ` +
				'Without this integration the site works as before, and loses what is saved at the same time.',
		);
	};
	if (major < 5 || (major === 5 && minor < 7)) refuse('its sessions are not stable');
	for (const place of PLACES) {
		const file = path.join(path.dirname(manifest), place.file);
		const module = await import(pathToFileURL(file).href).catch(() => undefined);
		if (!module?.AstroSession) continue;
		const problem = lacks(module.AstroSession.prototype);
		if (problem) refuse(problem);
		return { file: manifest, major, sessionClass: { ...place, file } };
	}
	return refuse('its session class is not where it was');
}
