/** The wall clock is set in the middle of what takes time. */

import { describe, expect, it } from 'vitest';
import { BrokenStreamError, DeadlineError } from '../../src/index.ts';
import {
  DAY,
  HOUR,
  KEY,
  MINUTE,
  MODEL,
  NOON,
  SECOND,
  simulatedPool,
  type SimulatedPool,
} from '../support/simulated-pool.ts';

const YEAR = 365 * DAY;
const JUMPS = [
  ['an hour forwards', HOUR],
  ['an hour backwards', -HOUR],
  ['ten years forwards', 10 * YEAR],
  ['ten years backwards', -10 * YEAR],
] as const;

/** Sets the wall clock after `afterMs`. */
function jump({ clock }: SimulatedPool, afterMs: number, byMs: number): void {
  clock.after(afterMs, () => clock.setWallClock(byMs));
}

async function read(stream: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of stream) text += part;
  return text;
}

describe.each(JUMPS)('if the clock is set %s', (_what, byMs) => {
  it('a call ends with its timeoutMs', async () => {
    const pool = simulatedPool({ nim: { faults: [{ kind: 'hang' }] } });
    jump(pool, 3 * SECOND, byMs);
    const error = await pool.fails(pool.llm.chat('Hello', { timeoutMs: 10 * SECOND }));
    expect(error).toBeInstanceOf(DeadlineError);
    expect(pool.clock.monotonicMs()).toBe(10 * SECOND);
    expect(error).toMatchObject({ attempts: [{ outcome: 'timeout', latencyMs: 10 * SECOND }] });
    expect(pool.clock.pending).toBe(0);
  });

  it('an attempt ends with its limit, and another provider serves the call', async () => {
    const pool = simulatedPool({ strategy: 'priority', nim: { faults: [{ kind: 'hang' }] }, google: {} });
    jump(pool, 3 * SECOND, byMs);
    const { provider, latencyMs } = await pool.run(pool.llm.chat('Hello', { attemptTimeoutMs: 8 * SECOND }));
    expect({ provider, latencyMs }).toEqual({ provider: 'google', latencyMs: 8 * SECOND });
  });

  it('a call comes back after the pause behind a passing fault', async () => {
    const pool = simulatedPool({ nim: { faults: [{ kind: 'reset', times: 1 }] } });
    jump(pool, SECOND / 4, byMs);
    const { latencyMs } = await pool.run(pool.llm.chat('Hello'));
    expect(latencyMs).toBe(SECOND / 2);
  });

  it('a call waits for its quota no longer than before', async () => {
    const pool = simulatedPool({ custom: { rpm: 1, limits: { rpm: 2 } } });
    await pool.trace(1);
    jump(pool, 3 * SECOND, byMs);
    const limits = { wait: true, maxWaitMs: 2 * MINUTE, timeoutMs: 2 * MINUTE };
    const { latencyMs } = await pool.run(pool.llm.chat('Hello', limits));
    expect(latencyMs).toBeLessThan(62 * SECOND);
    expect(pool.clock.pending).toBe(0);
  });

  it('a call waits no longer than maxWaitMs', async () => {
    const pool = simulatedPool({ custom: { rpm: 1, latencyMs: 50 * SECOND } });
    const first = pool.llm.chat('Hello', { timeoutMs: 2 * MINUTE, attemptTimeoutMs: 2 * MINUTE });
    await pool.clock.advance(0);
    jump(pool, 3 * SECOND, byMs);
    const call = pool.llm.chat('Hello', { wait: true, maxWaitMs: 70 * SECOND, timeoutMs: 5 * MINUTE });
    await pool.clock.run(Promise.allSettled([call]));
    // The quota is back after a minute, or when a clock that was set says so. At 70 s the call is sent, or it ends.
    const sentAt = pool.transport.sent.slice(1).map(({ at }) => at - NOON);
    expect(sentAt.filter((at) => at > 70 * SECOND)).toEqual([]);
    if (sentAt.length === 0) expect(pool.clock.monotonicMs()).toBe(70 * SECOND);
    await pool.run(first);
  });

  it('a stream ends with firstPartTimeoutMs', async () => {
    const pool = simulatedPool({ strategy: 'priority', nim: { faults: [{ kind: 'hang' }] }, google: {} });
    jump(pool, 3 * SECOND, byMs);
    const stream = pool.llm.stream('Hello', { firstPartTimeoutMs: 9 * SECOND });
    await pool.run(read(stream));
    expect(await stream.response()).toMatchObject({
      provider: 'google',
      latencyMs: 9 * SECOND,
      attempts: [{ outcome: 'timeout', latencyMs: 9 * SECOND }, { outcome: 'success' }],
    });
  });

  it('a stream that stalls ends with idleTimeoutMs', async () => {
    const pool = simulatedPool({ nim: { faults: [{ kind: 'stall' }] } });
    jump(pool, 3 * SECOND, byMs);
    const stream = pool.llm.stream('Hello', { idleTimeoutMs: 7 * SECOND, onCut: 'fail' });
    const error = await pool.fails(read(stream));
    expect(error).toBeInstanceOf(BrokenStreamError);
    expect(pool.clock.monotonicMs()).toBe(7 * SECOND);
  });

  it('a stream with a timeoutMs of its own ends with that', async () => {
    const pool = simulatedPool({ nim: { faults: [{ kind: 'silent-comments', count: 100 }] } });
    jump(pool, 3 * SECOND, byMs);
    const stream = pool.llm.stream('Hello', { timeoutMs: 4.5 * SECOND });
    expect(await pool.fails(read(stream))).toBeInstanceOf(DeadlineError);
    expect(pool.clock.monotonicMs()).toBe(4.5 * SECOND);
    expect(pool.clock.pending).toBe(0);
  });
});

describe('what was refused while the clock was ahead serves again once it is right', () => {
  const AHEAD = [HOUR, DAY, 10 * YEAR];

  it.each(AHEAD)('a key, by %i ms', async (byMs) => {
    const pool = simulatedPool({ nim: { faults: [{ kind: 'unauthorized', times: 1 }] } });
    pool.clock.setWallClock(byMs);
    expect(await pool.trace(1)).toEqual([expect.stringContaining('NoProvidersAvailableError')]);
    expect(pool.llm.health()).toMatchObject([{ ready: false, disabled: true }]);
    pool.clock.setWallClock(-byMs);
    expect(pool.llm.health()).toMatchObject([{ ready: true }]);
    await pool.run(pool.llm.chat('Hello'));
    expect(pool.llm.health()).toMatchObject([{ ready: true, disabled: false }]);
  });

  it.each(AHEAD)('an account without credit, by %i ms', async (byMs) => {
    const pool = simulatedPool({ openrouter: { faults: [{ kind: 'out-of-credits', times: 1 }] } });
    pool.clock.setWallClock(byMs);
    await pool.trace(1);
    pool.clock.setWallClock(-byMs);
    expect(await pool.run(pool.llm.chat('Hello'))).toMatchObject({ provider: 'openrouter' });
  });

  it.each(AHEAD)('a quota of the day, by %i ms', async (byMs) => {
    const pool = simulatedPool({ openrouter: { limits: { rpd: 3 } } });
    pool.elsewhere('openrouter', KEY.openrouter, MODEL.openrouter, 3);
    pool.clock.setWallClock(byMs);
    expect(await pool.trace(1)).toEqual([expect.stringContaining('NoProvidersAvailableError')]);
    pool.clock.setWallClock(-byMs);
    await pool.trace(1);
    await pool.clock.advance(DAY);
    expect(await pool.run(pool.llm.chat('Hello'))).toMatchObject({ provider: 'openrouter' });
  });

  it.each(AHEAD)('a provider that was down, by %i ms', async (byMs) => {
    const pool = simulatedPool({ nim: { faults: [{ kind: 'outage', times: 3 }] } });
    pool.clock.setWallClock(byMs);
    await pool.trace(3, { maxAttempts: 1 });
    pool.clock.setWallClock(-byMs);
    await pool.clock.advance(MINUTE);
    expect(await pool.run(pool.llm.chat('Hello'))).toMatchObject({ provider: 'nim' });
  });
});
