// The integration: one line in `astro.config.mjs`.
import { fileURLToPath } from 'node:url';
import { checkAstro } from './src/integration/astro-version.js';
import { findDriver } from './src/integration/find-driver.js';
import { checkOptions } from './src/integration/options.js';
import { sitePlugin } from './src/integration/site-plugin.js';

/**
 * @param {import('./index.d.ts').CloakroomOptions} [options]
 * @returns {import('astro').AstroIntegration}
 */
export default function cloakroom(options = {}) {
	const { limits, conflict, driver } = checkOptions(options);
	return {
		name: '@cloakroom/astro',
		hooks: {
			'astro:config:setup': async ({ config, command, updateConfig, addMiddleware, logger }) => {
				// Without sessions there is nothing to keep.
				if (/** @type {any} */ (config.session) === false) return;
				const { file: astro, takesObjects } = await checkAstro(config.root);
				const found = findDriver(driver ?? config.session?.driver, config.session?.options);
				logger.info(`sessions are kept by ${found.name}, on the condition that nobody else has changed them`);
				const settings = {
					cookie: config.session?.cookie,
					limits: { ...limits, ttl: config.session?.ttl },
					conflict,
				};
				const entrypoint = '@cloakroom/astro/driver';
				updateConfig(
					/** @type {any} */ ({
						session: { driver: takesObjects ? { entrypoint } : entrypoint },
						vite: { plugins: [sitePlugin({ found, settings, isProduction: command === 'build', astro, root: fileURLToPath(config.root) })] },
					}),
				);
				addMiddleware({ order: 'pre', entrypoint: '@cloakroom/astro/middleware' });
			},
			'astro:config:done': ({ config }) => {
				const session = /** @type {any} */ (config.session);
				if (session === false) return;
				const entrypoint = session?.driver?.entrypoint ?? session?.driver;
				if (entrypoint !== '@cloakroom/astro/driver') {
					throw new Error(
						`[@cloakroom/astro] another integration chose a session driver after this one (${entrypoint}): put cloakroom() after it in \`integrations\`.`,
					);
				}
			},
		},
	};
}
