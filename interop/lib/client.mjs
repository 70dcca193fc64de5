// A visitor without a browser: one cookie jar for every server of this host, as browsers keep it.
import assert from 'node:assert/strict';
import { parse, stringify } from 'devalue';

export class Client {
	/** The cookies by name, with the values that the servers set last. */
	cookies = new Map();
	/** The `Set-Cookie` headers of the last response. */
	setCookies = [];

	constructor(cookies = []) {
		this.cookies = new Map(cookies);
	}

	/** The ID in the session's cookie, or undefined. */
	get id() {
		return this.cookies.get('astro-session');
	}

	async request(server, path, { headers = {}, ...init } = {}) {
		if (this.cookies.size > 0) {
			headers.cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
		}
		const response = await fetch(server.url + path, { redirect: 'manual', ...init, headers });
		this.setCookies = response.headers.getSetCookie();
		for (const cookie of this.setCookies) {
			const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
			if (/; Expires=Thu, 01 Jan 1970/.test(cookie)) this.cookies.delete(name);
			else this.cookies.set(name, value);
		}
		return response;
	}

	/** The text of a page. */
	async page(server, path) {
		const response = await this.request(server, path);
		const text = await response.text();
		assert.equal(response.status, 200, `${server.name} ${path}: ${text}`);
		return text;
	}

	/** Sends a form as a browser would from a page of the same site. Follows no redirect. */
	async submit(server, path, fields) {
		const { action = path, besides = {} } = server.forms?.[path] ?? {};
		const response = await this.request(server, action, {
			method: 'POST',
			body: new URLSearchParams([...new URLSearchParams(fields), ...Object.entries(besides)]),
			headers: { origin: server.url, 'sec-fetch-site': 'same-origin' },
		});
		const text = await response.text();
		assert.ok([200, 302, 303].includes(response.status), `${server.name} ${path}: ${response.status} ${text}`);
	}

	/** Posts JSON and returns the JSON of the answer. */
	async post(server, path, body) {
		const response = await this.request(server, path, {
			method: 'POST',
			body: JSON.stringify(body),
			headers: { 'content-type': 'application/json', origin: server.url, 'sec-fetch-site': 'same-origin' },
		});
		const text = await response.text();
		assert.equal(response.status, 200, `${server.name} ${path}: ${text}`);
		return JSON.parse(text);
	}

	/** Takes steps on the session in one request of the site's or the probe's `/api/session`. */
	steps(server, ...steps) {
		return this.post(server, '/api/session', steps);
	}

	/** Stores a JavaScript value. */
	async set(server, key, value, { ttl } = {}) {
		await this.steps(server, { do: 'set', key, value: stringify(value), ttl });
	}

	/** Reads a value back as JavaScript has it; undefined when there is none. */
	async get(server, key) {
		const [text] = await this.steps(server, { do: 'get', key });
		return text === null ? undefined : parse(text);
	}

	async has(server, key) {
		return (await this.steps(server, { do: 'has', key }))[0];
	}

	async keys(server) {
		return (await this.steps(server, { do: 'keys' }))[0];
	}
}
