import { homedir } from 'node:os';
import { join } from 'node:path';

function cacheHome(): string {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  if (process.platform === 'win32') return process.env['LOCALAPPDATA'] || join(homedir(), 'AppData', 'Local');
  return process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
}

/**
 * The user's cache directory for freelm, e.g. `~/.cache/freelm` on Linux. Creates nothing.
 * @throws if the user has no home.
 */
export function defaultCacheDir(): string {
  return process.platform === 'win32' ? join(cacheHome(), 'freelm', 'Cache') : join(cacheHome(), 'freelm');
}
