import { describe, expect, it } from 'vitest';
import type { ProviderScore } from '../../src/index.ts';
import { simulatedPool, type SimulatedPool, KEY, MINUTE, SECOND } from '../support/simulated-pool.ts';

/** The providers that are asked, in order. */
const asked = ({ transport }: SimulatedPool): readonly string[] =>
  transport.sent.map(({ provider }) => provider);
const AMPLE = { rpm: 1000, limits: { rpm: 1000 } };

describe('priority', () => {
  it('tries the lowest number first, equal ones in the order of the list, and returns to it as soon as possible', async () => {
    const pool = simulatedPool({
      strategy: 'priority',
      openrouter: { priority: 1 },
      nim: { priority: 1 },
      custom: { rpm: 2, limits: { rpm: 2 } },
    });
    await pool.trace(4);
    expect(asked(pool)).toEqual(['custom', 'custom', 'openrouter', 'openrouter']);
    pool.world.openrouter.script({ kind: 'server-error', times: 1 });
    await pool.trace(1);
    await pool.clock.advance(2 * MINUTE);
    await pool.trace(1);
    expect(asked(pool).slice(4)).toEqual(['openrouter', 'nim', 'custom']);
  });

  it("tries a provider's models in their order, preferred ones first", async () => {
    const models = ['m/a:free', 'm/b:free', { id: 'm/c:free', spec: { priority: -1 } }];
    const pool = simulatedPool({
      strategy: 'priority',
      openrouter: { models, faults: [{ kind: 'congested', times: 2 }] },
    });
    expect(await pool.trace(1)).toEqual([
      ['m/c:free', 'm/a:free', 'm/b:free'].map((id) => `${KEY.openrouter} ${id}`).join(' → '),
    ]);
  });
});

describe('round_robin', () => {
  const names = ['openrouter', 'nim', 'custom'];

  it('starts each call at the next provider', async () => {
    const pool = simulatedPool({ strategy: 'round_robin', openrouter: {}, nim: {}, custom: {} });
    await pool.trace(9);
    expect(asked(pool)).toEqual([...names, ...names, ...names]);
  });

  it('does so even if every odd request fails', async () => {
    const pool = simulatedPool({ strategy: 'round_robin', openrouter: {}, nim: {}, custom: {} });
    pool.transport.network = {
      answer: () =>
        pool.requests() % 2 === 0
          ? { status: 500, body: '{"error":{"message":"oops","code":500}}' }
          : undefined,
    };
    const starts: (string | undefined)[] = [];
    for (let call = 0; call < 12; call += 1) {
      const { attempts } = await pool.run(pool.llm.chat('Hello'));
      expect(attempts).toHaveLength(2);
      starts.push(attempts[0]?.provider);
    }
    expect(starts).toEqual([...names, ...names, ...names, ...names]);
  });

  it('spreads concurrent calls evenly over all providers', async () => {
    const pool = simulatedPool({
      strategy: 'round_robin',
      openrouter: { ...AMPLE, rpd: 1000 },
      nim: AMPLE,
      custom: AMPLE,
    });
    await pool.run(Promise.all(Array.from({ length: 60 }, () => pool.llm.chat('Hello'))));
    for (const name of names) expect(asked(pool).filter((provider) => provider === name)).toHaveLength(20);
  });
});

describe('quota_aware', () => {
  it('is the default, and saves scarce quota until nothing else is left', async () => {
    const pool = simulatedPool({ openrouter: {}, google: {}, nim: {} });
    await pool.trace(30);
    expect(asked(pool)).toEqual(Array.from({ length: 30 }, () => 'nim'));
    await pool.trace(20);
    // At noon UTC 50 requests of 12 hours cost less than 20 of 19 hours, until they have become as few.
    expect(new Set(asked(pool).slice(30))).toEqual(new Set(['openrouter']));
    await pool.trace(5);
    expect(asked(pool).slice(50)).toEqual(Array.from({ length: 5 }, () => 'google'));
  });

  it('spends quota that would otherwise expire at midnight', async () => {
    const midnightInCalifornia = Date.UTC(2026, 9, 11, 7);
    const pool = simulatedPool({ startAt: midnightInCalifornia - 10 * MINUTE, openrouter: {}, google: {} });
    await pool.trace(5);
    expect(new Set(asked(pool))).toEqual(new Set(['google']));
    await pool.clock.advance(11 * MINUTE);
    await pool.trace(5);
    expect(new Set(asked(pool).slice(5))).toEqual(new Set(['openrouter']));
  });

  it('spreads calls over accounts and models, so that a burst fits', async () => {
    const pool = simulatedPool({
      google: { accounts: [['g-1'], ['g-2']], models: ['gemini-3.8-flash', 'gemini-3.6-flash'] },
    });
    await pool.trace(8);
    const uses = new Map<string, number>();
    for (const route of pool.routes()) uses.set(route, (uses.get(route) ?? 0) + 1);
    expect([...uses.values()]).toEqual([2, 2, 2, 2]);
  });
});

describe('latency', () => {
  it('tries each provider once, then the faster one while it stays faster', async () => {
    const pool = simulatedPool({
      strategy: 'latency',
      nim: { ...AMPLE, latencyMs: 900 },
      custom: { ...AMPLE, latencyMs: 300 },
    });
    await pool.trace(10);
    expect(asked(pool)).toEqual(['nim', 'custom', ...Array.from({ length: 8 }, () => 'custom')]);
    pool.world.custom.script({ kind: 'slow', delayMs: 3 * SECOND });
    await pool.trace(4);
    expect(asked(pool).slice(10)).toEqual(['custom', 'nim', 'nim', 'nim']);
  });

  it('falls back to the next provider if the faster one fails', async () => {
    const pool = simulatedPool({ strategy: 'latency', nim: { latencyMs: 900 }, custom: { latencyMs: 300 } });
    await pool.trace(2);
    pool.world.custom.script({ kind: 'reset', times: 1 });
    await pool.trace(1);
    expect(asked(pool).slice(2)).toEqual(['custom', 'nim']);
  });
});

describe('a function', () => {
  it("receives the providers' scores and decides their order", async () => {
    const told: { turn: number; scores: readonly ProviderScore[] }[] = [];
    const pool = simulatedPool({
      openrouter: { priority: 7 },
      nim: { latencyMs: 250 },
      custom: {},
      strategy: (scores, turn) => {
        told.push({ turn, scores });
        return scores.toSorted((a, b) => b.index - a.index);
      },
    });
    await pool.trace(1);
    pool.world.custom.script({ kind: 'reset' });
    await pool.trace(2);
    expect(asked(pool)).toEqual(['custom', 'custom', 'nim', 'custom', 'nim']);
    expect(told[0]).toMatchObject({
      turn: 0,
      scores: [
        { name: 'openrouter', index: 0, priority: 7, latencyMs: undefined, minuteUse: 0 },
        { name: 'nim', index: 1, priority: 0, price: 0 },
        { name: 'custom', index: 2, priority: 0, price: 0 },
      ],
    });
    expect(told[0]?.scores[0]?.price).toBeGreaterThan(0);
    expect(told.at(-1)?.scores).toMatchObject([
      { name: 'openrouter' },
      { name: 'nim', latencyMs: 250, minuteUse: 1 / 30 },
    ]);
  });

  it('only orders: providers that it leaves out come last, and are still used if no other is left', async () => {
    const pool = simulatedPool({
      nim: {},
      custom: { faults: [{ kind: 'reset' }] },
      strategy: (scores) => scores.filter(({ name }) => name === 'custom'),
    });
    expect(await pool.trace(1)).toEqual([`${KEY.custom} custom-large → ${KEY.nim} z-ai/glm-5.3`]);
  });
});
