// The modules of the package `@cloakroom/astro`, as Astro's build has them: with Astro's own devalue, and the site's packages.
import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Finds what Astro itself stands on. */
export const ofAstro = createRequire(createRequire(import.meta.url).resolve('astro/package.json'));

/** What the package's drivers take from the site. */
const ofTheSite = ['ioredis', '@netlify/blobs', '@noble/ciphers/aes.js', 'pg', 'mysql2/promise'];

registerHooks({
	resolve(specifier, context, next) {
		if (specifier === 'virtual:cloakroom/site') return next(new URL('./astro-site.mjs', import.meta.url).href, context);
		if (!context.parentURL?.includes('/packages/astro/')) return next(specifier, context);
		if (specifier === 'devalue') return next(pathToFileURL(ofAstro.resolve('devalue')).href, context);
		return next(specifier, ofTheSite.includes(specifier) ? { ...context, parentURL: import.meta.url } : context);
	},
});

/** A module of the package, by its path below `src`. */
export const load = (path) => import(new URL(`../../packages/astro/src/${path}`, import.meta.url).href);
