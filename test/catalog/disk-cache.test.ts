import * as z from 'zod/mini';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultCacheDir } from '../../src/adapters/cache-dir.ts';
import { diskCache } from '../../src/adapters/disk-cache.ts';
import type { ModelCache } from '../../src/ports.ts';
import { memoryCache } from '../support/memory-cache.ts';

const ID = 'mine https://models.example:8080/v1/../../etc free';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'freelm-cache-'));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const caches: readonly (readonly [string, () => ModelCache])[] = [
  ['on disk', () => diskCache(join(root, 'deep', 'cache'))],
  ['in memory', () => memoryCache()],
];

describe.each(caches)('a model cache %s', (_name, make) => {
  test('returns the last value of an id and nothing for others', async () => {
    const cache = make();
    expect(await cache.read(ID)).toBeUndefined();
    await cache.write(ID, { models: ['a'] });
    await cache.write(ID, { models: ['b'] });
    expect(await cache.read(ID)).toEqual({ models: ['b'] });
    expect(await cache.read(`${ID}!`)).toBeUndefined();
  });

  test('returns copies', async () => {
    const cache = make();
    const value = { models: ['a'] };
    await cache.write(ID, value);
    value.models.push('b');
    expect(await cache.read(ID)).toEqual({ models: ['a'] });
    expect(await cache.read(ID)).not.toBe(await cache.read(ID));
  });

  test('ignores values without JSON text', async () => {
    const cache = make();
    await cache.write(ID, 1n);
    expect(await cache.read(ID)).toBeUndefined();
  });
});

describe('the files of the disk cache', () => {
  test.skipIf(process.platform === 'win32')('are private to the user', async () => {
    const directory = join(root, 'new');
    await diskCache(directory).write(ID, {});
    const [name = ''] = await readdir(directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
  });

  test('stay inside the directory whatever the id contains, and are plain JSON', async () => {
    await diskCache(root).write(ID, { version: 1 });
    const names = await readdir(root);
    expect(names).toEqual([expect.stringMatching(/^models-[0-9a-f]{32}\.json$/)]);
    expect(JSON.parse(await readFile(join(root, names[0] ?? ''), 'utf8'))).toEqual({ version: 1 });
  });

  test.each(['', '{"version":1,"mod', '\u0000\u0001', 'x'.repeat(9 * 1024 * 1024)])(
    'count as empty if damaged, and are overwritten (case %#)',
    async (damage) => {
      const cache = diskCache(root);
      await cache.write(ID, { good: 1 });
      const [name = ''] = await readdir(root);
      await writeFile(join(root, name), damage);
      expect(await cache.read(ID)).toBeUndefined();
      await cache.write(ID, { good: 2 });
      expect(await cache.read(ID)).toEqual({ good: 2 });
    },
  );

  test('are never read half-written by concurrent readers', async () => {
    const writers = Array.from({ length: 16 }, () => diskCache(root));
    const filler = 'x'.repeat(100_000);
    await diskCache(root).write(ID, { writer: -1, filler });
    const seen: unknown[] = [];
    await Promise.all(
      writers.map(async (cache, writer) => {
        for (let round = 0; round < 5; round += 1) {
          await cache.write(ID, { writer, filler });
          seen.push(await cache.read(ID));
        }
      }),
    );
    expect(seen).toHaveLength(80);
    const whole = z.object({ writer: z.number(), filler: z.literal(filler) });
    for (const value of seen) expect(whole.safeParse(value).success).toBe(true);
    expect(await readdir(root)).toHaveLength(1);
  });

  test('leave no temporary file and throw nothing if they cannot be replaced', async () => {
    const cache = diskCache(root);
    await cache.write(ID, {});
    const [name = ''] = await readdir(root);
    await rm(join(root, name));
    await mkdir(join(root, name, 'in the way'), { recursive: true });
    await cache.write(ID, { models: [] });
    expect(await readdir(root)).toEqual([name]);
    expect(await cache.read(ID)).toBeUndefined();
  });

  test('count as empty if a file stands in place of the directory', async () => {
    const place = join(root, 'file');
    await writeFile(place, '');
    const cache = diskCache(place);
    await cache.write(ID, {});
    expect(await cache.read(ID)).toBeUndefined();
  });
});

test('the default directory is absolute and named after the library', () => {
  const directory = defaultCacheDir();
  expect(isAbsolute(directory)).toBe(true);
  expect(directory).toMatch(/freelm/);
});
