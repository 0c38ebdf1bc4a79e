import fc from '../support/fast-check.ts';
import { describe, expect, test } from 'vitest';
import { decodeStoredList, encodeStoredList } from '../../src/catalog/stored-list.ts';

const list = {
  savedAt: 1_790_000_000_000,
  models: [{ id: 'a', tags: ['chat', 'large'], ctx: 1000, free: true, priority: 2 }, { id: 'b' }],
};

describe('a cached list', () => {
  test('round-trips through JSON', () => {
    expect(encodeStoredList(list)).toEqual({ version: 1, ...list });
    expect(decodeStoredList(JSON.parse(JSON.stringify(encodeStoredList(list))))).toEqual(list);
  });

  test.each([
    ['another version', { ...list, version: 2 }],
    ['no version', list],
    ['no time', { version: 1, models: list.models }],
    ['models that are no list', { ...list, version: 1, models: 'a' }],
    ['no models', { ...list, version: 1, models: [] }],
    ['only damaged models', { ...list, version: 1, models: [7, {}, { id: 3 }] }],
    ['nothing', undefined],
  ])('with %s counts as empty', (_name, value) => {
    expect(decodeStoredList(value)).toBeUndefined();
  });

  test('loses only damaged values', () => {
    const models = [
      null,
      { id: 'a', tags: ['chat', 7, 'a\u001b[2J', 'x'.repeat(41)], ctx: -1, free: 'yes', priority: '1' },
    ];
    expect(decodeStoredList({ version: 1, savedAt: 5, models })).toEqual({
      savedAt: 5,
      models: [{ id: 'a', tags: ['chat'] }],
    });
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => decodeStoredList(value)).not.toThrow();
        expect(() => decodeStoredList({ version: 1, savedAt: 1, models: value })).not.toThrow();
      }),
    );
  });
});
