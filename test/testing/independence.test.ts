import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../src');
const files = readdirSync(join(root, 'testing'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);

it('the simulated world shares no code with the library', () => {
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) {
    const source = readFileSync(join(root, 'testing', file), 'utf8');
    const imports = [...source.matchAll(/ from '([^']+)'/g)].map(([, from]) => from ?? '');
    const foreign = imports.filter((from) => {
      if (from.startsWith('node:')) return false;
      return !join(root, 'testing', file, '..', from).startsWith(join(root, 'testing') + '/');
    });
    expect({ file, foreign }).toEqual({ file, foreign: [] });
  }
});
