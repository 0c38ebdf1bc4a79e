/** What a JSON text holds is bounded before it is parsed. */

import { describe, expect, it } from 'vitest';
import { jsonExcess } from '../../src/core/json-scan.ts';
import fc from '../support/fast-check.ts';

const BOUNDS = { depth: 3, values: 5 };

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members: readonly unknown[] = Object.values(value);
  return Math.max(1, members.length) + members.reduce<number>((sum, one) => sum + valuesOf(one), 0);
}

describe('jsonExcess', () => {
  it.each([
    ['nothing', '', undefined],
    ['a number', '1', undefined],
    ['as deep as allowed', '[[[]]]', undefined],
    ['deeper', '[[[[]]]]', 'depth'],
    ['objects deeper', '{"a":{"a":{"a":{}}}}', 'depth'],
    ['siblings, which are not deep', '[[[]],[]]', undefined],
    ['as many elements as allowed', '[1,2,3,4,5]', undefined],
    ['more elements', '[1,2,3,4,5,6]', 'values'],
    ['more members', '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}', 'values'],
    ['more empty lists', '[[],[],[]]', 'values'],
    ['marks inside a string', '"[[[[{{{{,,,,,,,,"', undefined],
    ['a string that ends in a backslash', String.raw`["\\",[[[]]]]`, 'depth'],
    ['a string that goes on after a quotation mark', String.raw`["\",[[[[[[[",1]`, undefined],
    ['a string that goes on after a backslash and a mark', String.raw`["\\\",[[[[[[[",1]`, undefined],
    ['a string without an end', '["[[[[[[[', undefined],
    ['too much without an end', '[[[[[[[[[', 'depth'],
    ['no JSON', ']]]],,,,,,', 'values'],
  ])('%s', (_name, text, excess) => {
    expect(jsonExcess(text, BOUNDS)).toBe(excess);
  });

  it('stops at the first excess', () => {
    const bomb = '['.repeat(16_000_000);
    let read = 0;
    const counted = {
      length: bomb.length,
      charCodeAt: (index: number) => {
        read += 1;
        return bomb.charCodeAt(index);
      },
    };
    // The scan uses no other members outside strings.
    expect(Reflect.apply(jsonExcess, undefined, [counted, BOUNDS])).toBe('depth');
    expect(read).toBe(BOUNDS.depth + 1);
  });

  it('counts what parsing finds, whatever the strings and the spaces', () => {
    const space = fc.constantFrom(undefined, 2, '\t');
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), space, (value, spaces) => {
        const text = JSON.stringify(value, null, spaces);
        const depth = depthOf(value);
        const values = valuesOf(value);
        expect(jsonExcess(text, { depth, values })).toBeUndefined();
        if (depth > 0) expect(jsonExcess(text, { depth: depth - 1, values })).toBe('depth');
        if (values > 0) expect(jsonExcess(text, { depth, values: values - 1 })).toBe('values');
      }),
    );
  });
});
