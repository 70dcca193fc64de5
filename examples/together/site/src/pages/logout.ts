import type { APIRoute } from 'astro';

/** Ends the session in both halves. */
export const POST: APIRoute = async ({ session, redirect }) => {
	session?.destroy();
	return redirect('/', 303);
};
