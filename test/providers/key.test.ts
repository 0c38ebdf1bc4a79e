import { describe, expect, it } from 'vitest';
import { hashKey, type KeysInput, maskKey, tidyKeys } from '../../src/providers/key.ts';

const openrouter = 'sk-or-v1-6b1f0c5e2d7a49839f2c';
const odd = 'k.y+[a]*(b)\\d^$|?{2}-and-more';

describe('a mask', () => {
  it('shows the beginning and the end of a long key', () => {
    expect(maskKey(openrouter)).toBe('sk-or-…9f2c');
    expect(maskKey(odd)).toBe('k.y+[a…more');
  });

  it.each(['k', 'secret', 'a-key-of-23-characters!'])('hides the short key %j', (key) => {
    expect(maskKey(key)).toMatch(/^…#[0-9a-f]{6}$/);
    expect(maskKey(key)).not.toContain(key);
  });

  it('differs between two short keys', () => {
    expect(maskKey('secret-1')).not.toBe(maskKey('secret-2'));
  });

  it.each([24, 32, 64, 200])('shows ten of %i characters', (length) => {
    const key = Array.from({ length }, (_, index) => String.fromCodePoint(97 + (index % 26))).join('');
    expect(maskKey(key).replace('…', '')).toHaveLength(10);
  });
});

describe('a hash', () => {
  it('identifies a key without revealing it', () => {
    expect(hashKey(openrouter)).toMatch(/^[0-9a-f]{16}$/);
    expect(hashKey(openrouter)).toBe(hashKey(openrouter));
    expect(hashKey(openrouter)).not.toBe(hashKey(`${openrouter}x`));
  });
});

describe('the input of keys', () => {
  const cases: readonly (readonly [string, KeysInput, readonly string[]])[] = [
    ['one', 'a', ['a']],
    ['a list', ['a', 'b'], ['a', 'b']],
    ['separated by commas', 'a,b', ['a', 'b']],
    ['with spaces, empty items and a last comma', ' a , ,\tb,\n', ['a', 'b']],
    ['several times', 'a,b,a, a', ['a', 'b']],
    ['lists within a list', ['a,b', ' c ', 'b'], ['a', 'b', 'c']],
    ['nothing at all', '', []],
    ['commas only', ' , ,,', []],
    ['an empty list', [], []],
    ['one object', { key: ' a ' }, ['a']],
    ['in quotes', ['"a"', "'b'", '`c`', '“d”'], ['a', 'b', 'c', 'd']],
    ['several in one pair of quotes', '"a,b"', ['a', 'b']],
    ['each in quotes', '"a", \'b\'', ['a', 'b']],
    ['with half of a pair of quotes', '"a', ['a']],
    [
      'as a header',
      ['Bearer a', '"bearer  b"', 'Authorization: Bearer c', 'Bearer "d"'],
      ['a', 'b', 'c', 'd'],
    ],
    ['with line breaks', ['a\r\n', 'b\\n'], ['a', 'b']],
    ['with invisible characters', ['\uFEFFa\u200B', 'b\u200Dc'], ['a', 'bc']],
    ['quotes only', '""', []],
    ['tidied twice in one spelling', ['a', '"a"'], ['a']],
  ];
  it.each(cases)('%s', (_how, keys, tidy) => {
    expect(tidyKeys(keys).map(({ key }) => key)).toEqual(tidy);
  });

  it('keep their options; the first mention wins', () => {
    const mine = { key: 'a', account: 'mine', tier: 'credit' };
    expect(tidyKeys([mine, 'b', { key: 'a', account: 'other' }])).toEqual([mine, { key: 'b' }]);
  });
});
