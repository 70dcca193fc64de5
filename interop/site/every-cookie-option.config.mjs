// @ts-check
// The same site with every option of the session's cookie set, and a lifetime for its entries.
import config from './astro.config.mjs';

/** The probe reads the same object, so that both sides are configured alike. */
export const session = {
	cookie: {
		name: 'every-option',
		domain: 'localhost',
		path: '/api',
		maxAge: 3600,
		sameSite: /** @type {const} */ ('strict'),
		secure: false,
	},
	ttl: 7200,
};

export default {
	...config,
	outDir: './dist-every-cookie-option',
	session: { ...config.session, ...session },
};
