import type { APIRoute } from 'astro';

export const GET: APIRoute = async ({ session }) => {
	const cart = (await session?.get('cart')) ?? [];
	return new Response(String(cart.length));
};
