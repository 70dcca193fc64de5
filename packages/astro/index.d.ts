import type { AstroIntegration } from 'astro';

/** A variable of the environment where the server runs: a secret said itself would stay in what is built. */
export interface Variable {
	$env: string;
}

/** As `encryption` of Cloakroom's Rust side. It needs the package `@noble/ciphers`. */
export interface Encryption {
	/**
	 * Keys of 32 bytes, as base64 or as hexadecimal digits: a variable with one or with several and commas between them, or a list
	 * of variables with one each. The first seals, all open. CLOAKROOM_SESSION_ENCRYPTION_KEYS unless set.
	 */
	keys?: Variable | Variable[];
	/** In place of `keys`: a file with a key on each line, read where the server runs. */
	keyFile?: string | Variable;
	/** Takes records that are not sealed as they are, for the time in which a store that was plain becomes sealed. */
	acceptPlain?: boolean;
}

export interface CloakroomOptions {
	/**
	 * What happens where a request has read a value and set another, and someone else has changed it in between.
	 *
	 * - `error` (the default): nothing is saved, and the answer is `409`; a `GET` or `HEAD` is run again.
	 * - `retry`: the page is run again, on what is stored now. What it did besides happens again, too.
	 * - `merge`: the later one wins, as in plain Astro. What the other saved under that key is lost.
	 *
	 * Different keys are merged in any case, and `update` is never in conflict.
	 */
	conflict?: 'error' | 'retry' | 'merge';
	/** For how long a session lives without being used, in seconds. As `idle` of Cloakroom's Rust side. */
	idle?: number;
	/** For how long a session lives at most, in seconds. As `absolute` of Cloakroom's Rust side. */
	absolute?: number;
	/** What `idle` is for sessions that Rust has marked as remembered, and how long their cookie lives, in seconds. */
	remember?: number;
	/** How much the deadline of a session that is only read may lag behind, in seconds. */
	touchInterval?: number;
	/**
	 * Keeps sessions under hashes of their IDs, so that what is read in the store is no cookie. As `hashIds` of Cloakroom's Rust side.
	 *
	 * - `true`: SHA-256; with a secret where CLOAKROOM_SESSION_HASH_IDS_SECRET is set where the server runs.
	 * - `{ secret }`: HMAC-SHA-256 with the secret that the variable has, which is CLOAKROOM_SESSION_HASH_IDS_SECRET unless named.
	 */
	hashIds?: boolean | { secret?: Variable };
	/** Seals what is stored, so that who has the store alone cannot read or change it. `true` takes the keys from the default variable. */
	encryption?: boolean | Encryption;
	/**
	 * In place of `session.driver`: a driver's name, or what `sessionDrivers` of `astro/config` gives. An option that is
	 * `{ $env: 'NAME' }` is read from the environment where the server runs.
	 */
	driver?: string | { entrypoint: string | URL; config?: Record<string, unknown> };
}

/** Keeps the site's sessions so that no acknowledged update is lost, and no logout undone. */
export default function cloakroom(options?: CloakroomOptions): AstroIntegration;
