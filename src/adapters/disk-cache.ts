/** Keeps model lists in files that all processes of a user share, or in memory where no disk is wanted. */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelCache } from '../ports.ts';

/** A larger file was not written here. */
const LARGEST_FILE = 8 * 1024 * 1024;

/** An id may hold a base URL, and so anything that a file name may not. */
function fileName(id: string): string {
  return `models-${createHash('sha256').update(id).digest('hex').slice(0, 32)}.json`;
}

async function readJson(path: string): Promise<unknown> {
  const { size } = await stat(path);
  return size > LARGEST_FILE ? undefined : JSON.parse(await readFile(path, 'utf8'));
}

/** A reader sees the former file or the new one, never a part: what is written has another name until it is whole. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * One JSON file per id in `directory`, which is made (mode 0700) when the first list is written; files have mode 0600.
 * Many processes may read and write at once: each file is replaced as a whole and the last writer wins. Whatever goes
 * wrong, a full disk or a damaged file, reads as nothing and is overwritten by the next list.
 */
export function diskCache(directory: string | (() => Promise<string>)): ModelCache {
  const resolved = async (): Promise<string> => (typeof directory === 'string' ? directory : directory());
  return {
    async read(id) {
      try {
        return await readJson(join(await resolved(), fileName(id)));
      } catch {
        return undefined;
      }
    },
    async write(id, value) {
      try {
        const place = await resolved();
        await mkdir(place, { recursive: true, mode: 0o700 });
        await replaceFile(join(place, fileName(id)), JSON.stringify(value));
      } catch {
        // The next run asks the provider again; a call must not fail for that.
      }
    },
  };
}

/**
 * The user's cache directory for freelm, e.g. `~/.cache/freelm` on Linux; nothing is created. Rejects where the user
 * has no home, which must not keep a program from starting: hence the late import, which looks for it.
 */
export async function defaultCacheDir(): Promise<string> {
  const { default: envPaths } = await import('env-paths');
  return envPaths('freelm', { suffix: '' }).cache;
}
