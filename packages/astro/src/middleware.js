// Before all other middleware of the site: gives the request its session, and saves it before the response leaves.
import { isSessionAtBuild, site } from 'virtual:cloakroom/site';
import { attach, lead, sessionOf } from './attach.js';
import { SessionConflictError, SessionError } from './session/errors.js';

/** How often a page is run whose session others go on changing. */
const RUNS = 50;

/** How long a page may go on after a conflict, in milliseconds, to be run again. */
const PATIENCE = 3000;

/** @type {import('astro').MiddlewareHandler} */
export async function onRequest(context, next) {
	if (context.isPrerendered) {
		// A page that is made at build time has no visitor. Astro has a session there all the same, which says so.
		if (isSessionAtBuild && context.session) lead(context.session);
		return next();
	}
	const astros = context.session;
	if (!astros) return next();
	const running = sessionOf(astros);
	if (running) {
		// A rewrite runs the middleware again, within the request.
		running.follow(context.cookies);
		return next();
	}
	const session = attach(astros, site, context.cookies);
	const first = context.request;
	// Where a middleware before this one has read the body, there is none for another run.
	const isRunAgain = (isSafe(first) || site.rules.conflict === 'retry') && !first.bodyUsed;
	/** What a page gets that is run again. @type {Request | undefined} */
	let request;
	try {
		for (let run = 1; ; run++) {
			// What a page reads of its request's body cannot be read twice.
			const spare = isRunAgain && first.body ? (request ?? first).clone() : undefined;
			/** @type {Response | undefined} */
			let response;
			try {
				response = await answer(session, () => next(request));
				await session.commit();
				return response;
			} catch (error) {
				// A page that was rewritten is run again from where it began, which Astro allows twice.
				const runs = session.isRewritten ? 2 : RUNS;
				const mayRunAgain = error instanceof SessionConflictError && isRunAgain && run < runs;
				if (!mayRunAgain || !(await hasEnded(response?.body))) {
					if (error instanceof SessionError) session.refuse();
					// What it streams is nobody's.
					response?.body?.cancel().catch(() => {});
					return refusal(error, context.url);
				}
				await session.restart();
				// Else Astro takes a form's action for done.
				delete context.locals._actionPayload;
				request = spare ?? (session.isRewritten ? first : undefined);
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
	try {
		return await run();
	} catch (error) {
		// As with Astro, what a page had set before it failed is saved.
		await session.commitFailed().catch((lost) => console.error(`[cloakroom] ${lost.message}`));
		throw error;
	}
}

/**
 * Waits until a page has come to its end. Its parts change the session while it streams: those of the run before would
 * change that of the next. Whether it has.
 * @param {ReadableStream | null | undefined} body
 */
async function hasEnded(body) {
	if (!body) return true;
	const patience = new AbortController();
	const { signal } = patience;
	const timer = setTimeout(() => patience.abort(), PATIENCE);
	// A page that fails has ended, too.
	await body.pipeTo(new WritableStream(), { signal }).catch(() => {});
	clearTimeout(timer);
	return !signal.aborted;
}

/** What the browser is told where the site could not do it. @param {unknown} error @param {URL} url */
function refusal(error, url) {
	if (!(error instanceof SessionError) || error.status === 500) throw error;
	const { status, message } = error;
	if (status === 503) console.error(`[cloakroom] ${message}`);
	// What the store said itself is for the log alone.
	const text = status === 503 ? 'The session could not be read or saved. Try again in a moment.' : message;
	/** @type {Record<string, string>} */
	const headers = { 'cache-control': 'no-store' };
	if (status === 503) headers['retry-after'] = '1';
	if (url.pathname.includes('/_actions/')) {
		// As Astro's client of actions reads it.
		const code = status === 503 ? 'SERVICE_UNAVAILABLE' : 'CONFLICT';
		return Response.json({ type: 'AstroActionError', code, status, message: text }, { status, headers });
	}
	headers['content-type'] = 'text/plain; charset=utf-8';
	return new Response(`${text}\n`, { status, headers });
}
