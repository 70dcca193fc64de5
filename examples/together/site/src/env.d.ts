/// <reference types="astro/client" />

// The session's keys, the same as in Rust: examples/shop/src/session.rs.
declare namespace App {
	interface SessionData {
		cart: string[];
		user: { name: string };
		/** The slugs of the products that were looked at last. Astro's alone. */
		seen: string[];
	}
}
