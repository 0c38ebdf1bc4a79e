import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelCache } from '../ports.ts';

/** freelm writes no file larger than this. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

/** Hashed, because an id contains a base URL. */
function fileName(id: string): string {
  return `models-${createHash('sha256').update(id).digest('hex').slice(0, 32)}.json`;
}

async function readJson(path: string): Promise<unknown> {
  const { size } = await stat(path);
  return size > MAX_FILE_BYTES ? undefined : JSON.parse(await readFile(path, 'utf8'));
}

/** Writes to a temporary file and renames it, so that a reader sees the old file or the new one, never a part. */
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
 * A cache of one JSON file per id (mode 0600) in `directory`, which is created (mode 0700) with the first write. All
 * processes of a user share it: each file is replaced as a whole, and the last writer wins. Errors are swallowed: a
 * damaged file or a full disk counts as an empty cache.
 */
export function diskCache(directory: string | (() => string)): ModelCache {
  const resolve = (): string => (typeof directory === 'string' ? directory : directory());
  return {
    async read(id) {
      try {
        return await readJson(join(resolve(), fileName(id)));
      } catch {
        return undefined;
      }
    },
    async write(id, value) {
      try {
        const path = resolve();
        await mkdir(path, { recursive: true, mode: 0o700 });
        await replaceFile(join(path, fileName(id)), JSON.stringify(value));
      } catch {
        // The next run asks the provider again. No call fails.
      }
    },
  };
}
