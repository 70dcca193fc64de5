// For pages, endpoints, actions and middleware.
import { sessionOf } from './src/attach.js';

export {
	SessionConflictError,
	SessionCorruptError,
	SessionEndedError,
	SessionUnavailableError,
} from './src/session/errors.js';

export async function update(session, key, change) {
	const ours = session && sessionOf(session);
	if (!ours) {
		throw new Error(
			'update() needs the session of a page that is rendered on demand (`export const prerender = false`), in a site with the integration @cloakroom/astro.',
		);
	}
	return ours.update(key, change);
}
