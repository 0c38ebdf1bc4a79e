import { describe, expect, it } from 'vitest';
import { NoProvidersAvailableError } from '../../src/index.ts';
import type { FaultEffect } from '../../src/testing.ts';
import { simulatedPool, MINUTE, NOON, SECOND } from '../support/simulated-pool.ts';

/** As much as a test can ask for, so that no limit is met. */
const AMPLE = { rpm: 100_000, limits: { rpm: 100_000 } };

const PASSING: readonly FaultEffect[] = [
  { kind: 'reset' },
  { kind: 'outage' },
  { kind: 'server-error' },
  { kind: 'garbage' },
  { kind: 'congested' },
];

describe('a call that may not wait', () => {
  it.each(PASSING)('comes back to the only route after a pause: $kind', async (fault) => {
    const pool = simulatedPool({ custom: { faults: [{ ...fault, times: 1 }], latencyMs: 0, ...AMPLE } });
    const { attempts } = await pool.run(pool.llm.chat('Hello'));
    expect(attempts.map(({ startedAt }) => startedAt - NOON)).toEqual([0, SECOND / 2]);
    expect(pool.events.filter(({ type }) => type === 'wait')).toEqual([]);
  });

  it('tries other routes first, without a pause', async () => {
    const pool = simulatedPool({
      strategy: 'priority',
      custom: { faults: [{ kind: 'reset' }], latencyMs: 0, ...AMPLE },
      nim: { latencyMs: 0 },
    });
    const { attempts } = await pool.run(pool.llm.chat('Hello'));
    expect(attempts.map(({ provider }) => provider)).toEqual(['custom', 'nim']);
    expect(pool.clock.now()).toBe(NOON);
  });

  it('gives up if the breaker opens for longer than the longest pause, and sends nothing more', async () => {
    const pool = simulatedPool({ custom: { faults: [{ kind: 'reset' }], latencyMs: 0, ...AMPLE } });
    const error = await pool.fails(pool.llm.chat('Hello'));
    expect(error).toBeInstanceOf(NoProvidersAvailableError);
    expect(error).toMatchObject({ readyAt: NOON + 9.5 * SECOND });
    expect(pool.world.custom.counts.total).toBe(3);
    await pool.fails(pool.llm.chat('Hello'));
    expect(pool.world.custom.counts.total).toBe(3);
  });

  it('does not return to a failure that is not transient, or not soon over', async () => {
    for (const kind of ['unauthorized', 'retired', 'not-entitled'] as const) {
      const pool = simulatedPool({ custom: { faults: [{ kind, times: 1 }], ...AMPLE } });
      await pool.fails(pool.llm.chat('Hello'));
      expect(pool.world.custom.counts.total).toBe(1);
    }
    const spent = simulatedPool({ custom: { rpm: 1, limits: { rpm: 1 } } });
    await spent.run(spent.llm.chat('Hello'));
    await spent.fails(spent.llm.chat('Hello'));
    expect(spent.world.custom.counts.total).toBe(1);
  });

  it('does not pause past its deadline', async () => {
    const pool = simulatedPool({ custom: { faults: [{ kind: 'reset' }], latencyMs: 0, ...AMPLE } });
    const error = await pool.fails(pool.llm.chat('Hello', { timeoutMs: 400 }));
    expect(error).toBeInstanceOf(NoProvidersAvailableError);
    expect(pool.clock.now()).toBe(NOON);
  });

  it('can be aborted during its pause', async () => {
    const pool = simulatedPool({ custom: { faults: [{ kind: 'reset' }], latencyMs: 0, ...AMPLE } });
    const controller = new AbortController();
    const call = pool.llm.chat('Hello', { signal: controller.signal });
    await pool.clock.advance(100);
    controller.abort(new Error('no longer needed'));
    await expect(call).rejects.toThrow('no longer needed');
    await pool.clock.advance(MINUTE);
    expect(pool.world.custom.counts.total).toBe(1);
  });
});

describe('a flaky provider', () => {
  it.each(PASSING)('serves nearly every call, also as the only route: $kind', async (fault) => {
    const pool = simulatedPool({ custom: { faults: [{ ...fault, share: 0.3 }], ...AMPLE } });
    let served = 0;
    const calls = Array.from({ length: 600 }, async (_, number) => {
      await new Promise<void>((resolve) => pool.clock.after(number * 2 * SECOND, resolve));
      await pool.llm.text('Hello');
      served += 1;
    });
    await pool.run(Promise.allSettled(calls));
    expect(served).toBeGreaterThanOrEqual(0.98 * calls.length);
    expect(pool.world.custom.counts.total).toBeGreaterThan(1.3 * calls.length);
  });

  it('does so for many concurrent calls, although failures arrive before answers', async () => {
    const faults = [{ kind: 'reset', share: 0.3 }] as const;
    const pool = simulatedPool({ custom: { faults, latencyMs: 5 * SECOND, ...AMPLE } });
    let served = 0;
    const calls = Array.from({ length: 2000 }, async (_, number) => {
      await new Promise<void>((resolve) => pool.clock.after((number * SECOND) / 8, resolve));
      await pool.llm.text('Hello');
      served += 1;
    });
    await pool.run(Promise.allSettled(calls));
    expect(served).toBeGreaterThan(0.95 * calls.length);
  });

  it.each([false, true])(
    'is found out when it is down, before a crowd has come back, wait: %s',
    async (wait) => {
      const pool = simulatedPool({ custom: { faults: [{ kind: 'reset', share: 0.5 }], ...AMPLE } });
      for (let number = 0; number < 300; number += 1) {
        await pool.fails(pool.llm.chat('Hello'));
        await pool.clock.advance(SECOND);
      }
      pool.world.custom.script({ kind: 'reset' });
      const before = pool.requests();
      const limits = { wait, maxWaitMs: MINUTE, timeoutMs: 2 * MINUTE };
      const crowd = Array.from({ length: 200 }, () => pool.llm.chat('Hello', limits));
      await pool.run(Promise.allSettled(crowd));
      expect(pool.requests() - before).toBeLessThan(crowd.length + 15);
    },
  );
});
