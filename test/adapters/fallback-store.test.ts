import { describe, expect, it } from 'vitest';
import { withFallback } from '../../src/adapters/fallback-store.ts';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import { type AccountRecord, EMPTY_ACCOUNT } from '../../src/core/records/account.ts';
import { EMPTY_PROVIDER, modelOf, readProviderRecord } from '../../src/core/records/provider.ts';
import type { StateStore, Versioned } from '../../src/ports.ts';
import { VirtualClock } from '../../src/testing.ts';
import { stateStoreContract } from '../contracts/state-store.ts';
import { DAY, laterStore, NOON, SECOND } from '../support/simulated-pool.ts';

interface Setup {
  readonly clock: VirtualClock;
  readonly inner: StateStore;
  readonly store: StateStore;
  readonly warnings: readonly string[];
  /** How the inner store answers instead of as it should; undefined: it is well. */
  broken: StateStore | undefined;
  /** How often the inner store was asked. */
  asked: number;
}

/** A store in memory that can be broken, behind a fallback. */
function setUp(): Setup {
  const clock = new VirtualClock(NOON);
  const inner = memoryStore();
  const warnings: string[] = [];
  const outer: StateStore = {
    read: (ids) => {
      setup.asked += 1;
      return (setup.broken ?? inner).read(ids);
    },
    swap: (id, expectedVersion, next) => {
      setup.asked += 1;
      return (setup.broken ?? inner).swap(id, expectedVersion, next);
    },
  };
  const onWarning = (message: string): void => void warnings.push(message);
  const store = withFallback(outer, { clock, onWarning });
  const setup: Setup = { clock, inner, store, warnings, broken: undefined, asked: 0 };
  return setup;
}

const REJECTS: StateStore = {
  read: () => Promise.reject(new Error('connection lost')),
  swap: () => Promise.reject(new Error('connection lost')),
};

async function readOne(store: StateStore, id: string): Promise<Versioned> {
  const [record] = await store.read([id]);
  if (record === undefined) throw new Error('no record');
  return record;
}

/** Changes a record until the store takes it, as the ledger does. */
async function update(
  store: StateStore,
  id: string,
  change: (value: unknown) => unknown,
  tries = 350,
): Promise<void> {
  for (let tried = 0; tried < tries; tried += 1) {
    const { version, value } = await readOne(store, id);
    if (await store.swap(id, version, change(value))) return;
  }
  throw new Error(`${id} was not stored`);
}

const at = (spent: AccountRecord['limiters'][string]['spent']): AccountRecord => ({
  ...EMPTY_ACCOUNT,
  limiters: { rpm: { spent } },
});

function make(inner: StateStore): StateStore {
  return withFallback(inner, { clock: new VirtualClock(NOON), onWarning: expect.unreachable });
}

describe('over a store that works', () => {
  describe('that answers at once', () => {
    stateStoreContract(() => make(memoryStore()));
  });

  describe('that answers later', () => {
    stateStoreContract(() => make(laterStore(memoryStore(), () => Promise.resolve())));
  });

  it('answers at once if the store does, and leaves no timer', async () => {
    const { clock, store } = setUp();
    expect(store.read(['a'])).toEqual([{ version: 0, value: undefined }]);
    expect(store.swap('a', 0, { n: 1 })).toBe(true);
    expect(clock.pending).toBe(0);
    const later = withFallback(
      laterStore(memoryStore(), () => Promise.resolve()),
      {
        clock,
        onWarning: expect.unreachable,
      },
    );
    await later.read(['a']);
    expect(clock.pending).toBe(0);
  });

  it('gives way to other processes that change the record all the time', async () => {
    const { store, inner, warnings } = setUp();
    let races = 0;
    const busy: StateStore = {
      read: (ids) => store.read(ids),
      swap: (id, version, next) => {
        races += 1;
        if (races <= 990) void inner.swap(id, version, { other: races });
        return store.swap(id, version, next);
      },
    };
    await update(busy, 'a', () => ({ own: true }), 991);
    expect(await readOne(inner, 'a')).toEqual({ version: 991, value: { own: true } });
    expect(warnings).toEqual([]);
  });

  it('counts a refused write once, however often its record is read afterwards', async () => {
    const setup = setUp();
    const { store, warnings } = setup;
    setup.broken = { read: (ids) => setup.inner.read(ids), swap: () => false };
    expect(await store.swap('a', 0, { n: 1 })).toBe(false);
    setup.broken = undefined;
    for (let reads = 0; reads < 100; reads += 1) await readOne(store, 'a');
    await update(store, 'a', () => ({ n: 1 }));
    expect(await readOne(setup.inner, 'a')).toEqual({ version: 1, value: { n: 1 } });
    expect(warnings).toEqual([]);
  });
});

const never = new Promise<never>(() => {});

/** A memory store with a record, and with other methods, of types that a store must not have. */
function faulty(methods: { readonly read?: () => unknown; readonly swap?: () => unknown }): StateStore {
  const store = memoryStore();
  void store.swap('a', 0, { n: 1 });
  return Object.assign(store, methods);
}

function fails(message: string): () => never {
  return () => {
    throw new Error(message);
  };
}

/** A promise of another library. */
function thenable(
  then: (resolve: (value: unknown) => void, reject: (reason: unknown) => void) => void,
): object {
  // oxlint-disable-next-line unicorn/no-thenable -- that is the point
  return { then };
}

/** Each at its next operation: what it does, and what the warning says. */
const FAILING: readonly (readonly [what: string, store: StateStore, says: RegExp])[] = [
  ['hangs', faulty({ read: () => never, swap: () => never }), /read\(\) took longer than 1000 ms/],
  ['hangs only when it writes', faulty({ swap: () => never }), /swap\(\) took longer than 1000 ms/],
  ['rejects', REJECTS, /connection lost/],
  ['rejects only writes', faulty({ swap: () => REJECTS.swap('', 0, 0) }), /connection lost/],
  ['throws', faulty({ read: fails('no disk') }), /no disk/],
  ['throws only when it writes', faulty({ swap: fails('read-only') }), /read-only/],
  // oxlint-disable-next-line prefer-promise-reject-errors -- others may
  ['rejects with nothing', faulty({ read: () => Promise.reject() }), /undefined/],
  ['is a thenable that hangs', faulty({ read: () => thenable(() => {}) }), /took longer than/],
  ['is a thenable that throws', faulty({ read: () => thenable(fails('thrown')) }), /thrown/],
  [
    'is a thenable that rejects',
    faulty({
      read: () =>
        thenable((_, no) => {
          no(new Error('no'));
        }),
    }),
    /no/,
  ],
  ['reads nothing', faulty({ read: () => undefined }), /read\(\) must answer with/],
  ['reads too few records', faulty({ read: () => [] }), /read\(\) must answer with 1 record/],
  [
    'reads too many records',
    faulty({ read: () => Array.from({ length: 9 }, () => ({ version: 0 })) }),
    /read\(\) must/,
  ],
  ['reads null', faulty({ read: () => Promise.resolve([null]) }), /read\(\) must answer with/],
  ['reads values instead of records', faulty({ read: () => [{ n: 1 }] }), /read\(\) must/],
  ['reads versions that are texts', faulty({ read: () => [{ version: '0' }] }), /read\(\) must/],
  ['reads versions that are no numbers', faulty({ read: () => [{ version: Number.NaN }] }), /read\(\) must/],
  ['answers OK to writes', faulty({ swap: () => 'OK' }), /swap\(\) must answer with true or false/],
  ['answers nothing to writes', faulty({ swap: () => Promise.resolve() }), /swap\(\) must answer/],
  [
    'refuses every write',
    faulty({ swap: () => false }),
    /swap\(\) refused 20 writes in a row of a record that no/,
  ],
  ['refuses every write later', faulty({ swap: () => Promise.resolve(false) }), /refused 20 writes/],
];

describe('over a store that fails', () => {
  it.each(FAILING)('that %s: memory answers, after one warning', async (_what, broken, says) => {
    const setup = setUp();
    const { clock, store, warnings } = setup;
    await update(store, 'a', () => ({ n: 1 }));
    setup.broken = broken;
    const before = clock.monotonicMs();
    for (const n of [2, 3, 4]) {
      await clock.run(update(store, 'a', () => ({ n })));
      expect((await clock.run(readOne(store, 'a'))).value).toEqual({ n });
    }
    expect(clock.monotonicMs() - before).toBeLessThanOrEqual(1000);
    expect(clock.pending).toBe(0);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(says);
  });

  it('begins with what the store last had', async () => {
    const setup = setUp();
    await update(setup.store, 'a', () => ({ n: 1 }));
    await setup.store.read(['a', 'b']);
    await update(setup.inner, 'b', () => ({ n: 2 }));
    await setup.store.read(['b']);
    setup.broken = REJECTS;
    const [a, b, c] = await setup.store.read(['a', 'b', 'c']);
    expect([a?.value, b?.value, c?.value]).toEqual([{ n: 1 }, { n: 2 }, undefined]);
  });

  it('leaves it alone for 5 s, then for up to a minute, and holds nothing up when it asks', async () => {
    const setup = setUp();
    const { clock, store, warnings } = setup;
    setup.broken = faulty({ read: () => never });
    await clock.run(Promise.resolve(store.read(['a'])));
    const askedAt: number[] = [];
    for (let second = 1; second <= 300; second += 1) {
      await clock.advance(SECOND);
      const asked = setup.asked;
      expect(store.read(['a'])).not.toBeInstanceOf(Promise);
      if (setup.asked > asked) askedAt.push(second);
    }
    // Each probe takes a second itself.
    expect(askedAt).toEqual([5, 16, 37, 78, 139, 200, 261]);
    expect(warnings).toHaveLength(1);
  });

  it('ignores answers that come too late', async () => {
    const setup = setUp();
    const { clock, store } = setup;
    const late: ((records: readonly Versioned[]) => void)[] = [];
    setup.broken = faulty({ read: () => new Promise((resolve) => late.push(resolve)) });
    await clock.run(Promise.resolve(store.read(['a'])));
    for (const resolve of late) resolve([{ version: 7, value: 'late' }]);
    await update(store, 'a', () => ({ n: 1 }));
    expect((await readOne(store, 'a')).value).toEqual({ n: 1 });
  });
});

/** Breaks the store, makes changes in memory, and repairs it. Resolves when the store answers again. */
async function outage(setup: Setup, during: () => Promise<void>): Promise<void> {
  const { clock, store } = setup;
  setup.broken = REJECTS;
  await store.read(['a']);
  await during();
  setup.broken = undefined;
  await clock.advance(5 * SECOND);
  await store.read(['a']);
  await clock.advance(0);
}

describe('when the store works again', () => {
  it('has what was stored in memory', async () => {
    const setup = setUp();
    await update(setup.store, 'a', () => ({ n: 1 }));
    await outage(setup, async () => {
      await update(setup.store, 'a', () => ({ n: 2 }));
      await update(setup.store, 'b', () => ({ n: 3 }));
    });
    expect(await setup.inner.read(['a', 'b'])).toEqual([
      { version: 2, value: { n: 2 } },
      { version: 1, value: { n: 3 } },
    ]);
    const asked = setup.asked;
    expect(await setup.store.read(['a'])).toEqual([{ version: 2, value: { n: 2 } }]);
    expect(setup.asked).toBe(asked + 1);
  });

  it('does not take a version of memory for one of the store', async () => {
    const setup = setUp();
    let held: Versioned | undefined;
    await outage(setup, async () => {
      await update(setup.store, 'a', () => ({ n: 1 }));
      held = await readOne(setup.store, 'a');
    });
    await update(setup.inner, 'a', () => ({ other: true }));
    expect(await setup.store.swap('a', held?.version ?? 0, { n: 2 })).toBe(false);
    await setup.store.read(['a']);
    setup.broken = REJECTS;
    await setup.store.read(['a']);
    expect(await setup.store.swap('a', held?.version ?? 0, { n: 2 })).toBe(false);
    expect((await readOne(setup.store, 'a')).value).toEqual({ other: true });
  });

  it('adds what was spent in memory to what another process stored meanwhile', async () => {
    const setup = setUp();
    const [soon, later, ours] = [NOON + 20 * SECOND, NOON + 30 * SECOND, NOON + 40 * SECOND];
    await update(setup.store, 'a', () => at([[soon, 2]]));
    await outage(setup, async () => {
      await update(setup.store, 'a', () =>
        at([
          [soon, 3],
          [ours, 1],
        ]),
      );
      await update(setup.inner, 'a', () =>
        at([
          [soon, 4],
          [later, 5],
        ]),
      );
    });
    expect((await readOne(setup.inner, 'a')).value).toEqual(
      at([
        [soon, 5],
        [later, 5],
        [ours, 1],
      ]),
    );
  });

  it('keeps a quota that was reported as used up, and a bill', async () => {
    const setup = setUp();
    const until = NOON + DAY;
    const full = { ...EMPTY_ACCOUNT, limiters: { rpd: { spent: [], full: { since: NOON, until } } } };
    const billed = { ...EMPTY_PROVIDER, models: { m: { ...modelOf(EMPTY_PROVIDER, 'm'), billed: 0.25 } } };
    await outage(setup, async () => {
      await update(setup.store, 'account:x', () => full);
      await update(setup.store, 'provider:x', () => billed);
      await update(setup.inner, 'account:x', () => EMPTY_ACCOUNT);
      await update(setup.inner, 'provider:x', () => EMPTY_PROVIDER);
    });
    const account = await readOne(setup.inner, 'account:x');
    expect(account.value).toMatchObject({ limiters: { rpd: { full: { until } } } });
    const provider = await readOne(setup.inner, 'provider:x');
    expect(modelOf(readProviderRecord(provider.value), 'm').billed).toBe(0.25);
  });

  it('gets back what it lost', async () => {
    const setup = setUp();
    await update(setup.store, 'a', () => ({ n: 1 }));
    await update(setup.store, 'b', () => ({ n: 2 }));
    const empty = memoryStore();
    await outage(setup, async () => {
      await update(setup.store, 'a', () => ({ n: 3 }));
      Object.assign(setup.inner, empty);
    });
    expect(await empty.read(['a', 'b'])).toMatchObject([{ value: { n: 3 } }, { value: { n: 2 } }]);
  });

  it('that is emptied while it works gets it back at once, from each process once', async () => {
    const clock = new VirtualClock(NOON);
    let inner = memoryStore();
    const warnings: string[] = [];
    const shared: StateStore = {
      read: (ids) => inner.read(ids),
      swap: (id, version, next) => inner.swap(id, version, next),
    };
    const stores = [1, 2, 3].map(() =>
      withFallback(shared, { clock, onWarning: (message) => void warnings.push(message) }),
    );
    for (const [index, store] of stores.entries()) {
      await update(store, 'account:a', () => at([[NOON + DAY, 5 + index]]));
      await clock.advance(0);
    }
    inner = memoryStore();
    for (const store of stores) {
      // The second read of each begins after the probe that the first one started.
      await store.read(['account:a']);
      await store.read(['account:a']);
      await clock.advance(0);
    }
    expect((await readOne(inner, 'account:a')).value).toEqual(at([[NOON + DAY, 7]]));
    for (const store of stores)
      expect(await store.read(['account:a'])).toEqual(await inner.read(['account:a']));
    expect(warnings).toEqual([1, 2, 3].map(() => expect.stringContaining('lost what was stored') as unknown));
  });

  it('loses nothing that changes while records are carried over', async () => {
    const setup = setUp();
    const { clock, store, inner } = setup;
    setup.broken = REJECTS;
    await update(store, 'a', () => at([[NOON + DAY, 1]]));
    let writes = 0;
    setup.broken = {
      read: (ids) => inner.read(ids),
      swap: async (id, version, next) => {
        writes += 1;
        if (writes <= 3) await update(store, 'a', () => at([[NOON + DAY, 1 + writes]]));
        if (writes === 2) await update(inner, 'a', () => at([[NOON + DAY, 10]]));
        return inner.swap(id, version, next);
      },
    };
    await clock.advance(5 * SECOND);
    await store.read(['a']);
    await clock.advance(0);
    // 1 was carried over and replaced by the other process's 10, and 3 were spent after it.
    expect((await readOne(inner, 'a')).value).toEqual(at([[NOON + DAY, 13]]));
    expect(await store.read(['a'])).toEqual(await inner.read(['a']));
  });

  it('warns again only if the store has worked for a minute', async () => {
    const setup = setUp();
    await outage(setup, async () => {});
    await outage(setup, async () => {});
    expect(setup.warnings).toHaveLength(1);
    // The pause has doubled: the second outage is still on.
    await setup.clock.advance(5 * SECOND);
    await setup.store.read(['a']);
    await setup.clock.advance(60 * SECOND);
    await outage(setup, async () => {});
    expect(setup.warnings).toHaveLength(2);
  });
});
