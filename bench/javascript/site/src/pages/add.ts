import type { APIRoute } from 'astro';

const full = 10;

export const POST: APIRoute = async ({ request, session }) => {
	const { item } = await request.json();
	const cart = (await session?.get('cart')) ?? [];
	if (cart.length >= full) cart.length = 0;
	cart.push(item);
	session?.set('cart', cart);
	return new Response(String(cart.length));
};
