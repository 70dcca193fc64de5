// Before all other middleware of the site: gives the request its session, and saves it before the response leaves.
import { site } from 'virtual:cloakroom/site';
import { attach, sessionOf } from './attach.js';
import { SessionConflictError, SessionEndedError, SessionUnavailableError } from './session/errors.js';

/** How often a page is run whose session others go on changing. */
const RUNS = 50;

/** @type {import('astro').MiddlewareHandler} */
export async function onRequest(context, next) {
	// A page that is made at build time has no visitor.
	if (context.isPrerendered) return next();
	const astros = context.session;
	// A rewrite runs the middleware again, within the request.
	if (!astros || sessionOf(astros)) return next();
	const session = attach(astros, site, context.cookies);
	const isRunAgain = isSafe(context.request) || site.rules.conflict === 'retry';
	/** @type {Request | undefined} */
	let request;
	try {
		for (let run = 1; ; run++) {
			// What a page reads of its request's body cannot be read twice.
			const spare = isRunAgain && context.request.body ? (request ?? context.request).clone() : undefined;
			try {
				return await answer(session, () => next(request));
			} catch (error) {
				if (!(error instanceof SessionConflictError) || !isRunAgain || run === RUNS) return refusal(error);
				await session.restart();
				request = spare;
			}
		}
	} finally {
		session.close();
	}
}

/** What a browser may ask for twice (RFC 9110, section 9.2.1). @param {Request} request */
const isSafe = ({ method }) => method === 'GET' || method === 'HEAD';

/** @param {import('./session/session.js').Session} session @param {() => Promise<Response>} run */
async function answer(session, run) {
	let response;
	try {
		response = await run();
	} catch (error) {
		// As with Astro, what a page had set before it failed is saved.
		await session.commit().catch((lost) => console.error(`[cloakroom] ${lost.message}`));
		throw error;
	}
	await session.commit();
	return response;
}

/** What the browser is told where the site could not do it. @param {unknown} error */
function refusal(error) {
	const isKnown = [SessionConflictError, SessionEndedError, SessionUnavailableError].some((kind) => error instanceof kind);
	if (!isKnown) throw error;
	const { status, message } = /** @type {SessionConflictError} */ (error);
	if (status === 503) console.error(`[cloakroom] ${message}`);
	// What the store said itself is for the log alone.
	const text = status === 503 ? 'The session could not be read or saved. Try again in a moment.' : message;
	/** @type {Record<string, string>} */
	const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
	if (status === 503) headers['retry-after'] = '1';
	return new Response(`${text}\n`, { status, headers });
}
