// The stored records, as they lie in the folder.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const file = (folder, id) => path.join(folder.sessions, id);

/** The bytes of a record as text, exactly. */
export const read = (folder, id) => readFileSync(file(folder, id), 'utf8');

export const exists = (folder, id) => existsSync(file(folder, id));
