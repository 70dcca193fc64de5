// Tells what runs on the server what the integration has found: `virtual:cloakroom/site`; and takes what writes the bytes
// from Astro itself, so that they are Astro's whichever version that is.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = 'virtual:cloakroom/site';
const RESOLVED = `\0${NAME}`;

/** What the site names as its session driver. */
export const DRIVER = '@cloakroom/astro/driver';

/** What only one of db0's databases needs. Which one it is, is said where the server runs. */
const OF_ONE_DATABASE = ['pg', 'mysql2/promise'];
/** What only `encryption` needs, which sites without it need not install. */
const CIPHER = '@noble/ciphers/aes.js';
const OF_THE_SITE = ['ioredis', '@netlify/blobs', CIPHER, ...OF_ONE_DATABASE];
// As Vite names files, on Windows too.
const OURS = path.resolve(fileURLToPath(import.meta.url), '../../..').replaceAll('\\', '/');

/**
 * @param {object} of
 * @param {import('./find-driver.js').FoundDriver} of.found
 * @param {import('./at-rest.js').Layer[]} [of.layers] What stands around the driver.
 * @param {object} of.settings
 * @param {boolean} of.isProduction
 * @param {{ file: string, major: number }} of.astro The site's Astro, by a file of it.
 * @param {string} of.root The site's folder.
 */
export function sitePlugin({ found, layers = [], settings, isProduction, astro, root }) {
	const around = layers.map(({ of, options }, index) => `{ around: around${index}, ...${JSON.stringify({ of, options })} }`).join(', ');
	const code = `
import open from ${JSON.stringify(found.module)};
${layers.map(({ module }, index) => `import around${index} from '@cloakroom/astro/at-rest/${module}';\n`).join('')}import { openSite } from '@cloakroom/astro/site';
export const site = openSite(${JSON.stringify({ ...settings, isProduction })}, ${JSON.stringify(found.options)}, open, [${around}]);
// Those before warn of whoever asks for it.
export const isSessionAtBuild = ${astro.major >= 7};
`;
	// Part of what is built, since it asks for the module above.
	const noExternal = ['@cloakroom/astro', 'devalue'];
	return {
		name: '@cloakroom/astro',
		config: () => ({ ssr: { noExternal } }),
		configEnvironment: (/** @type {string} */ name) => (name === 'client' ? undefined : { resolve: { noExternal } }),
		enforce: /** @type {const} */ ('pre'),
		/** @this {any} @param {string} id @param {string} [importer] */
		async resolveId(id, importer) {
			if (id === NAME) return RESOLVED;
			// Astro asks for it from its own folder, from where no other package of the site need be found.
			if (id === DRIVER) return `${OURS}/src/driver.js`;
			if (!importer?.startsWith(OURS)) return undefined;
			if (id === 'devalue') return this.resolve(id, astro.file, { skipSelf: true });
			// What a driver needs is the site's to install, as with Astro's own drivers.
			if (!OF_THE_SITE.includes(id)) return undefined;
			for (const from of [path.join(root, 'package.json'), importer]) {
				const resolved = await this.resolve(id, from, { skipSelf: true });
				// Vite has a module of its own for what our package.json calls optional.
				if (resolved && !resolved.id.startsWith('__vite-optional-peer-dep:')) return resolved;
			}
			if (OF_ONE_DATABASE.includes(id)) return { id, external: true };
			const [who, name] = id === CIPHER ? ['`encryption`', '@noble/ciphers'] : [`the session driver ${found.name}`, id];
			throw new Error(`[@cloakroom/astro] ${who} needs the package ${name}, which is not installed: npm install ${name}`);
		},
		load: (/** @type {string} */ id) => (id === RESOLVED ? code : undefined),
	};
}
