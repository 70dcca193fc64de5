// A Worker with sessions of `@cloakroom/astro`, and without Node's modules: the binding DRIVER says which store, and OPTIONS with
// which options. Where there is a binding SECRETS, IDs are hashed and records sealed.
import encrypted from '../../packages/astro/src/at-rest/encrypted.js';
import hashedKeys from '../../packages/astro/src/at-rest/hashed-keys.js';
import http from '../../packages/astro/src/drivers/http.js';
import upstash from '../../packages/astro/src/drivers/upstash.js';
import { Session } from '../../packages/astro/src/session/session.js';
import { openSite } from '../../packages/astro/src/site.js';

const drivers = { http, upstash };

const layersOf = ({ secret, keys }) => [
	{ around: encrypted, of: '`encryption`', options: { keys } },
	{ around: hashedKeys, of: '`hashIds`', options: { secret } },
];

export default {
	async fetch(request, { DRIVER, OPTIONS, SECRETS }) {
		const site = openSite({ limits: {}, conflict: 'error', isProduction: true }, OPTIONS, drivers[DRIVER], SECRETS ? layersOf(SECRETS) : []);
		const value = /astro-session=([^;]+)/.exec(request.headers.get('cookie'))?.[1];
		const session = new Session(site, { get: () => ({ value }), set() {}, delete() {} });
		const results = [];
		for (const step of await request.json()) {
			if (step.do === 'push') await session.update(step.key, (list = []) => [...list, step.item]);
			results.push(step.do === 'destroy' ? session.destroy() : null);
		}
		await session.commit();
		session.close();
		return Response.json(results);
	},
};
