// The session as handlers have it: the methods of Astro's object, with its meanings.
import { endOf } from '../time.js';
import { commit, commitFailed, load, retireLater } from './commit.js';
import { cookieOptions } from './cookie.js';
import { SessionEndedError, SessionUsageError } from './errors.js';
import { isOwn } from './lifetime.js';
import { copy } from './record.js';
import { isId, State } from './state.js';
import { takeTurn } from './turns.js';

/**
 * What all sessions of a site share.
 * @typedef {object} Site
 * @property {import('./store.js').Store} store
 * @property {import('./commit.js').Rules} rules
 * @property {import('./cookie.js').CookieSettings} cookie
 */
/** @typedef {{ get(name: string): { value: string } | undefined, set(name: string, value: string, options: object): void, delete(name: string, options: object): void }} Cookies */

/** Refuses a key that no entry of the site's can have. @param {string} key */
function checkKey(key) {
	if (!key) throw new SessionUsageError('The session key was not provided.');
	if (isOwn(key)) throw new SessionUsageError(`The session key "${key}" is for a note of Cloakroom's own: choose another.`);
}

export class Session {
	#site;
	#cookies;
	/** @type {State | undefined} */
	#state;
	/** The response has left: no cookie can be set any more. */
	#isClosed = false;
	/** Ends this request's turn, where it has one. @type {(() => void) | undefined} */
	#endTurn;
	/** The last of what is stored, one commit after the other: two at once could both make the same update. @type {Promise<void>} */
	#last = Promise.resolve();
	/** The response says that nothing was saved. */
	#isRefused = false;
	/** The request was rewritten to another page. */
	isRewritten = false;

	/** @param {Site} site @param {Cookies} cookies Astro's, of the request. */
	constructor(site, cookies) {
		this.#site = site;
		this.#cookies = cookies;
	}

	/** The request is rewritten to another page, and has other cookies from now on. @param {Cookies} cookies */
	follow(cookies) {
		this.isRewritten = true;
		this.#cookies = cookies;
	}

	/** Most requests never ask for their session. */
	get #known() {
		return (this.#state ??= new State(this.#cookies.get(this.#site.cookie.name)?.value));
	}

	get sessionID() {
		return this.#state?.id;
	}

	/** @param {string} key */
	async get(key) {
		const state = await this.#loaded();
		if (isOwn(key)) return undefined;
		state.read(key);
		return state.entries.get(key)?.data;
	}

	/** @param {string} key */
	async has(key) {
		const state = await this.#loaded();
		state.read(key);
		return !isOwn(key) && state.entries.has(key);
	}

	async keys() {
		return (await this.#all()).map(([key]) => key)[Symbol.iterator]();
	}

	async values() {
		return (await this.#all()).map(([, entry]) => entry.data);
	}

	async entries() {
		return (await this.#all()).map(([key, entry]) => [key, entry.data]);
	}

	/** @param {string} key @param {unknown} value @param {{ ttl?: number }} [options] A ttl is in seconds. */
	set(key, value, { ttl } = {}) {
		checkKey(key);
		let data;
		try {
			data = copy(value);
		} catch (cause) {
			throw new SessionUsageError(
				`The session data for ${key} could not be serialized. See the devalue library for all supported types: https://github.com/sveltejs/devalue`,
				cause,
			);
		}
		const { name } = this.#site.cookie;
		if (!/^[\w-]+$/.test(name)) {
			throw new SessionUsageError('Invalid cookie name. Cookie names can only contain letters, numbers, and dashes.');
		}
		const state = this.#known;
		const lifetime = ttl ?? this.#site.rules.limits.ttl;
		state.set(key, { data, expires: typeof lifetime === 'number' ? Date.now() + lifetime * 1000 : undefined });
		this.#commitLate(state);
	}

	/**
	 * Changes a value, however many others change it at once: `change` is called again on what they have stored.
	 * @param {string} key
	 * @param {(value: any) => any} change
	 */
	async update(key, change) {
		checkKey(key);
		const state = await this.#loaded();
		if (state.known.is === 'ended') throw new SessionEndedError();
		let before, data;
		do {
			before = state.entries.get(key);
			data = copy(await change(before === undefined ? undefined : copy(before.data)));
			// Another part of the request was faster.
		} while (state.entries.get(key) !== before);
		const expires = before ? before.expires : endOf(this.#site.rules.limits.ttl);
		state.update(key, { data, expires }, change);
		this.#commitLate(state);
		return data;
	}

	/** @param {string} key */
	delete(key) {
		// None of the site's has that name.
		if (isOwn(key)) return;
		this.#known.delete(key);
		this.#commitLate(this.#known);
	}

	destroy() {
		this.#known.destroy();
		this.#commitLate(this.#known);
	}

	async regenerate() {
		const state = await this.#loaded();
		if (state.known.is === 'ended') throw new SessionEndedError();
		if (this.#isClosed) throw new SessionUsageError('The response has begun, so no cookie can name a new ID.');
		state.regenerate();
	}

	/** @param {string} id */
	async load(id) {
		if (!isId(id)) throw new SessionUsageError('A session ID is a UUID of version 4.');
		const found = await this.#site.store.find(id);
		const { endings, hasTurn } = this.#known;
		const state = (this.#state = new State(this.#cookies.get(this.#site.cookie.name)?.value));
		state.endings = endings;
		state.hasTurn = hasTurn;
		if (found.is === 'alive') state.loaded(id, found.item, this.#site.rules.limits);
		else state.missed();
	}

	/** Stores what was changed, and sets or deletes the cookie. Called again it does what came after. */
	commit() {
		return this.#commit(commit);
	}

	/** The same for a page that has failed. */
	commitFailed() {
		return this.#commit(commitFailed);
	}

	/** @param {typeof commit} store */
	#commit(store) {
		return this.#next(async () => {
			const state = this.#state;
			if (!state) return;
			if (this.#isRefused) return this.#drop(state);
			try {
				// Astro renders parts of a page early, so that they may do something to the session meanwhile.
				do {
					await store(state, this.#site.store, this.#site.rules);
				} while (state.isAhead && !this.#isClosed);
			} catch (error) {
				this.#giveUp(state);
				throw error;
			}
			if (!this.#isClosed) this.#answer(state);
		});
	}

	/** Stores something once all before it is stored. @param {() => Promise<void>} store */
	#next(store) {
		const done = this.#last.then(store);
		this.#last = done.catch(() => {});
		return done;
	}

	/** The response says that nothing was saved, so nothing is, now or later. */
	refuse() {
		this.#isRefused = true;
	}

	/** Nothing of it is saved; what was destroyed is destroyed all the same. @param {State} state */
	#giveUp(state) {
		state.forget();
		for (const ending of state.endings.splice(0)) retireLater(ending, 'destroyed', this.#site.store);
	}

	/** @param {State} state */
	#drop(state) {
		if (!state.changes.isEmpty) console.error('[cloakroom] what was changed after the response had said that nothing was saved was not saved.');
		this.#giveUp(state);
	}

	/** The response leaves. */
	close() {
		this.#isClosed = true;
		this.#endTurn?.();
		this.#endTurn = undefined;
		if (this.#state) this.#state.hasTurn = false;
	}

	/** Begins anew, for a handler that is run again: one after the other, among those of this process. */
	async restart() {
		const id = this.#known.presented;
		if (id) this.#endTurn ??= await takeTurn(id);
		this.#state = new State(this.#cookies.get(this.#site.cookie.name)?.value);
		this.#state.hasTurn = this.#endTurn !== undefined;
	}

	/** @param {State} state */
	#answer(state) {
		const { cookie, rules } = this.#site;
		const { known } = state;
		const options = cookieOptions(cookie, state.entries, rules.limits);
		if (known.is === 'stored' && (known.id !== state.presented || (state.wasWritten && options.maxAge !== undefined))) {
			this.#cookies.set(cookie.name, known.id, options);
		} else if (known.is === 'absent' && state.isDestroyed && state.hasCookie) {
			this.#cookies.delete(cookie.name, cookie.options);
		}
	}

	/**
	 * What a page changes while it streams is stored as soon as it is changed. The page goes on where that fails, as with plain
	 * Astro, which never stores it.
	 * @param {State} state
	 */
	#commitLate(state) {
		if (!this.#isClosed) return;
		this.#next(async () => {
			const { store, rules } = this.#site;
			if (this.#isRefused) return this.#drop(state);
			try {
				await load(state, store, rules);
				if (state.isChanged && state.known.is !== 'stored') throw new Error('no cookie can name a new session any more');
				await commit(state, store, rules);
			} catch (error) {
				state.forget();
				console.error(`[cloakroom] what was changed after the response had begun was not saved: ${/** @type {Error} */ (error).message}`);
			}
		});
	}

	async #loaded() {
		const state = this.#known;
		await load(state, this.#site.store, this.#site.rules);
		return state;
	}

	/** The site's entries, all of them seen by the handler. */
	async #all() {
		const state = await this.#loaded();
		const entries = [...state.entries].filter(([key]) => !isOwn(key));
		for (const [key] of entries) state.read(key);
		return entries;
	}
}
