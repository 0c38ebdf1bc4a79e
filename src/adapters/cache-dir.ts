import { isAbsolute } from 'node:path';
// This import must come before env-paths.
import { restoreHomedir } from './home.ts';
import envPaths from 'env-paths';

restoreHomedir();

/**
 * The user's cache directory for freelm, e.g. `~/.cache/freelm` on Linux. Creates nothing.
 * @throws Error if the user has no home.
 */
export function defaultCacheDir(): string {
  const { cache } = envPaths('freelm', { suffix: '' });
  if (!isAbsolute(cache))
    throw new Error(
      'this user has no home directory. Name a folder with FREELM_CACHE_DIR or the option cacheDir',
    );
  return cache;
}
