import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/testing.ts';
import {
  type SimulatedPool,
  simulatedPool,
  type ProviderSetup,
  DAY,
  HOUR,
  MINUTE,
  SECOND,
} from '../support/simulated-pool.ts';

/** As much as a test can ask for, so that no limit is met. */
const AMPLE = { rpm: 100_000, limits: { rpm: 100_000 } };
const LONG = { timeoutMs: HOUR, attemptTimeoutMs: HOUR };

/** Two accounts, the first with two keys, and two models, in front of a provider that always works. */
function pool(faults: readonly Fault[], more: ProviderSetup = {}): SimulatedPool {
  return simulatedPool({
    strategy: 'priority',
    custom: {
      accounts: [['k1', 'k2'], ['k3']],
      models: ['first', 'second'],
      faults,
      ...AMPLE,
      ...more,
    },
    nim: { accounts: [['other']], models: ['m/other'], ...AMPLE },
  });
}

describe('a refusal of one model is remembered for that model', () => {
  it.each(['quota_aware', 'priority', 'round_robin', 'latency'] as const)(
    'twelve calls in a row waste one upstream call under the strategy %s',
    async (strategy) => {
      const { trace, world } = simulatedPool({
        strategy,
        openrouter: {
          accounts: [['or-1'], ['or-2']],
          models: ['m/busy:free', 'm/idle:free'],
          faults: [{ kind: 'congested', model: 'm/busy:free' }],
        },
      });
      await trace(12);
      expect(world.counts).toMatchObject({ total: 13, served: 12, causes: { congested: 1 } });
    },
  );

  it('until the moment that the provider reports, else for a growing cooldown', async () => {
    const { trace, clock, world } = pool(
      [{ kind: 'congested', model: 'first', retryAfterMs: 7 * SECOND, times: 1 }],
      { accounts: [['k1']] },
    );
    expect(await trace(2)).toEqual(['k1 first → other m/other', 'k1 second']);
    await clock.advance(7 * SECOND);
    expect(await trace(1)).toEqual(['k1 first']);
    world.custom.script({ kind: 'congested', model: 'first' });
    for (const cooldown of [30, 60, 120, 240, 480, 600, 600]) {
      expect(await trace(2)).toEqual(['k1 first → other m/other', 'k1 second']);
      await clock.advance(cooldown * SECOND - 1);
      expect(await trace(1)).toEqual(['k1 second']);
      await clock.advance(1);
    }
  });
});

describe('an outage', () => {
  it('is detected once, not once for each key', async () => {
    const accounts = Array.from({ length: 20 }, (_, index) => [`k${index}`]);
    const { trace, world } = pool([{ kind: 'outage' }], { accounts });
    await trace(40);
    expect(world.custom.counts.total).toBe(3);
    expect(world.nim.counts.served).toBe(40);
  });

  it('is probed after a doubling cooldown, and ends when the provider answers', async () => {
    const { trace, clock, llm, world } = pool([{ kind: 'outage' }]);
    await trace(2);
    for (const cooldown of [15, 30, 60, 120]) {
      expect(await trace(1)).toEqual([expect.stringMatching(/^k\d first → other m\/other$/)]);
      expect(llm.health()[0]).toMatchObject({ ready: false, breaker: 'open' });
      await clock.advance(cooldown * SECOND - 1);
      expect(await trace(1)).toEqual(['other m/other']);
      await clock.advance(1);
      expect(llm.health()[0]).toMatchObject({ ready: true, breaker: 'half-open' });
    }
    world.custom.clear();
    expect(await trace(1)).toEqual(['k1 first']);
    expect(llm.health()[0]).toMatchObject({ ready: true, breaker: 'closed' });
  });

  it('is probed sooner, at growing intervals up to a minute, by calls that have no other route', async () => {
    const { clock, fails, llm, world } = simulatedPool({
      custom: { faults: [{ kind: 'outage' }], ...AMPLE },
    });
    const askedAt: number[] = [];
    for (let second = 0; second < 300; second += 0.5) {
      const before = world.custom.counts.total;
      await fails(llm.chat('Hello', { maxAttempts: 1 }));
      if (world.custom.counts.total > before) askedAt.push(second);
      await clock.advance(SECOND / 2);
    }
    expect(askedAt).toEqual([0, 0.5, 1, 9, 39, 99, 159, 219, 279]);
  });
});

describe('half-open admits one probe among 1,000 concurrent calls', () => {
  interface Case {
    readonly scope: string;
    readonly fault: Fault;
    readonly strikes: number;
    readonly coolsMs: number;
    /** Requests that would meet the failure again. */
    readonly risks: (key: string, model: string) => boolean;
  }
  const cases: readonly Case[] = [
    {
      scope: 'a provider',
      fault: { kind: 'reset' },
      strikes: 3,
      coolsMs: 15 * SECOND,
      risks: (key) => key !== 'other',
    },
    {
      scope: 'a model',
      fault: { kind: 'congested', model: 'first' },
      strikes: 1,
      coolsMs: 30 * SECOND,
      risks: (_, model) => model === 'first',
    },
    {
      scope: 'an account',
      fault: { kind: 'out-of-credits', account: 'account-0' },
      strikes: 1,
      coolsMs: 4 * HOUR,
      risks: (key) => key === 'k1' || key === 'k2',
    },
    {
      scope: 'a key',
      fault: { kind: 'unauthorized', key: 'k1' },
      strikes: 1,
      coolsMs: DAY,
      risks: (key) => key === 'k1',
    },
  ];

  it.each(cases)('of $scope', async ({ fault, strikes, coolsMs, risks }) => {
    const { trace, clock, llm, run, transport, world } = pool([fault], { latencyMs: 2 * SECOND });
    const atRisk = (): number => transport.sent.filter(({ key, model }) => risks(key, model)).length;
    const crowd = async (size = 1000): Promise<void> => {
      await run(Promise.all(Array.from({ length: size }, () => llm.text('Hello'))));
    };
    await trace(strikes);
    const before = atRisk();
    await crowd(100);
    expect(atRisk()).toBe(before);
    await clock.advance(coolsMs);
    await crowd();
    expect(atRisk()).toBe(before + 1);
    world.custom.clear();
    await clock.advance(2 * coolsMs);
    await crowd();
    expect(atRisk()).toBe(before + 2);
    await crowd(300);
    expect(atRisk()).toBeGreaterThan(before + 50);
  });

  it('and another one at once if the caller aborts the first', async () => {
    const { trace, clock, llm, fails, world } = pool([{ kind: 'reset' }], { latencyMs: 2 * SECOND });
    await trace(3);
    world.custom.clear();
    await clock.advance(15 * SECOND);
    const { signal, abort } = abortable();
    const probe = llm.text('Hello', { signal });
    await clock.advance(SECOND);
    expect(await trace(1)).toEqual(['other m/other']);
    abort();
    await fails(probe);
    expect(await trace(1)).toEqual(['k1 first']);
  });
});

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    abort: () => {
      controller.abort();
    },
  };
}

describe('a late result from an earlier generation changes nothing', () => {
  it('failures do not open a breaker that has closed in the meantime', async () => {
    const { trace, clock, llm, run, world } = pool([
      { kind: 'slow', delayMs: MINUTE, times: 3 },
      { kind: 'reset', times: 6 },
    ]);
    const late = Promise.all(Array.from({ length: 3 }, () => llm.chat('Hello', LONG)));
    await clock.advance(SECOND);
    await trace(3, LONG);
    expect(llm.health()[0]).toMatchObject({ breaker: 'open' });
    await clock.advance(15 * SECOND);
    expect(await trace(1, LONG)).toEqual(['k1 first']);
    expect(llm.health()[0]).toMatchObject({ breaker: 'closed' });
    for (const { attempts } of await run(late))
      expect(attempts).toMatchObject([{ outcome: 'network' }, { outcome: 'success' }]);
    expect(llm.health()[0]).toMatchObject({ breaker: 'closed', ready: true });
    world.custom.script({ kind: 'reset', times: 2 });
    await trace(2, LONG);
    expect(llm.health()[0]).toMatchObject({ breaker: 'closed' });
  });

  it('a success does not close a breaker that has opened in the meantime', async () => {
    const { trace, clock, llm, run } = pool([
      { kind: 'slow', delayMs: 5 * SECOND, times: 1 },
      { kind: 'reset', skip: 1 },
    ]);
    const late = llm.chat('Hello', LONG);
    await clock.advance(SECOND);
    await trace(3, LONG);
    const until = llm.health()[0]?.readyAt;
    expect((await run(late)).provider).toBe('custom');
    expect(llm.health()[0]).toMatchObject({ breaker: 'open', ready: false, readyAt: until });
  });
});

/** A story with a dead key, a busy model, an outage and a recovery. */
async function story(look: (pool: SimulatedPool) => void): Promise<readonly string[]> {
  const here = pool([
    { kind: 'unauthorized', key: 'k1' },
    { kind: 'congested', model: 'first', skip: 2, times: 1 },
  ]);
  const ways: string[] = [];
  for (let step = 0; step < 60; step += 1) {
    if (step === 10) here.world.custom.script({ kind: 'reset', times: 4 });
    look(here);
    ways.push(...(await here.trace(1)));
    look(here);
    await here.clock.advance(3 * SECOND);
  }
  return [...ways, JSON.stringify([here.llm.health(), here.llm.capacity(), here.llm.explain()])];
}

describe('reading the state changes nothing', () => {
  it('health(), capacity() and explain() send and change nothing', async () => {
    const unseen = await story(() => undefined);
    const seen = await story(({ llm }) => {
      for (let times = 0; times < 3; times += 1) {
        const looks = JSON.stringify([llm.health(), llm.capacity(), llm.explain()]);
        expect(JSON.stringify([llm.health(), llm.capacity(), llm.explain()])).toBe(looks);
      }
    });
    expect(seen).toEqual(unseen);
  });
});
