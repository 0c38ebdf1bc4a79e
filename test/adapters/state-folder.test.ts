import * as nodeFs from 'node:fs';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type FileSystem, makeFolder, type StateFolder } from '../../src/adapters/state-folder.ts';

/** The file system, where another process opens the folder after this one has listed it for the `count`th time. */
function racing(root: string, count: number, others: StateFolder[]): FileSystem {
  let left = count;
  return Object.assign(
    { ...nodeFs },
    {
      readdirSync: (path: string) => {
        const names = readdirSync(path);
        left -= 1;
        if (left === 0) others.push(makeFolder(nodeFs, root));
        return names;
      },
    },
  );
}

it.each([1, 2])('two processes that make a folder at once use the same one: after look %i', (count) => {
  const root = mkdtempSync(join(tmpdir(), 'freelm-state-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  const others: StateFolder[] = [];
  const own = makeFolder(racing(root, count, others), root);
  expect(others.map(({ path }) => path)).toEqual([own.path]);
  expect(readdirSync(root)).toEqual(['1']);
});
