import { describe, expect, it } from 'vitest';
import type { ProviderName } from '../../src/testing.ts';
import { type SimulatedPool, simulatedPool, DAY, HOUR, MINUTE, SECOND } from '../support/simulated-pool.ts';

/** Two accounts at each of three providers, whose limits are the documented ones: nothing is broken. */
const healthy = (): SimulatedPool =>
  simulatedPool({
    openrouter: { accounts: [['or-1', 'or-1b'], ['or-2']], models: ['m/a:free', 'm/b:free'], latencyMs: 900 },
    google: {
      accounts: [['g-1'], ['g-2']],
      models: ['gemini-3.8-flash', 'gemini-3.5-flash-lite'],
      latencyMs: 400,
    },
    // NIM publishes no limit. What is assumed would be tried out.
    nim: {
      accounts: [['n-1'], ['n-2']],
      models: ['m/a', 'm/b'],
      latencyMs: 1500,
      rpm: 30,
    },
  });

const burst = (
  pool: SimulatedPool,
  count: number,
  wait: boolean,
): Promise<readonly PromiseSettledResult<unknown>[]> =>
  pool.run(
    Promise.allSettled(
      Array.from({ length: count }, () => pool.llm.chat('Hello', { wait, maxWaitMs: DAY, timeoutMs: DAY })),
    ),
  );

describe('1,000 concurrent calls', () => {
  it('are all served without a refusal', async () => {
    const pool = healthy();
    const results = await burst(pool, 1000, true);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1000);
    expect(pool.world.counts).toMatchObject({ total: 1000, served: 1000, refused: 0 });
    expect(pool.clock.pending).toBe(0);
  });

  it("that do not wait use the whole minute's quota at once", async () => {
    const pool = healthy();
    const results = await burst(pool, 1000, false);
    // 2 accounts × 20 at OpenRouter, 2 × (5 + 15) at Google, 2 × 30 at NIM.
    expect(pool.requests()).toBe(40 + 40 + 60);
    expect(new Set(pool.transport.sent.map(({ at }) => at)).size).toBe(1);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(140);
    expect(pool.world.counts.refused).toBe(0);
    expect(pool.llm.capacity().requestsNow).toBe(0);
  });
});

describe('a day of the provider', () => {
  interface Case {
    readonly name: ProviderName;
    readonly when: string;
    /** Epoch ms at which the day begins. */
    readonly midnight: number;
    readonly hours: number;
    readonly perDay: number;
  }
  // Clocks in California go forward on 8 March and back on 1 November 2026; OpenRouter counts days of UTC.
  const cases: readonly Case[] = [
    { name: 'google', when: 'in March', midnight: Date.UTC(2026, 2, 8, 8), hours: 23, perDay: 20 },
    { name: 'google', when: 'in November', midnight: Date.UTC(2026, 10, 1, 7), hours: 25, perDay: 20 },
    { name: 'google', when: 'in July', midnight: Date.UTC(2026, 6, 1, 7), hours: 24, perDay: 20 },
    { name: 'openrouter', when: 'in March', midnight: Date.UTC(2026, 2, 8), hours: 24, perDay: 50 },
    { name: 'openrouter', when: 'in November', midnight: Date.UTC(2026, 10, 1), hours: 24, perDay: 50 },
  ];

  it.each(cases)('has $hours hours at $name $when', async ({ name, midnight, hours, perDay }) => {
    const pool = simulatedPool({ startAt: midnight + 2 * SECOND, [name]: {} });
    const { clock, llm, requests, trace, world } = pool;
    for (let minute = 0; minute < 25; minute += 1) {
      await trace(3);
      await clock.advance(MINUTE);
    }
    expect(requests()).toBe(perDay);
    const end = midnight + hours * HOUR;
    const [row] = llm.health();
    expect(row?.readyAt).toBeGreaterThanOrEqual(end);
    expect(row?.readyAt).toBeLessThanOrEqual(end + 2 * SECOND);
    expect(llm.capacity()).toMatchObject({ requestsNow: 0, requestsToday: 0, nextAt: row?.readyAt });
    await clock.advance(end - SECOND - clock.now());
    expect(await trace(1)).toEqual(['NoProvidersAvailableError']);
    await clock.advance(3 * SECOND);
    for (let minute = 0; minute < 25; minute += 1) {
      await trace(3);
      await clock.advance(MINUTE);
    }
    expect(requests()).toBe(2 * perDay);
    expect(world.counts.refused).toBe(0);
  });
});
