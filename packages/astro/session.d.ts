import type { APIContext } from 'astro';

type Session = NonNullable<APIContext['session']>;

/** What is under a key: as `T` says it, or else `App.SessionData`. The same as for Astro's own `get` and `set`. */
type Value<T, K> = T extends void ? (K extends keyof App.SessionData ? App.SessionData[K] : any) : T;

/** What a session has besides Astro's own methods, in a site with the integration. */
export interface CloakroomSession {
	/**
	 * Changes a value of the session, however many others change it at the same time.
	 *
	 * `change` gets what is stored (`undefined` where there is nothing) and gives the new value. It is called again where
	 * someone else was faster, so it should do nothing else. Gives the value as this request has it.
	 *
	 * @example
	 * const cart = await Astro.session?.update('cart', (cart = []) => [...cart, item]);
	 */
	update<T = void, K extends string = keyof App.SessionData | (string & {})>(
		key: K,
		change: (value: Value<T, K> | undefined) => Value<T, K> | Promise<Value<T, K>>,
	): Promise<Value<T, K>>;
}

/**
 * The same as the session's own method. Where the page has no session it says so.
 *
 * @example
 * const cart = await update(Astro.session, 'cart', (cart = []) => [...cart, item]);
 */
export function update<T = void, K extends string = keyof App.SessionData | (string & {})>(
	session: Session | undefined,
	key: K,
	change: (value: Value<T, K> | undefined) => Value<T, K> | Promise<Value<T, K>>,
): Promise<Value<T, K>>;

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
