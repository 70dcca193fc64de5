// For the tests alone: says when a request waits at a gate, and opens it, as the Rust probe does.
import type { APIRoute } from 'astro';
import { gateOf } from '../../../../gates';

export const POST: APIRoute = async ({ params }) => {
	const gate = gateOf(params.gate!);
	if (params.what === 'reached') await gate.reached.promise;
	else gate.open.resolve();
	return new Response(null, { status: 200 });
};
