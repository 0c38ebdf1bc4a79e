/** Several machines over one store, in virtual time: their clocks differ, and they wake each other. */

import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import {
  type Clock,
  FreeLLM,
  type FreeLLMOptions,
  NIM,
  OpenAICompatible,
  type StateStore,
} from '../../src/index.ts';
import { VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import {
  HOUR,
  KEY,
  laterStore,
  MINUTE,
  MODEL,
  NOON,
  SECOND,
  simulatedPool,
  type SimulatedPool,
} from '../support/simulated-pool.ts';

const PATIENT = { wait: true, maxWaitMs: HOUR, timeoutMs: HOUR };
const count = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);

interface Machine {
  /** How far its clock is ahead of the world's. */
  readonly aheadMs: number;
  /** Whether its store tells how far the store's clock is ahead. */
  readonly isCorrected: boolean;
}

/** A machine with a clock of its own over the world and the store of `pool`. */
function machine(pool: SimulatedPool, shared: StateStore, { aheadMs, isCorrected }: Machine): FreeLLM {
  const clock: Clock = {
    now: () => pool.clock.now() + aheadMs,
    monotonicMs: () => pool.clock.monotonicMs(),
    after: (delayMs, callback) => pool.clock.after(delayMs, callback),
  };
  const provider = new NIM([{ key: KEY.nim, account: 'account-0' }], {
    rpm: 30,
    discover: false,
    models: [{ id: MODEL.nim, tags: ['chat'] }],
  });
  const store = { ...shared, pollMs: 250, ...(isCorrected ? { clockOffsetMs: -aheadMs } : {}) };
  const ports = { clock, transport: pool.transport, cache: memoryCache(), env: {} };
  return new FreeLLM({ providers: [provider], store }, ports);
}

function mostInAMinute(moments: readonly number[]): number {
  return Math.max(...moments.map((from) => moments.filter((at) => at >= from && at < from + MINUTE).length));
}

/** Two machines make 45 patient calls each. Returns the most requests in a minute, and how long each machine took. */
async function day(
  aheadMs: number,
  isCorrected: boolean,
): Promise<{ most: number; tookMs: readonly number[] }> {
  const pool = simulatedPool({ nim: {} });
  const shared = laterStore(memoryStore(), () => new Promise((resolve) => void pool.clock.after(2, resolve)));
  const machines = [0, aheadMs].map((ahead) => machine(pool, shared, { aheadMs: ahead, isCorrected }));
  const startedAt = pool.clock.now();
  const took = machines.map(async (llm) => {
    await Promise.all(count(45).map(() => llm.chat('Hello', PATIENT)));
    return pool.clock.now() - startedAt;
  });
  const tookMs = await pool.run(Promise.all(took));
  return { most: mostInAMinute(pool.transport.sent.map(({ at }) => at)), tookMs };
}

describe('machines whose clocks differ', () => {
  it.each([-HOUR, -5 * MINUTE, -SECOND, 0, SECOND, 5 * MINUTE, HOUR])(
    'by %i ms never overspend and never starve, if the store has a clock',
    async (aheadMs) => {
      const { most, tookMs } = await day(aheadMs, true);
      expect(most).toBeLessThanOrEqual(30);
      // 90 calls at 30 a minute take two minutes and a little.
      for (const ms of tookMs) expect(ms).toBeLessThan(2.5 * MINUTE);
    },
  );

  it('lock nobody out if the store has no clock', async () => {
    for (const aheadMs of [-5 * MINUTE, 5 * MINUTE]) {
      const { tookMs } = await day(aheadMs, false);
      for (const ms of tookMs) expect(ms).toBeLessThan(HOUR);
    }
  });
});

describe('a call that waits', () => {
  it('goes on soon after another machine has changed what it waits for', async () => {
    const pool = simulatedPool({ nim: {} });
    const shared = laterStore(memoryStore(), () => Promise.resolve());
    const one = machine(pool, shared, { aheadMs: 0, isCorrected: true });
    const other = machine(pool, shared, { aheadMs: 0, isCorrected: true });
    await pool.run(Promise.all(count(30).map(() => one.chat('Hello'))));
    const waiting = other.chat('Hello', PATIENT);
    await pool.clock.advance(10 * SECOND);
    const resetAt = pool.clock.now();
    await one.reset();
    await pool.run(waiting);
    expect((pool.transport.sent.at(-1)?.at ?? 0) - resetAt).toBeLessThanOrEqual(250);
  });
});

describe('a process that is killed in the middle of a request', () => {
  const held: readonly (readonly [
    what: string,
    options: Partial<FreeLLMOptions>,
    isStream: boolean,
    heldMs: number,
  ])[] = [
    ['an attempt', {}, false, 31 * SECOND],
    ['a short attempt', { attemptTimeoutMs: 5000 }, false, 6 * SECOND],
    ['a short call', { timeoutMs: 3000 }, false, 4 * SECOND],
    ['a stream with a total limit', { timeoutMs: 90_000 }, true, 91 * SECOND],
    ['any other stream', {}, true, 10 * MINUTE],
  ];

  it.each(held)('holds its place no longer than %s may take', async (_what, options, isStream, heldMs) => {
    const store = memoryStore();
    const later = (startAt: number, send: () => Promise<Response>): { llm: FreeLLM; clock: VirtualClock } => {
      const clock = new VirtualClock(startAt);
      const own = new OpenAICompatible('a-key', {
        name: 'own',
        baseUrl: 'https://own.test/v1',
        models: ['m'],
        concurrency: 1,
      });
      const ports = { clock, cache: memoryCache(), env: {} };
      return { llm: new FreeLLM({ providers: [own], store, fetch: send, ...options }, ports), clock };
    };
    const killed = later(NOON, () => new Promise(() => {}));
    const call = isStream
      ? killed.llm.stream('Hello')[Symbol.asyncIterator]().next()
      : killed.llm.chat('Hello');
    void Promise.resolve(call).catch(() => {});
    // Its time stands still from now on.
    await killed.clock.advance(0);
    const isReady = (at: number): unknown =>
      later(at, () => Promise.reject(new Error('not asked'))).llm.health()[0]?.ready;
    expect([isReady(NOON), isReady(NOON + heldMs - 1), isReady(NOON + heldMs)]).toEqual([false, false, true]);
  });
});
