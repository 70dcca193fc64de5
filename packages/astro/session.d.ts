import type { APIContext } from 'astro';

type Session = NonNullable<APIContext['session']>;

/**
 * Changes a value of the session, however many others change it at the same time.
 *
 * `change` gets what is stored (`undefined` where there is nothing) and gives the new value. It is called again where
 * someone else was faster, so it should do nothing else. Gives the value as this request has it.
 *
 * @example
 * const cart = await update(Astro.session, 'cart', (cart = []) => [...cart, item]);
 */
export function update<T = any>(
	session: Session | undefined,
	key: string,
	change: (value: T | undefined) => T | Promise<T>,
): Promise<T>;

declare class SessionError extends Error {
	/** What a response says of it. */
	readonly status: number;
}

/** Another request changed what this one had read and wanted to replace. Nothing was saved. */
export class SessionConflictError extends SessionError {
	readonly key: string;
}
/** Another request logged out or gave the session a new ID. Nothing was saved. */
export class SessionEndedError extends SessionError {}
/** The store did not answer. What was to be saved is not acknowledged. */
export class SessionUnavailableError extends SessionError {}
/** What is stored is no session of Astro's. It was kept as it is. */
export class SessionCorruptError extends SessionError {}
