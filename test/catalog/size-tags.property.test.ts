import fc from '../support/fast-check.ts';
import { describe, expect, test } from 'vitest';
import { capabilityTags, sizeTags } from '../../src/catalog/size-tags.ts';

describe('tags guessed from names', () => {
  test('any text has known tags, each at most once and in order', () => {
    const order = ['large', 'fast', 'small', 'vision', 'reasoning'];
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const tags = [...sizeTags(text), ...capabilityTags(text)];
        expect(tags).toEqual(order.filter((tag) => tags.includes(tag)));
      }),
    );
  });

  test('small always comes with fast and never with large', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 2000, noNaN: true }), (count) => {
        const tags = sizeTags(`vendor/model-${count.toFixed(1)}b`);
        expect(tags.includes('small') && !tags.includes('fast')).toBe(false);
        expect(tags.includes('small') && tags.includes('large')).toBe(false);
      }),
    );
  });

  test('only the first 200 characters are read', () => {
    expect(sizeTags(`${'x'.repeat(200)}-70b`)).toEqual([]);
  });
});
