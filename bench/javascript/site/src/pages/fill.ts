// A session of 1 KB, as the servers of Rust make it.
import type { APIRoute } from 'astro';

export const POST: APIRoute = ({ session }) => {
	for (const key of 'abcdefghi') session?.set(key, key.repeat(92));
	session?.set('cart', []);
	return new Response('0');
};
