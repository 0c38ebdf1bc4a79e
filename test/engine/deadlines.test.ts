import { describe, expect, it } from 'vitest';
import { DeadlineError, NoProvidersAvailableError, type StrategyName } from '../../src/index.ts';
import type { Fault } from '../../src/testing.ts';
import { simulatedPool, HOUR, MINUTE, NOON, SECOND } from '../support/simulated-pool.ts';

const HANGS: readonly Fault[] = [{ kind: 'hang' }];
const STRATEGIES: readonly StrategyName[] = ['priority', 'round_robin', 'quota_aware', 'latency'];

describe('with timeoutMs: 20_000', () => {
  const limits = { timeoutMs: 20 * SECOND };

  it.each(STRATEGIES)(
    'a hanging provider costs half of the time, the call succeeds elsewhere (%s)',
    async (strategy) => {
      const names = ['openrouter', 'google', 'nim'] as const;
      for (const hanging of names) {
        const pool = simulatedPool({
          strategy,
          openrouter: {},
          google: {},
          nim: {},
          [hanging]: { faults: HANGS },
        });
        const { provider, latencyMs } = await pool.run(pool.llm.chat('Hello', limits));
        expect(provider).not.toBe(hanging);
        expect([0, 10 * SECOND]).toContain(latencyMs);
        expect(pool.clock.now() - NOON).toBe(latencyMs);
      }
    },
  );

  it('two hanging providers cost three quarters of it', async () => {
    const pool = simulatedPool({
      strategy: 'priority',
      openrouter: { faults: HANGS },
      google: { faults: HANGS },
      nim: {},
    });
    const { provider, latencyMs, attempts } = await pool.run(pool.llm.chat('Hello', limits));
    expect({ provider, latencyMs }).toEqual({ provider: 'nim', latencyMs: 15 * SECOND });
    expect(attempts.map(({ outcome, latencyMs: took }) => [outcome, took])).toEqual([
      ['timeout', 10 * SECOND],
      ['timeout', 5 * SECOND],
      ['success', 0],
    ]);
  });

  it.each(['connect', 'body'] as const)('a provider that stalls in the %s costs as much', async (stalls) => {
    const pool = simulatedPool({ strategy: 'priority', openrouter: {}, nim: {} });
    pool.transport.network = { stalls };
    pool.clock.after(10 * SECOND, () => {
      pool.transport.network = {};
    });
    const { provider, latencyMs } = await pool.run(pool.llm.chat('Hello', limits));
    expect({ provider, latencyMs }).toEqual({ provider: 'nim', latencyMs: 10 * SECOND });
    expect(pool.transport.open).toBe(0);
  });

  it.each([
    ['of three', { openrouter: { faults: HANGS }, google: { faults: HANGS }, nim: { faults: HANGS } }],
    ['of one with many keys', { nim: { faults: HANGS, accounts: [['n-1'], ['n-2'], ['n-3', 'n-4']] } }],
  ])('when all providers %s hang, DeadlineError comes with the deadline', async (_, providers) => {
    const pool = simulatedPool({ strategy: 'priority', ...providers });
    const error = await pool.fails(pool.llm.chat('Hello', limits));
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error).toMatchObject({ code: 'deadline', timeoutMs: 20 * SECOND });
    expect(pool.clock.now()).toBe(NOON + 20 * SECOND);
    expect([pool.clock.pending, pool.transport.open]).toEqual([0, 0]);
  });
});

describe('the limits of a call', () => {
  it("come from the call, else from the pool's options", async () => {
    const pool = simulatedPool({ timeoutMs: 7 * SECOND, nim: { faults: HANGS } });
    expect(await pool.fails(pool.llm.chat('Hello'))).toMatchObject({ timeoutMs: 7 * SECOND });
    expect(pool.clock.now()).toBe(NOON + 7 * SECOND);
    expect(await pool.fails(pool.llm.chat('Hello', { timeoutMs: 3 * SECOND }))).toMatchObject({
      timeoutMs: 3 * SECOND,
    });
    expect(pool.clock.now()).toBe(NOON + 10 * SECOND);
  });

  it('attemptTimeoutMs bounds every attempt', async () => {
    const pool = simulatedPool({
      strategy: 'priority',
      attemptTimeoutMs: 4 * SECOND,
      openrouter: { faults: HANGS },
      nim: { faults: HANGS },
      maxAttempts: 2,
    });
    const error = await pool.fails(pool.llm.chat('Hello', { timeoutMs: MINUTE }));
    expect(error).toMatchObject({
      attempts: [
        {
          provider: 'openrouter',
          outcome: 'timeout',
          latencyMs: 4 * SECOND,
          message: 'no complete answer within 4000 ms',
        },
        { provider: 'nim', outcome: 'timeout', latencyMs: 4 * SECOND },
      ],
    });
    expect(error).toBeInstanceOf(NoProvidersAvailableError);
  });

  it('maxAttempts bounds the requests that one call costs', async () => {
    const accounts = Array.from({ length: 9 }, (_, index) => [`n-${index}`]);
    const pool = simulatedPool({ maxAttempts: 3, nim: { accounts, faults: [{ kind: 'unauthorized' }] } });
    const error = await pool.fails(pool.llm.chat('Hello'));
    expect(error).toBeInstanceOf(NoProvidersAvailableError);
    expect(String(error)).toContain('The call stopped at maxAttempts = 3.');
    expect(pool.requests()).toBe(3);
    await pool.fails(pool.llm.chat('Hello', { maxAttempts: 5 }));
    expect(pool.requests()).toBe(3 + 5);
  });

  it("a caller's hurry is not held against a provider that is only slow", async () => {
    const pool = simulatedPool({ strategy: 'priority', nim: { latencyMs: 3 * SECOND } });
    for (let hurry = 0; hurry < 10; hurry += 1) {
      expect(await pool.fails(pool.llm.chat('Hello', { timeoutMs: SECOND }))).toBeInstanceOf(DeadlineError);
    }
    expect(pool.llm.health()).toMatchObject([{ ready: true, breaker: 'closed' }]);
    expect((await pool.run(pool.llm.chat('Hello'))).attempts).toHaveLength(1);
  });

  it('no call is answered or given up after its deadline, whatever fails', async () => {
    const faults: readonly Fault[] = [
      { kind: 'hang', share: 0.4 },
      { kind: 'slow', delayMs: 9 * SECOND, share: 0.5 },
      { kind: 'reset', share: 0.2 },
    ];
    const ample = { faults, rpm: 10_000, limits: { rpm: 10_000 } };
    const pool = simulatedPool({ openrouter: { ...ample, rpd: 10_000 }, nim: ample, custom: ample });
    const late: number[] = [];
    const calls = Array.from({ length: 500 }, async (_, index) => {
      const timeoutMs = 500 + index * 50;
      const startedAt = pool.clock.now();
      await pool.llm.chat('Hello', { timeoutMs, wait: index % 2 === 0 }).catch(() => undefined);
      if (pool.clock.now() > startedAt + timeoutMs) late.push(index);
    });
    await pool.run(Promise.all(calls));
    expect(late).toEqual([]);
    expect(pool.clock.now()).toBeLessThan(NOON + HOUR);
  });
});
