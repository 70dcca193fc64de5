// A database's client is the site's to install. A site is built without those of other databases.

/**
 * What is told where it cannot be imported.
 * @param {string} name The package's.
 * @returns {(cause: any) => never}
 */
export const missing = (name) => (cause) => {
	if (cause.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
	throw new Error(`the session driver db0 needs the package ${name}, which is not installed: npm install ${name}`, { cause });
};
