import { describe, expect, it, vi } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { bench, type Bench, DAY, laterStore, MINUTE, NOON, SECOND } from '../support/bench.ts';

const PATIENT = { wait: true, maxWaitMs: DAY, timeoutMs: DAY, attemptTimeoutMs: DAY };
/** A reason may be anything: it is the caller's own. */
const REASON = { why: 'no longer needed' };

/** A signal that counts who listens to it. */
function watched(): { signal: AbortSignal; abort: () => void; listeners: () => number; heard: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  return {
    signal,
    abort: () => {
      controller.abort(REASON);
    },
    listeners: () =>
      new Set(added.mock.calls.map(([, listener]) => listener)).size -
      gone(added.mock.calls, removed.mock.calls),
    heard: () => added.mock.calls.length,
  };
}

type Calls = readonly (readonly unknown[])[];

/** How many of the listeners that were added were taken away again. */
function gone(added: Calls, removed: Calls): number {
  return new Set(
    added.map(([, listener]) => listener).filter((listener) => removed.some((call) => call[1] === listener)),
  ).size;
}

/** What the keys look like, but for the quota that was spent. */
function standing({ llm }: Bench): unknown {
  return llm
    .health()
    .map(({ key, ready, breaker, disabled, lastError }) => ({ key, ready, breaker, disabled, lastError }));
}

interface Phase {
  readonly phase: string;
  readonly pool: () => Bench;
  /** Brings a call into the phase. */
  readonly before?: (pool: Bench) => Promise<unknown>;
  /** Requests that the meter has counted in the end. */
  readonly spent: number;
  /** Timers that may stay: the list of models is looked for beside the calls. */
  readonly timers?: number;
}

const PHASES: readonly Phase[] = [
  { phase: 'before it begins', pool: () => bench({ nim: {} }), spent: 0 },
  {
    phase: 'during discovery',
    pool: () => bench({ openrouter: { discover: true, faults: [{ kind: 'hang', route: 'models' }] } }),
    spent: 0,
    timers: 1,
  },
  {
    phase: 'while it waits in line',
    pool: () => bench({ nim: { rpm: 1 } }),
    before: (pool) => pool.run(pool.llm.chat('Hello')),
    spent: 1,
  },
  {
    phase: 'while a store that answers later is asked',
    pool: () => {
      let clock: Bench['clock'] | undefined;
      const later = (): Promise<void> =>
        new Promise((resolve) => {
          if (clock === undefined) resolve();
          else clock.after(3 * SECOND, resolve);
        });
      const pool = bench({ nim: {}, store: laterStore(memoryStore(), later) });
      clock = pool.clock;
      return pool;
    },
    spent: 0,
  },
  {
    phase: 'during connect',
    pool: () => {
      const pool = bench({ nim: {} });
      pool.transport.road = { stalls: 'connect' };
      return pool;
    },
    spent: 1,
  },
  { phase: 'before the headers', pool: () => bench({ nim: { faults: [{ kind: 'hang' }] } }), spent: 1 },
  {
    phase: 'during the body',
    pool: () => {
      const pool = bench({ nim: {} });
      pool.transport.road = { stalls: 'body' };
      return pool;
    },
    spent: 1,
  },
  {
    phase: 'during the body of a refusal',
    pool: () => {
      const pool = bench({ nim: { faults: [{ kind: 'server-error' }] } });
      pool.transport.road = { stalls: 'body' };
      return pool;
    },
    spent: 1,
  },
];

describe('a call that is aborted', () => {
  it.each(PHASES)(
    '$phase ends at once with the reason, leaves nothing behind and blames nobody',
    async ({ pool: make, before, spent, timers = 0 }) => {
      const pool = make();
      await before?.(pool);
      const asBefore = standing(pool);
      const { signal, abort, listeners } = watched();
      if (before === undefined && PHASES[0]?.pool === make) abort();
      const call = pool.llm.chat('Hello', { ...PATIENT, signal });
      const end = call.then(
        () => 'served',
        (reason: unknown) => reason,
      );
      await pool.clock.advance(SECOND);
      abort();
      const abortedAt = pool.clock.now();
      expect(await pool.run(end)).toBe(REASON);
      console.log(
        pool.clock.now() - abortedAt,
        listeners(),
        pool.clock.pending,
        pool.transport.open,
        pool.llm.health()[0]?.rpmUsed,
        spent,
      );
      expect(listeners()).toBe(0);
      expect(pool.clock.pending).toBe(timers);
      expect(pool.transport.open).toBe(0);
      expect(standing(pool)).toEqual(asBefore);
      expect(pool.llm.health()[0]?.rpmUsed).toBe(spent);
    },
  );
});
