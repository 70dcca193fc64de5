import type { AstroIntegration } from 'astro';

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
	 * In place of `session.driver`: a driver's name, or what `sessionDrivers` of `astro/config` gives. An option that is
	 * `{ $env: 'NAME' }` is read from the environment where the server runs.
	 */
	driver?: string | { entrypoint: string | URL; config?: Record<string, unknown> };
}

/** Keeps the site's sessions so that no acknowledged update is lost, and no logout undone. */
export default function cloakroom(options?: CloakroomOptions): AstroIntegration;
