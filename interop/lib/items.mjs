// The items of a store as Rust's driver has them, through the probe.
import assert from 'node:assert/strict';

async function call(probe, ...calls) {
	const response = await fetch(`${probe.url}/api/storage`, {
		method: 'POST',
		body: JSON.stringify(calls),
		headers: { 'content-type': 'application/json' },
	});
	const text = await response.text();
	assert.equal(response.status, 200, text);
	return JSON.parse(text);
}

/** The bytes, or null. */
export async function get(probe, key) {
	const [bytes] = await call(probe, { do: 'get', key });
	return bytes && Buffer.from(bytes);
}

/** Stores bytes, or a text in UTF-8. `ttl` is in milliseconds. */
export async function set(probe, key, value, { ttl } = {}) {
	await call(probe, { do: 'set', key, value: [...Buffer.from(value)], ttl });
}

export async function remove(probe, key) {
	await call(probe, { do: 'remove', key });
}

export async function keys(probe) {
	return (await call(probe, { do: 'keys' }))[0].toSorted();
}
