/// <reference types="astro/client" />

// The session's keys, the same as the Rust shop's.
declare namespace App {
	interface SessionData {
		cart: string[];
		user: { name: string };
		device: { browser: string; since: Date };
		address: { street: string; town: string };
		lastVisit: Date;
		'settings:homepage': URL;
		'settings:interests': Set<string>;
		'settings:sizes': Map<string, number>;
		'flash:action': { actionName: string; actionResult: import('astro:actions').SerializedActionResult };
	}
}

declare namespace App {
	interface Locals {
		/** When this visitor last opened a page, before this one. */
		lastVisit?: Date;
	}
}
