/** The library as it is built, for tests that start processes. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the built library. */
    readonly library?: string;
  }
}

/** The path of a file of the library, e.g. `index.js`. */
export function libraryFile(name: string): string {
  const folder = inject('library');
  if (folder === undefined) throw new Error('add this file to PROCESSES in vitest.config.ts: it needs dist/');
  return join(folder, name);
}

/** The URL from which a script imports a file of the library. */
export const libraryUrl = (name: string): string => pathToFileURL(libraryFile(name)).href;
