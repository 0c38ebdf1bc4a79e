import { describe, expect, it } from 'vitest';
import { EMPTY_ACCOUNT } from '../../src/core/records/account.ts';
import { EMPTY_PROVIDER } from '../../src/core/records/provider.ts';
import type { FreeLLM, StateStore } from '../../src/index.ts';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import {
  simulatedPool,
  type SimulatedPool,
  DAY,
  HOUR,
  laterStore,
  MINUTE,
  MODEL,
  NOON,
  SECOND,
} from '../support/simulated-pool.ts';
import { type OpenStore, openStore } from '../support/open-store.ts';
import { seededRandom } from '../support/seeded-random.ts';

const PATIENT = { wait: true, maxWaitMs: HOUR, timeoutMs: DAY };

const ask = (llm: FreeLLM): Promise<unknown> => llm.chat('Hello', PATIENT);

/** A store at which now and then somebody else was faster. */
function contested(store: StateStore, seed: number): StateStore {
  const random = seededRandom(seed);
  return {
    read: (ids) => store.read(ids),
    swap: (id, expectedVersion, next) => (random() < 0.3 ? false : store.swap(id, expectedVersion, next)),
  };
}

interface Case {
  readonly kind: string;
  readonly over: (store: StateStore, pool: () => SimulatedPool) => StateStore;
}

const CASES: readonly Case[] = [
  { kind: 'that answers at once', over: (store) => store },
  { kind: 'that answers a microtask later', over: (store) => laterStore(store, () => Promise.resolve()) },
  {
    kind: 'that takes its time',
    over: (store, pool) =>
      laterStore(store, () => new Promise((resolve) => void pool().clock.after(3, resolve))),
  },
  { kind: 'at which others are faster at times', over: (store) => contested(store, 7) },
  {
    kind: 'that answers later and at which others are faster at times',
    over: (store) => laterStore(contested(store, 11), () => Promise.resolve()),
  },
];

describe.each(CASES)('a store $kind', ({ over }) => {
  const setUp = (): { pool: SimulatedPool; store: OpenStore } => {
    const store = openStore();
    const pool: SimulatedPool = simulatedPool({
      store: over(store, () => pool),
      custom: {
        rpm: 40,
        limits: { rpm: 40 },
        accounts: [['k1'], ['k2']],
        latencyMs: 200,
        faults: [{ kind: 'server-error', share: 0.1 }],
      },
      maxAttempts: 40,
    });
    return { pool, store };
  };

  it('contains exactly the charges of the requests that were sent', async () => {
    const { pool, store } = setUp();
    await pool.run(Promise.allSettled(Array.from({ length: 60 }, () => pool.llm.chat('Hello'))));
    expect(pool.clock.now()).toBeLessThan(NOON + MINUTE);
    expect(store.booked(pool.clock.now())).toBe(pool.requests());
    const used = pool.llm.health().reduce((sum, { rpmUsed = 0 }) => sum + rpmUsed, 0);
    expect(used).toBe(pool.requests());
  });

  it('lets two FreeLLM share a quota: no charge is lost, no limit is exceeded', async () => {
    const { pool } = setUp();
    const other = pool.sibling();
    const results = await pool.run(
      Promise.allSettled(Array.from({ length: 150 }, () => [ask(pool.llm), ask(other)]).flat()),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(300);
    expect(pool.world.counts.causes).not.toHaveProperty('minute-limit');
    expect(pool.events.filter(({ type }) => type === 'warning')).toEqual([]);
    // 80 a minute: no pool slower than it has to be.
    expect(pool.clock.now()).toBeLessThan(NOON + 5 * MINUTE);
    expect(pool.clock.pending).toBe(0);
  });

  it('gives one FreeLLM what the other has learnt', async () => {
    const { pool } = setUp();
    pool.world.custom.clear();
    const other = pool.sibling();
    pool.world.custom.script({ kind: 'unauthorized', key: 'k1' });
    await pool.trace(2);
    const before = pool.requests();
    await pool.run(Promise.all(Array.from({ length: 10 }, () => other.chat('Hello'))));
    expect(pool.transport.sent.slice(before).every(({ key }) => key === 'k2')).toBe(true);
    expect(other.health()).toMatchObject([{ disabled: true }, { disabled: false }]);
  });

  it('admits one probe of two FreeLLM', async () => {
    const { pool } = setUp();
    pool.world.custom.clear();
    const other = pool.sibling();
    pool.world.custom.script({ kind: 'reset', times: 3 });
    await pool.trace(3);
    await pool.clock.advance(15 * SECOND);
    const before = pool.requests();
    const probes = [pool.llm, other].flatMap((llm) => Array.from({ length: 20 }, () => llm.chat('Hello')));
    const results = await pool.run(Promise.allSettled(probes));
    expect(pool.requests()).toBe(before + 1);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('an outcome that loses every race', () => {
  it('is stored after pauses, and not tried again and again in the same millisecond', async () => {
    const memory = memoryStore();
    let lost = 0;
    /** Once the request has arrived, another process is faster for 50 ms. */
    const isBusy = (): boolean => pool.requests() > 0 && pool.clock.now() < NOON + 250 && lost < 5000;
    const pool: SimulatedPool = simulatedPool({
      store: {
        read: (ids) => memory.read(ids),
        swap: (id, expectedVersion, next) => {
          if (!isBusy()) return memory.swap(id, expectedVersion, next);
          lost += 1;
          void memory.swap(id, expectedVersion, id.startsWith('provider') ? EMPTY_PROVIDER : EMPTY_ACCOUNT);
          return false;
        },
      },
      nim: { latencyMs: 200 },
    });
    await pool.run(pool.llm.chat('Hello'));
    expect(lost).toBeGreaterThan(3);
    expect(lost).toBeLessThan(300);
    expect(pool.llm.health()).toMatchObject([{ latencyMs: 200 }]);
    expect(pool.events.filter(({ type }) => type === 'warning')).toEqual([]);
  });
});

describe('reading the state', () => {
  it('never writes, and shows the last known state of a store that answers asynchronously', async () => {
    const store = openStore();
    const pool = simulatedPool({ store: laterStore(store, () => Promise.resolve()), nim: {} });
    await pool.trace(3);
    const swaps = store.swaps();
    for (let times = 0; times < 100; times += 1) {
      expect(pool.llm.health()).toMatchObject([{ rpmUsed: 3, ready: true }]);
      expect(pool.llm.capacity()).toMatchObject({ requestsNow: 27 });
      expect(pool.llm.explain()).toHaveLength(1);
    }
    await pool.clock.advance(SECOND);
    expect(store.swaps()).toBe(swaps);
  });
});

const CLOSED = { state: 'closed', failures: 0, trips: 0, generation: 0 };
const SOUND = { v: 1, breaker: CLOSED, models: {}, limiters: {}, keys: {} };
const GARBAGE: [unknown][] = [
  [{ ...SOUND, breaker: {} }],
  [{ ...SOUND, breaker: { state: 'open' } }],
  [{ ...SOUND, limiters: { rpm: null } }],
  [{ ...SOUND, limiters: { rpm: { spent: 'all' } } }],
  [{ ...SOUND, limiters: { rpm: { spent: [7] } } }],
  [{ ...SOUND, models: { [MODEL.nim]: null } }],
  [{ ...SOUND, keys: { k: 5 } }],
];

describe('what another version or another program left in the store', () => {
  it.each<[unknown]>([
    [{ v: 99, buckets: { rpm: 'full' } }],
    ['nonsense'],
    [null],
    [[1, 2]],
    [{ v: 1 }],
    ...GARBAGE,
  ])('reads as nothing known: %j', async (value) => {
    const memory = memoryStore();
    const store: StateStore = {
      read: (ids) => {
        const records = memory.read(ids);
        if (records instanceof Promise) return records;
        return records.map((record) => (record.version === 0 ? { version: 0, value } : record));
      },
      swap: (id, expectedVersion, next) => memory.swap(id, expectedVersion, next),
    };
    const pool = simulatedPool({ store, nim: {} });
    expect(pool.llm.health()).toMatchObject([{ ready: true, rpmUsed: 0 }]);
    await pool.run(pool.llm.chat('Hello'));
    expect(pool.llm.health()).toMatchObject([{ ready: true, rpmUsed: 1 }]);
  });
});
