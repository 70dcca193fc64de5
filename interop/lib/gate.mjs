// A request that waits in the midst of its steps, on the probe or on the site.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

/** Takes some steps on a server, lets `meanwhile` happen, and takes the other steps, in one request. Returns its answer. */
export async function interleave(client, server, { before, meanwhile, after }) {
	const gate = randomUUID();
	const tell = async (what) => {
		const response = await fetch(`${server.url}/api/gates/${gate}/${what}`, {
			method: 'POST',
			// A post without a type could come from a form of another site, which Astro refuses.
			headers: { 'content-type': 'application/json' },
		});
		assert.equal(response.status, 200, await response.text());
	};
	const request = client.steps(server, ...before, { do: 'wait', gate }, ...after);
	// Whatever fails below, the request's own failure is told by whoever awaits it.
	request.catch(() => {});
	// A request that fails before the gate never reaches it.
	await Promise.race([tell('reached'), request]);
	try {
		await meanwhile();
	} finally {
		await tell('open');
	}
	return request;
}
