import { setMaxListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import {
  simulatedPool,
  type SimulatedPool,
  type SimulatedPoolOptions,
  DAY,
  laterStore,
  SECOND,
} from '../support/simulated-pool.ts';
import type { NetworkConditions } from '../support/world-transport.ts';

const PATIENT = { wait: true, maxWaitMs: DAY, timeoutMs: DAY, attemptTimeoutMs: DAY };
/** A reason may be anything: it is the caller's own. */
const REASON = { why: 'no longer needed' };

interface Watched {
  readonly signal: AbortSignal;
  readonly abort: () => void;
  /** How many listeners were ever added. */
  readonly added: () => number;
  /** How many of them are still there. */
  readonly left: () => number;
}

function watched(): Watched {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const added = vi.spyOn(signal, 'addEventListener').mockImplementation((type, listener, options) => {
    listeners.add(listener);
    AbortSignal.prototype.addEventListener.call(signal, type, listener, options);
  });
  vi.spyOn(signal, 'removeEventListener').mockImplementation((type, listener, options) => {
    listeners.delete(listener);
    AbortSignal.prototype.removeEventListener.call(signal, type, listener, options);
  });
  return {
    signal,
    abort: () => {
      controller.abort(REASON);
    },
    added: () => added.mock.calls.length,
    left: () => listeners.size,
  };
}

/** What people see of the keys, but for the quota that was spent. */
function standing({ llm }: SimulatedPool): unknown {
  return llm.health().map(({ key, ready, breaker, lastError }) => ({ key, ready, breaker, lastError }));
}

interface Phase {
  readonly phase: string;
  readonly options: SimulatedPoolOptions;
  readonly road?: NetworkConditions;
  /** Calls that are answered before. */
  readonly before?: number;
  /** Requests that the meter has counted in the end. */
  readonly spent: number;
  /** Timers and requests that stay: lists of models are looked for beside the calls. */
  readonly beside?: number;
}

const PHASES: readonly Phase[] = [
  {
    phase: 'during discovery',
    options: { openrouter: { discover: true, faults: [{ kind: 'hang', route: 'models' }] } },
    spent: 0,
    beside: 1,
  },
  { phase: 'while it waits in line', options: { nim: { rpm: 1 } }, before: 1, spent: 1 },
  { phase: 'during connect', options: { nim: {} }, road: { stalls: 'connect' }, spent: 1 },
  { phase: 'before the headers', options: { nim: { faults: [{ kind: 'hang' }] } }, spent: 1 },
  { phase: 'during the body', options: { nim: {} }, road: { stalls: 'body' }, spent: 1 },
  {
    phase: 'during the body of a refusal',
    options: { nim: { faults: [{ kind: 'server-error' }] } },
    road: { stalls: 'body' },
    spent: 1,
  },
];

describe.each(PHASES)('a call that is aborted $phase', (phase) => {
  it("ends at once with the signal's reason, frees everything and counts against no provider", async () => {
    const { options, road = {}, before = 0, spent, beside = 0 } = phase;
    const pool = simulatedPool(options);
    await pool.trace(before);
    pool.transport.network = road;
    const asBefore = standing(pool);
    const { signal, abort, added, left } = watched();
    const call = pool.llm.chat('Hello', { ...PATIENT, signal });
    const end = call.then(
      () => 'served',
      (reason: unknown) => reason,
    );
    await pool.clock.advance(SECOND);
    abort();
    const abortedAt = pool.clock.now();
    expect(await pool.run(end)).toBe(REASON);
    expect(pool.clock.now()).toBe(abortedAt);
    expect(added()).toBeGreaterThan(0);
    expect(left()).toBe(0);
    expect(pool.clock.pending).toBe(beside);
    expect(pool.transport.open).toBe(beside);
    expect(standing(pool)).toEqual(asBefore);
    expect(pool.llm.health()[0]?.rpmUsed).toBe(spent);
    await pool.llm.close();
    await pool.clock.advance(0);
    expect([pool.clock.pending, pool.transport.open]).toEqual([0, 0]);
  });
});

describe('a signal', () => {
  it('that is already aborted stops the call before it plans or sends anything', async () => {
    const pool = simulatedPool({ openrouter: { discover: true }, nim: {} });
    const { signal, abort, added } = watched();
    abort();
    expect(await pool.fails(pool.llm.chat('Hello', { signal }))).toBe(REASON);
    expect([pool.world.calls.length, pool.clock.pending, added()]).toEqual([0, 0, 0]);
    expect(pool.llm.capacity().quotas.map(({ leftNow }) => leftNow)).toEqual([20, 30]);
  });

  it('that is aborted after the answer changes nothing and has no listener left', async () => {
    const pool = simulatedPool({ nim: {} });
    const { signal, abort, left } = watched();
    const { text } = await pool.run(pool.llm.chat('Hello', { signal }));
    expect(left()).toBe(0);
    abort();
    expect(text).toContain('Hello');
    expect(pool.events.map(({ type }) => type)).toEqual([
      'call-start',
      'attempt-start',
      'attempt-end',
      'call-end',
    ]);
  });

  it('passes the reason of a timeout on unchanged', async () => {
    const pool = simulatedPool({ nim: { faults: [{ kind: 'hang' }] } });
    const timeout = new DOMException('The operation timed out.', 'TimeoutError');
    const controller = new AbortController();
    pool.clock.after(SECOND, () => {
      controller.abort(timeout);
    });
    expect(await pool.fails(pool.llm.chat('Hello', { signal: controller.signal }))).toBe(timeout);
    expect(pool.events.at(-2)).toMatchObject({ outcome: 'aborted', latencyMs: SECOND });
  });

  it('serves any number of calls and keeps none of their listeners', async () => {
    const pool = simulatedPool({ nim: {}, custom: { faults: [{ kind: 'server-error', share: 0.5 }] } });
    const { signal, abort, added, left } = watched();
    setMaxListeners(0, signal);
    const calls = Array.from({ length: 200 }, () => pool.llm.chat('Hello', { ...PATIENT, signal }));
    await pool.run(Promise.allSettled(calls));
    expect(added()).toBeGreaterThan(0);
    expect(left()).toBe(0);
    abort();
  });
});

const STORE_MS = 10;

/** A pool whose store answers later; on demand later by so many milliseconds. */
function slowlyStored(options: SimulatedPoolOptions): {
  readonly pool: SimulatedPool;
  readonly slow: () => void;
} {
  let isSlow = false;
  const answered = async (): Promise<void> => {
    if (!isSlow) return;
    await new Promise<void>((resolve) => {
      pool.clock.after(STORE_MS, resolve);
    });
  };
  const pool: SimulatedPool = simulatedPool({ ...options, store: laterStore(memoryStore(), answered) });
  return {
    pool,
    slow: () => {
      isSlow = true;
    },
  };
}

describe('a reservation whose request was never sent', () => {
  it('is refunded if the call is aborted while the store is read', async () => {
    const { pool, slow } = slowlyStored({ nim: {} });
    await pool.trace(1);
    slow();
    const { signal, abort, left } = watched();
    pool.clock.after(1.5 * STORE_MS, abort);
    const calledMs = pool.clock.monotonicMs();
    expect(await pool.fails(pool.llm.chat('Hello', { signal }))).toBe(REASON);
    expect(pool.clock.monotonicMs()).toBe(calledMs + 1.5 * STORE_MS);
    expect([pool.requests(), left()]).toEqual([1, 0]);
    await pool.clock.advance(10 * STORE_MS);
    expect(pool.clock.pending).toBe(0);
    expect(pool.llm.health()).toMatchObject([{ rpmUsed: 1, breaker: 'closed' }]);
  });

  it('is refunded if a waiting call is aborted while its grant is stored', async () => {
    const { pool, slow } = slowlyStored({ custom: { rpm: 1 } });
    await pool.trace(1);
    slow();
    const { signal, abort, left } = watched();
    const waiting = pool.fails(pool.llm.chat('Hello', { ...PATIENT, signal }));
    // The quota is back after a minute and a quarter of a second; then the store is read, and written.
    pool.clock.after(60_250 + 1.5 * STORE_MS, abort);
    expect(await waiting).toBe(REASON);
    await pool.clock.advance(SECOND);
    expect([pool.requests(), left(), pool.clock.pending]).toEqual([1, 0, 0]);
    expect(pool.llm.health()).toMatchObject([{ rpmUsed: 0, ready: true }]);
  });

  it('is refunded if its call is aborted between the grant and the request', async () => {
    const second = watched();
    let attempts = 0;
    const pool = simulatedPool({
      custom: { rpm: 2, limits: { rpm: 2 } },
      onEvent: ({ type }) => {
        if (type === 'attempt-start') attempts += 1;
        if (attempts === 3) second.abort();
      },
    });
    await pool.trace(2);
    const first = pool.llm.chat('Call 3', PATIENT);
    const aborted = pool.fails(pool.llm.chat('Call 4', { ...PATIENT, signal: second.signal }));
    await pool.run(first);
    expect(await aborted).toBe(REASON);
    expect(pool.requests()).toBe(3);
    expect(pool.llm.health()).toMatchObject([{ rpmUsed: 1 }]);
  });
});
