// Tells a Rust server beside the site what its sessions are, so that nobody has to guess it from the source: `cloakroom.json`,
// in the form of Cloakroom's own configuration. `Config::from_astro` reads the one in `.astro` where no script in the site's
// folder is newer; the one beside the built server is for where the site's source is not.
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isVariable } from '../environment.js';

const FILE = 'cloakroom.json';

/**
 * @param {object} of
 * @param {import('./find-driver.js').FoundDriver} of.found
 * @param {any} of.session As the site configures it.
 * @param {Record<string, number | undefined>} of.limits
 * @param {object} of.atRest That IDs are hashed and records sealed, and which variables have the secrets.
 * @param {URL} of.root The site's folder.
 * @param {boolean} of.isProduction
 * @param {string} [of.file] The site's configuration file.
 */
export async function describe({ found, session, limits, atRest, root, isProduction, file }) {
	const cookie = typeof session?.cookie === 'string' ? { name: session.cookie } : { ...session?.cookie };
	const variables = await namedVariables(root, file);
	return {
		// Also where nobody knows: it says that this was told.
		astroConfig: file?.split('/').at(-1) ?? null,
		driver: found.name,
		options: withoutSecrets(found.options, variables),
		cookie: { secure: isProduction, ...cookie },
		ttl: session?.ttl,
		...limits,
		...atRest,
	};
}

/** The site's configuration file, from where it calls the integration; `undefined` where it does not say. */
export function callersFile() {
	const frames = (new Error().stack ?? '').split('\n').slice(1);
	const places = frames.map((frame) => /(\/[^\s()]+?)(?:\.timestamp-[^\s():]+)?(?:\?[^\s():]*)?:\d+:\d+\)?$/.exec(frame)?.[1]);
	return places.find((place) => place && !/\/astro\/(?:index|src\/integration\/told)\.js$/.test(place));
}

/**
 * Only its owner may read what may hold a password, and nobody reads half of it.
 * @param {URL} folder @param {object} described
 */
export async function tell(folder, described) {
	await mkdir(folder, { recursive: true });
	const draft = new URL(`${FILE}.${process.pid}`, folder);
	await writeFile(draft, `${JSON.stringify(described, null, '\t')}\n`, { mode: 0o600 });
	await rename(draft, new URL(FILE, folder));
}

/**
 * The environment's values that the site's configuration asks for by name, with their names. It may be made of several
 * scripts, of which those in the site's folder are known.
 * @param {URL} root @param {string} [file]
 */
async function namedVariables(root, file) {
	const scripts = (await readdir(root)).filter((name) => /\.[cm]?[jt]s$/.test(name));
	const texts = await Promise.all([...scripts, ...(file ? [file] : [])].map((script) => textOf(script, root)));
	const words = new Set(texts.join('\n').match(/\w+/g));
	return new Map(Object.entries(process.env).flatMap(([name, value]) => (value && words.has(name) ? [[value, name]] : [])));
}

/** Nothing where it cannot be read, as where a folder has such a name. @param {string} script @param {URL} root */
async function textOf(script, root) {
	try {
		return await readFile(new URL(script, root), 'utf8');
	} catch {
		return '';
	}
}

/**
 * A text that came from a variable is told by the variable's name.
 * @param {any} value
 * @param {Map<string, string>} variables
 * @returns {any}
 */
function withoutSecrets(value, variables) {
	if (typeof value === 'string') return variables.has(value) ? { $env: variables.get(value) } : value;
	if (Array.isArray(value)) return value.map((one) => withoutSecrets(one, variables));
	if (typeof value !== 'object' || value === null || isVariable(value)) return value;
	return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutSecrets(one, variables)]));
}
