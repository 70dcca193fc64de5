// Tells TypeScript what the session has besides Astro's own methods. Whoever takes the integration out of the configuration
// loses the types with it.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where Astro puts the file, in the site's folder. */
const FOLDER = '.astro/integrations/_cloakroom_astro';

/**
 * The class is none of those that Astro's package exports. So it is named by its path, which is told from the file's own, as
 * the site's folder may have another name where it is edited than where it runs.
 * @param {import('./astro-version.js').SessionClass} sessionClass
 * @param {URL} root The site's folder.
 */
export function sessionTypes({ file, parameters }, root) {
	const folder = path.join(realpathSync(fileURLToPath(root)), FOLDER);
	const module = path.relative(folder, file).replaceAll('\\', '/');
	const content = `import type { CloakroomSession } from '@cloakroom/astro/session';

declare module ${JSON.stringify(module)} {
	interface AstroSession${parameters} extends CloakroomSession {}
}
`;
	return { filename: 'session.d.ts', content };
}
