// What can go wrong with a session. `status` is what a response says of it.

export class SessionError extends Error {
	constructor(message, status, options) {
		super(message, options);
		this.name = new.target.name;
		this.status = status;
	}
}

/** Another request changed what this one had read and wanted to replace. Nothing was saved. */
export class SessionConflictError extends SessionError {
	/** @param {string} key */
	constructor(key) {
		super(
			`Another request changed "${key}" in the session after this one had read it. Nothing was saved: try again, or make the change with update().`,
			409,
		);
		this.key = key;
	}
}

/** Another request logged out or gave the session a new ID. Nothing was saved. */
export class SessionEndedError extends SessionError {
	constructor() {
		super('The session has ended in the meantime. Nothing was saved.', 409);
	}
}

/** The store did not answer. What was to be saved is not acknowledged. */
export class SessionUnavailableError extends SessionError {
	/** @param {string} what @param {unknown} cause */
	constructor(what, cause) {
		super(`The session's store could not ${what}: ${cause instanceof Error ? cause.message : cause}`, 503, { cause });
	}
}

/** What is stored is no session of Astro's. It was kept as it is. */
export class SessionCorruptError extends SessionError {
	/** @param {unknown} [cause] @param {string} [why] */
	constructor(cause, why = 'could not be parsed') {
		super(`The session data ${why}. It was kept as it is.`, 500, { cause });
	}
}

/** The handler asks for what cannot be done. */
export class SessionUsageError extends SessionError {
	/** @param {string} message @param {unknown} [cause] */
	constructor(message, cause) {
		super(message, 500, { cause });
	}
}
