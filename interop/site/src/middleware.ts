import { defineMiddleware } from 'astro:middleware';

export const onRequest = defineMiddleware(async (context, next) => {
	// Pages only: an endpoint shows nobody when they last came.
	if (!context.url.pathname.startsWith('/api/')) {
		context.locals.lastVisit = await context.session?.get('lastVisit');
		context.session?.set('lastVisit', new Date());
	}
	return next();
});
