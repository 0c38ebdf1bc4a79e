/** Colours, columns, and numbers in words. */

import { describe, expect, it } from 'vitest';
import type { KeyCheck, KeyQuota } from '../../src/index.ts';
import { checkLines, quotaText } from '../../src/cli/doctor-lines.ts';
import { painter } from '../../src/cli/paint.ts';
import { table, cell, countText, withoutControls } from '../../src/cli/text.ts';
import { durationText } from '../../src/duration.ts';
import { amountText, billText } from '../../src/money.ts';

const plain = painter({}, {});

it.each([
  { name: 'a terminal', stream: { isTTY: true }, env: {}, coloured: true },
  { name: 'a pipe', stream: {}, env: {}, coloured: false },
  { name: 'NO_COLOR', stream: { isTTY: true }, env: { NO_COLOR: '1' }, coloured: false },
  { name: 'an empty NO_COLOR', stream: { isTTY: true }, env: { NO_COLOR: '' }, coloured: true },
  { name: 'a dumb terminal', stream: { isTTY: true }, env: { TERM: 'dumb' }, coloured: false },
  { name: 'FORCE_COLOR in a pipe', stream: {}, env: { FORCE_COLOR: '1' }, coloured: true },
  {
    name: 'FORCE_COLOR=0 at a terminal',
    stream: { isTTY: true },
    env: { FORCE_COLOR: '0' },
    coloured: false,
  },
  {
    name: 'NO_COLOR over FORCE_COLOR',
    stream: {},
    env: { NO_COLOR: '1', FORCE_COLOR: '1' },
    coloured: false,
  },
])('$name: coloured $coloured', ({ stream, env, coloured }) => {
  const painted = painter(stream, env)('red', 'text');
  expect(painted).toContain('text');
  expect(painted !== 'text').toBe(coloured);
});

describe('table', () => {
  it('makes a column as wide as its widest cell', () => {
    const rows = [
      ['long', 'k'],
      ['b', ''],
    ];
    expect(table(['a', 'key'], rows)).toEqual(['a     key', '────  ───', 'long  k', 'b']);
  });

  it('ignores colours when it measures cells', () => {
    const red = painter({ isTTY: true }, {})('red', 'no');
    expect(table(['a', 'b'], [[red, 'x']])).toEqual(['a   b', '──  ─', `${red}  x`]);
  });
});

describe('texts', () => {
  it.each([
    [1, '1 s'],
    [60_000, '60 s'],
    [119_001, '2 min'],
    [7_200_000, '2 h'],
  ])('%d ms is %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it.each([
    ['abc', 5, 'abc  '],
    ['abcdef', 4, 'abc…'],
  ])('%s in %d columns is %j', (text, width, shown) => {
    expect(cell(text, width)).toBe(shown);
  });

  it('countText forms the plural', () => {
    expect([countText(1, 'key'), countText(0, 'key')]).toEqual(['1 key', '0 keys']);
  });

  it.each([
    ['a\tb\n', 'a\tb\n'],
    ['a\r\nb\rc', 'a\nbc'],
    ['\u001B[2J\u0000\u007F\u009B', '[2J'],
    ['日本 🙂', '日本 🙂'],
  ])('%j without controls is %j', (text, shown) => {
    expect(withoutControls(text)).toBe(shown);
  });
});

const QUOTA: KeyQuota = { unit: 'requests', window: 'minute', limit: 20, perModel: false, reported: false };

describe('quotaText', () => {
  it.each<[Partial<KeyQuota>, string]>([
    [{}, '20 a minute'],
    [{ perModel: true, highest: 30 }, '20–30 a minute per model'],
    [{ unit: 'tokens', window: 'day' }, '20 tokens a day'],
    [{ window: 'day', remaining: 3, reported: true }, '3 of 20 a day left'],
    [{ window: 'at-once', limit: 1 }, '1 at once'],
    [{ limit: undefined, window: 'month' }, '? a month'],
  ])('%j: %s', (more, text) => {
    expect(quotaText({ ...QUOTA, ...more })).toBe(text);
  });
});

describe('checkLines', () => {
  const CHECK: KeyCheck = {
    provider: 'groq',
    key: 'gsk_…abcd',
    account: 'a',
    tier: 'free',
    reportedTier: undefined,
    works: true,
    request: 'models',
    status: 200,
    latencyMs: 12,
    kind: undefined,
    message: undefined,
    quotas: [],
    freeBecause: 'no-card',
    cost: undefined,
    advice: undefined,
  };

  it('is one line if the key works', () => {
    expect(checkLines(CHECK, plain)).toEqual([
      '✓ groq         gsk_…abcd    works        12 ms  free: no limit known; free: the account has no card',
    ]);
  });

  it('says what the check cost, and that an account is billed', () => {
    expect(checkLines({ ...CHECK, freeBecause: undefined, cost: 0.00012 }, plain)).toEqual([
      expect.stringMatching(/; billed$/),
      '    Billed for the chat that checked it: 0.00012',
    ]);
  });

  it.each<[Partial<KeyCheck>, RegExp]>([
    [
      { works: false, kind: 'unauthorized', status: 401, message: 'No.' },
      /^✗ .* refused .*\n {4}HTTP 401: No\.$/,
    ],
    [{ works: false, kind: 'out_of_credits' }, /^✗ .* no credit /],
    [{ works: false, kind: 'forbidden' }, /^✗ .* forbidden /],
    [
      { works: undefined, status: undefined, message: 'no way', advice: 'Look.' },
      /^\? .* not known .*\n {4}no way\n {4}→ Look\.$/,
    ],
  ])('%j shows the state and the reason', (more, text) => {
    expect(checkLines({ ...CHECK, ...more }, plain).join('\n')).toMatch(text);
  });
});

it.each([
  [{ amount: 0, calls: 1234 }, '0.00 over 1,234 calls'],
  [{ amount: 0.1 + 0.2, calls: 1 }, '0.30 over 1 call'],
  [{ amount: 0.00012, calls: 2 }, '0.00012 over 2 calls'],
])('the bill %j in words', (bill, text) => {
  expect(billText(bill)).toBe(text);
  expect(text.startsWith(amountText(bill.amount))).toBe(true);
});
