/** The contract of every state store. */

import { describe, expect, it } from 'vitest';
import type { StateStore } from '../../src/ports.ts';

/** Makes an empty store. */
type Make = () => StateStore | Promise<StateStore>;

const NOTHING = { version: 0, value: undefined };

export function stateStoreContract(make: Make): void {
  describe('reading', () => {
    it('returns version 0 and no value if nothing is stored', async () => {
      const store = await make();
      expect(await store.read(['account:a', 'account:b'])).toEqual([NOTHING, NOTHING]);
    });

    it('returns a record for each id, in order, repeated ids included', async () => {
      const store = await make();
      await store.swap('a', 0, { of: 'a' });
      await store.swap('b', 0, { of: 'b' });
      const records = await store.read(['b', 'none', 'a', 'b']);
      expect(records.map(({ value }) => value)).toEqual([{ of: 'b' }, undefined, { of: 'a' }, { of: 'b' }]);
      expect(await store.read([])).toEqual([]);
    });

    it('changes nothing', async () => {
      const store = await make();
      await store.swap('a', 0, { n: 1 });
      const before = await store.read(['a']);
      for (let turn = 0; turn < 3; turn += 1) expect(await store.read(['a'])).toEqual(before);
    });
  });

  describe('swapping', () => {
    it('stores if the version is as expected and increments it', async () => {
      const store = await make();
      for (const version of [0, 1, 2]) {
        expect(await store.swap('a', version, { n: version })).toBe(true);
        expect(await store.read(['a'])).toEqual([{ version: version + 1, value: { n: version } }]);
      }
    });

    it.each([0, 2, 99, -1])(
      'does nothing if version %i is expected and the record has 1',
      async (version) => {
        const store = await make();
        await store.swap('a', 0, { n: 1 });
        expect(await store.swap('a', version, { n: 2 })).toBe(false);
        expect(await store.read(['a'])).toEqual([{ version: 1, value: { n: 1 } }]);
      },
    );

    it('does nothing if more than version 0 is expected and nothing is stored', async () => {
      const store = await make();
      expect(await store.swap('a', 1, { n: 1 })).toBe(false);
      expect(await store.read(['a'])).toEqual([NOTHING]);
    });

    it('does not affect other records', async () => {
      const store = await make();
      await store.swap('a', 0, { of: 'a' });
      await store.swap('b', 0, { of: 'b' });
      await store.swap('a', 1, { of: 'a again' });
      expect(await store.read(['b'])).toEqual([{ version: 1, value: { of: 'b' } }]);
    });

    it('succeeds for exactly one of many that expect the same version', async () => {
      const store = await make();
      const racers = Array.from({ length: 50 }, (_, racer) => racer);
      const won = await Promise.all(racers.map(async (racer) => store.swap('a', 0, { racer })));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await store.read(['a'])).toEqual([{ version: 1, value: { racer: won.indexOf(true) } }]);
    });

    it('loses no update of writers that retry until they succeed', async () => {
      const store = await make();
      const add = async (): Promise<void> => {
        for (;;) {
          const [record = NOTHING] = await store.read(['sum']);
          const sum = typeof record.value === 'number' ? record.value : 0;
          if (await store.swap('sum', record.version, sum + 1)) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, add));
      expect(await store.read(['sum'])).toEqual([{ version: 20, value: 20 }]);
    });
  });

  it.each([
    ['nested objects and lists', { a: [{ b: null }, [1, 2.5, -0.001]], c: { d: 'ü 👋', e: true } }],
    ['a large moment', { until: 8_640_000_000_000_000 }],
    ['an empty object', {}],
  ])('keeps %s unchanged', async (_what, value) => {
    const store = await make();
    await store.swap('a', 0, value);
    expect(await store.read(['a'])).toEqual([{ version: 1, value }]);
  });

  it.each([
    'account:openrouter:0f:1e',
    'https://x.test/a?b=c d',
    '../../etc/passwd',
    '__proto__',
    'ключ',
    ' ',
  ])('accepts %j as an id', async (id) => {
    const store = await make();
    expect(await store.read([id])).toEqual([NOTHING]);
    expect(await store.swap(id, 0, { id })).toBe(true);
    expect(await store.read([id, 'another'])).toEqual([{ version: 1, value: { id } }, NOTHING]);
  });
}
