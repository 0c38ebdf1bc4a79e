/** Colours are for a terminal that wants them. */

import { expect, it } from 'vitest';
import { painter } from '../../src/cli/paint.ts';
import { table } from '../../src/cli/table.ts';

it.each([
  { name: 'a terminal', stream: { isTTY: true }, env: {}, coloured: true },
  { name: 'a pipe', stream: {}, env: {}, coloured: false },
  { name: 'NO_COLOR', stream: { isTTY: true }, env: { NO_COLOR: '1' }, coloured: false },
  { name: 'an empty NO_COLOR', stream: { isTTY: true }, env: { NO_COLOR: '' }, coloured: true },
  { name: 'a dumb terminal', stream: { isTTY: true }, env: { TERM: 'dumb' }, coloured: false },
])('$name: coloured $coloured', ({ stream, env, coloured }) => {
  const painted = painter(stream, env)('red', 'text');
  expect(painted).toContain('text');
  expect(painted !== 'text').toBe(coloured);
});

it('lays out a table in columns as wide as their widest cell', () => {
  expect(
    table(
      ['a', 'key'],
      [
        ['long', 'k'],
        ['b', ''],
      ],
    ),
  ).toEqual(['a     key', '────  ───', 'long  k', 'b']);
});
