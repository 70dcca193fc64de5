// What Astro has for a session driver. Sessions that the middleware has seen never come here. Others, as of an error page
// that is rendered without middleware, can be read, and fail loudly where they would be written the old way.
import { site } from 'virtual:cloakroom/site';

const refuse = async () => {
	throw new Error(
		'This session was changed where the middleware of @cloakroom/astro did not run, so nothing was saved: it could have overwritten what others saved.',
	);
};

export default () => ({
	name: 'cloakroom',
	async getItem(/** @type {string} */ id) {
		const found = await site.store.find(id);
		return found.is === 'alive' ? found.item.text : null;
	},
	setItem: refuse,
	removeItem: refuse,
});
