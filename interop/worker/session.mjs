// A Worker with sessions of `@cloakroom/astro`, and without Node's modules: the binding DRIVER says which store, and OPTIONS with
// which options.
import http from '../../packages/astro/src/drivers/http.js';
import upstash from '../../packages/astro/src/drivers/upstash.js';
import { Session } from '../../packages/astro/src/session/session.js';
import { openSite } from '../../packages/astro/src/site.js';

const drivers = { http, upstash };

export default {
	async fetch(request, { DRIVER, OPTIONS }) {
		const site = openSite({ limits: {}, conflict: 'error', isProduction: true }, OPTIONS, drivers[DRIVER]);
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
