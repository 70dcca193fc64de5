import { getActionContext } from 'astro:actions';
import { defineMiddleware, sequence } from 'astro:middleware';

const lastVisit = defineMiddleware(async (context, next) => {
	// Pages only: an endpoint shows nobody when they last came.
	if (!context.isPrerendered && !/^\/(api|_actions)\//.test(context.url.pathname)) {
		context.locals.lastVisit = await context.session?.get('lastVisit');
		context.session?.set('lastVisit', new Date());
	}
	return next();
});

/** A form's action, then a redirect, with the result in the session until a page has shown it; under Rust's key. */
const afterForm = defineMiddleware(async (context, next) => {
	if (context.isPrerendered) return next();
	const { action, setActionResult, serializeActionResult } = getActionContext(context);
	if (action?.calledFrom === 'form') {
		const actionResult = serializeActionResult(await action.handler());
		context.session?.set('flash:action', { actionName: action.name, actionResult });
		return context.redirect(context.url.pathname, 303);
	}
	const latest = context.request.method === 'GET' ? await context.session?.get('flash:action') : undefined;
	if (latest) {
		setActionResult(latest.actionName, latest.actionResult);
		context.session?.delete('flash:action');
	}
	return next();
});

export const onRequest = sequence(lastVisit, afterForm);
