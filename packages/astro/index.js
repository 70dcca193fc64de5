// The integration: one line in `astro.config.mjs`.
import { fileURLToPath } from 'node:url';
import { checkAstro } from './src/integration/astro-version.js';
import { findDriver } from './src/integration/find-driver.js';
import { checkOptions } from './src/integration/options.js';
import { DRIVER, sitePlugin } from './src/integration/site-plugin.js';
import { callersFile, describe, tell } from './src/integration/told.js';
import { sessionTypes } from './src/integration/types.js';

/**
 * @param {import('./index.d.ts').CloakroomOptions} [options]
 * @returns {import('astro').AstroIntegration}
 */
export default function cloakroom(options = {}) {
	const { limits, conflict, driver, atRest } = checkOptions(options);
	const file = callersFile();
	/** What a Rust server is told. @type {object | undefined} */
	let described;
	/** Where the built server is. @type {URL | undefined} */
	let server;
	/** The site's Astro. @type {Awaited<ReturnType<typeof checkAstro>>} */
	let astro;
	return {
		name: '@cloakroom/astro',
		hooks: {
			'astro:config:setup': async ({ config, command, updateConfig, addMiddleware, logger }) => {
				// Without sessions there is nothing to keep.
				if (/** @type {any} */ (config.session) === false) return;
				astro = await checkAstro(config.root);
				const found = findDriver(driver ?? config.session?.driver, config.session?.options);
				logger.info(`sessions are kept by ${found.name}, on the condition that nobody else has changed them`);
				const settings = {
					cookie: config.session?.cookie,
					limits: { ...limits, ttl: config.session?.ttl },
					conflict,
				};
				// Also where what was built is only looked at, or types are written.
				const isProduction = command !== 'dev';
				// A Rust server is beside what was started or built last.
				if (command === 'dev' || command === 'build') {
					described = await describe({ found, session: config.session, limits, atRest: atRest.told, root: config.root, isProduction, file });
				}
				updateConfig(
					/** @type {any} */ ({
						session: { driver: astro.major >= 6 ? { entrypoint: DRIVER } : DRIVER },
						vite: { plugins: [sitePlugin({ found, layers: atRest.layers, settings, isProduction, astro, root: fileURLToPath(config.root) })] },
					}),
				);
				addMiddleware({ order: 'pre', entrypoint: '@cloakroom/astro/middleware' });
			},
			'astro:config:done': async ({ config, injectTypes }) => {
				const session = /** @type {any} */ (config.session);
				if (session === false) return;
				const entrypoint = session?.driver?.entrypoint ?? session?.driver;
				if (entrypoint !== DRIVER) {
					throw new Error(
						`[@cloakroom/astro] another integration chose a session driver after this one (${entrypoint}): put cloakroom() after it in \`integrations\`.`,
					);
				}
				server = config.build.server;
				injectTypes(sessionTypes(astro.sessionClass, config.root));
				if (described) await tell(new URL('.astro/', config.root), described);
			},
			'astro:build:done': async () => {
				if (described && server) await tell(server, described);
			},
		},
	};
}
