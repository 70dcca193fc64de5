import type { APIRoute } from 'astro';

export const POST: APIRoute = async ({ request, session }) => {
	const { item } = await request.json();
	if (typeof item !== 'string' || item === '') return new Response('An item is needed.', { status: 400 });
	const cart = (await session?.get('cart')) ?? [];
	cart.push(item);
	session?.set('cart', cart);
	return Response.json(cart);
};
