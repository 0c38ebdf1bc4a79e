/** The contract of every state store, as checks for any test runner. */

import assert from 'node:assert/strict';

interface Versioned {
  readonly version: number;
  readonly value: unknown;
}

/** The part of a `StateStore` that the contract is about. */
export interface CheckedStateStore {
  read(ids: readonly string[]): readonly Versioned[] | Promise<readonly Versioned[]>;
  swap(id: string, expectedVersion: number, next: unknown): boolean | Promise<boolean>;
}

/** One rule of the contract. */
export interface StateStoreCheck {
  /** The rule in words, unique among the checks. */
  readonly name: string;
  /** Rejects with an `AssertionError` if the store breaks the rule. */
  readonly run: () => Promise<void>;
}

/** Opens a store. Two stores that are opened with the same `space` have the same records; each check uses a space of its own. */
export type OpenStateStore = (space: string) => CheckedStateStore | Promise<CheckedStateStore>;

/** Options of `stateStoreChecks()`. */
export interface StateStoreChecksOptions {
  /** Whether several processes can use the store at the same time. Then `space` must be honoured. Default false. */
  readonly shared?: boolean | undefined;
}

const NOTHING: Versioned = { version: 0, value: undefined };

/** The records without whatever else a store may return. */
async function look(store: CheckedStateStore, ids: readonly string[]): Promise<readonly Versioned[]> {
  const records = await store.read(ids);
  return records.map(({ version, value }) => ({ version, value }));
}

type Rule = (open: () => Promise<CheckedStateStore>) => Promise<void>;

const READING: Readonly<Record<string, Rule>> = {
  'returns version 0 and no value if nothing is stored': async (open) => {
    const store = await open();
    assert.deepEqual(await look(store, ['account:a', 'account:b']), [NOTHING, NOTHING]);
  },

  'returns a record for each id, in order, repeated ids included': async (open) => {
    const store = await open();
    await store.swap('a', 0, { of: 'a' });
    await store.swap('b', 0, { of: 'b' });
    const records = await look(store, ['b', 'none', 'a', 'b']);
    const values = records.map(({ value }) => value);
    assert.deepEqual(values, [{ of: 'b' }, undefined, { of: 'a' }, { of: 'b' }]);
    assert.deepEqual(await look(store, []), []);
  },

  'changes nothing': async (open) => {
    const store = await open();
    await store.swap('a', 0, { n: 1 });
    const before = await look(store, ['a']);
    for (let turn = 0; turn < 3; turn += 1) assert.deepEqual(await look(store, ['a']), before);
  },
};

/** Adds 1 to a record as often as `times`, and starts over whenever another writer was first. */
async function add(store: CheckedStateStore, times: number): Promise<void> {
  for (let left = times; left > 0;) {
    const [{ version, value } = NOTHING] = await look(store, ['sum']);
    if (await store.swap('sum', version, (typeof value === 'number' ? value : 0) + 1)) left -= 1;
  }
}

const SWAPPING: Readonly<Record<string, Rule>> = {
  'stores if the version is as expected, and increments it': async (open) => {
    const store = await open();
    for (const version of [0, 1, 2]) {
      assert.equal(await store.swap('a', version, { n: version }), true);
      assert.deepEqual(await look(store, ['a']), [{ version: version + 1, value: { n: version } }]);
    }
  },

  ...Object.fromEntries(
    [0, 2, 99].map((version): [string, Rule] => [
      `does nothing if version ${version} is expected and the record has 1`,
      async (open) => {
        const store = await open();
        await store.swap('a', 0, { n: 1 });
        assert.equal(await store.swap('a', version, { n: 2 }), false);
        assert.deepEqual(await look(store, ['a']), [{ version: 1, value: { n: 1 } }]);
      },
    ]),
  ),

  'does nothing if more than version 0 is expected and nothing is stored': async (open) => {
    const store = await open();
    assert.equal(await store.swap('a', 1, { n: 1 }), false);
    assert.deepEqual(await look(store, ['a']), [NOTHING]);
  },

  'does not affect other records, even if their ids differ in case only': async (open) => {
    const store = await open();
    await store.swap('a', 0, { of: 'a' });
    await store.swap('A', 0, { of: 'A' });
    await store.swap('a', 1, { of: 'a again' });
    assert.deepEqual(await look(store, ['A']), [{ version: 1, value: { of: 'A' } }]);
  },

  'succeeds for exactly one of many that expect the same version': async (open) => {
    const store = await open();
    const racers = Array.from({ length: 50 }, (_, racer) => racer);
    const won = await Promise.all(racers.map(async (racer) => store.swap('a', 0, { racer })));
    assert.equal(won.filter(Boolean).length, 1);
    assert.deepEqual(await look(store, ['a']), [{ version: 1, value: { racer: won.indexOf(true) } }]);
  },

  'loses no update of writers that retry until they succeed': async (open) => {
    const store = await open();
    await Promise.all(Array.from({ length: 20 }, () => add(store, 1)));
    assert.deepEqual(await look(store, ['sum']), [{ version: 20, value: 20 }]);
  },
};

const KEPT: Readonly<Record<string, unknown>> = {
  'nested objects and lists': { a: [{ b: null }, [1, 2.5, -0.001]], c: { d: 'ü 👋', e: true } },
  'a large moment': { until: 8_640_000_000_000_000 },
  'an empty object': {},
  'a long text': { text: 'x'.repeat(100_000) },
};

const IDS = [
  'account:openrouter:0f:1e',
  'https://x.test/a?b=c d',
  '../../etc/passwd',
  '__proto__',
  'ключ',
  'A',
  ' ',
];

function keepsUnchanged(value: unknown): Rule {
  return async (open) => {
    const store = await open();
    await store.swap('a', 0, value);
    assert.deepEqual(await look(store, ['a']), [{ version: 1, value }]);
  };
}

function acceptsAsId(id: string): Rule {
  return async (open) => {
    const store = await open();
    assert.deepEqual(await look(store, [id]), [NOTHING]);
    assert.equal(await store.swap(id, 0, { id }), true);
    assert.deepEqual(await look(store, [id, 'another']), [{ version: 1, value: { id } }, NOTHING]);
  };
}

const SHARED: Readonly<Record<string, Rule>> = {
  'shows what another store over the same records has written': async (open) => {
    const [one, other] = [await open(), await open()];
    await one.swap('a', 0, { n: 1 });
    assert.deepEqual(await look(other, ['a']), [{ version: 1, value: { n: 1 } }]);
    assert.equal(await other.swap('a', 1, { n: 2 }), true);
    assert.equal(await one.swap('a', 1, { n: 3 }), false);
    assert.deepEqual(await look(one, ['a']), [{ version: 2, value: { n: 2 } }]);
  },

  'succeeds for exactly one of several stores that expect the same version': async (open) => {
    const stores = await Promise.all([open(), open(), open(), open()]);
    for (let version = 0; version < 10; version += 1) {
      const won = await Promise.all(stores.map(async (store, racer) => store.swap('a', version, { racer })));
      assert.equal(won.filter(Boolean).length, 1);
    }
  },

  'loses no update of several stores': async (open) => {
    const one = await open();
    const others = await Promise.all([open(), open(), open()]);
    await Promise.all([one, ...others].map((store) => add(store, 10)));
    assert.deepEqual(await look(one, ['sum']), [{ version: 40, value: 40 }]);
  },
};

/**
 * The contract of a `StateStore`, for people who write one. Run each check in your own test runner.
 *
 * @example
 * ```ts
 * import { test } from 'node:test';
 *
 * for (const { name, run } of stateStoreChecks((space) => new SqlStore(db, space), { shared: true })) test(name, run);
 * ```
 */
export function stateStoreChecks(
  open: OpenStateStore,
  { shared = false }: StateStoreChecksOptions = {},
): readonly StateStoreCheck[] {
  const rules: readonly (readonly [name: string, rule: Rule])[] = [
    ...Object.entries(READING).map(([name, rule]) => [`reading ${name}`, rule] as const),
    ...Object.entries(SWAPPING).map(([name, rule]) => [`swapping ${name}`, rule] as const),
    ...Object.entries(KEPT).map(
      ([name, value]) => [`keeps ${name} unchanged`, keepsUnchanged(value)] as const,
    ),
    ...IDS.map((id) => [`accepts ${JSON.stringify(id)} as an id`, acceptsAsId(id)] as const),
    ...(shared ? Object.entries(SHARED) : []),
  ];
  return rules.map(([name, rule]) => ({
    name,
    run: () => {
      const space = crypto.randomUUID();
      return rule(async () => open(space));
    },
  }));
}
