import { expect, it } from 'vitest';
import { matchesGlob } from '../../src/providers/pattern.ts';

it.each([
  ['*', 'anything/at:all', true],
  ['gemini-3.8-flash', 'gemini-3.8-flash', true],
  ['gemini-3.8-flash', 'gemini-3x8-flash', false],
  ['gemini-3.8-flash', 'gemini-3.8-flash-lite', false],
  ['*flash-lite*', 'gemini-3.5-flash-lite', true],
  ['*flash-lite*', 'gemini-3.5-flash', false],
  ['01-ai/*', '01-ai/yi-large', true],
  ['01-ai/*', 'x/01-ai/yi-large', false],
  ['*-base', 'starcoder-base', true],
  ['*-base', 'starcoder-base-7b', false],
  ['*EMBED*', 'nvidia/nv-embed-v1', true],
  ['a*b*c', 'axxbyyc', true],
  ['a*b*c', 'acb', false],
  ['a(b)[c]+?', 'a(b)[c]+?', true],
  ['', '', true],
  ['', 'x', false],
])('%j matches %j: %s', (glob, id, matches) => {
  expect(matchesGlob(glob, id)).toBe(matches);
});
