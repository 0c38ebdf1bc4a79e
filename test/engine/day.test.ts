import { describe, expect, it } from 'vitest';
import { FreeLLM, GoogleAIStudio, NIM, OpenRouter } from '../../src/index.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { inProcessFetch, SimulatedWorld, VirtualClock, type WorldOptions } from '../../src/testing.ts';
import { DAY, HOUR, MINUTE, NOON, SECOND } from '../support/simulated-pool.ts';
import { seededRandom } from '../support/seeded-random.ts';

interface Day {
  readonly world: SimulatedWorld;
  readonly calls: number;
  readonly served: number;
  /** The longest that any call took, in milliseconds. */
  readonly longestMs: number;
  /** How many timers were left in the end. */
  readonly timers: number;
}

/** A day of an app that asks at random moments, over its own `fetch`, with what `freelm` does by itself. */
async function day(options: WorldOptions, meanGapMs: number): Promise<Day> {
  const world = new SimulatedWorld({ seed: 3, ...options });
  const clock = new VirtualClock(NOON);
  const llm = new FreeLLM(
    {
      providers: [
        new OpenRouter(world.openrouter.keys),
        ...(world.google.keys.length > 0 ? [new GoogleAIStudio(world.google.keys)] : []),
        ...(world.nim.keys.length > 0 ? [new NIM(world.nim.keys)] : []),
      ],
      fetch: inProcessFetch(world, clock),
    },
    { clock, cache: memoryCache(), env: {} },
  );
  const random = seededRandom(42);
  let [calls, served, longestMs] = [0, 0, 0];
  const ask = async (): Promise<void> => {
    const startedAt = clock.now();
    calls += 1;
    await llm.text('Hello').then(
      () => (served += 1),
      () => undefined,
    );
    longestMs = Math.max(longestMs, clock.now() - startedAt);
  };
  const underWay: Promise<void>[] = [];
  const next = (): void => {
    if (clock.now() >= NOON + DAY) return;
    underWay.push(ask());
    clock.after(-Math.log(1 - random()) * meanGapMs, next);
  };
  next();
  await clock.advance(DAY + HOUR);
  await Promise.all(underWay);
  await llm.close();
  return { world, calls, served, longestMs, timers: clock.pending };
}

describe('a day of calls', () => {
  it('is served completely and without a refusal if nothing fails', async () => {
    const { world, calls, served, timers } = await day(
      { openrouter: { latencyMs: 900 }, google: { latencyMs: 500 }, nim: { latencyMs: 2 * SECOND } },
      2 * MINUTE,
    );
    expect(calls).toBeGreaterThan(600);
    expect(served).toBe(calls);
    expect(world.counts).toMatchObject({ total: calls, refused: 0 });
    expect(timers).toBe(0);
  });

  it('is served completely through outages, dead keys and busy models, with little waste', async () => {
    const { world, calls, served, longestMs } = await day(
      {
        openrouter: {
          latencyMs: 900,
          faults: [
            { kind: 'outage', from: NOON + 2 * HOUR, until: NOON + 4 * HOUR },
            { kind: 'congested', model: 'z-ai/*', share: 0.3 },
            { kind: 'retired', model: 'google/gemma-4-31b*', from: NOON + 8 * HOUR },
          ],
        },
        google: { keys: 3, latencyMs: 500, faults: [{ kind: 'server-error', share: 0.01 }] },
        nim: {
          latencyMs: 2 * SECOND,
          faults: [
            { kind: 'hang', from: NOON + 6 * HOUR, until: NOON + 7 * HOUR },
            {
              kind: 'congested',
              model: 'nvidia/nemotron-3-ultra*',
              from: NOON + 10 * HOUR,
              until: NOON + 16 * HOUR,
            },
            { kind: 'unauthorized', account: 'account-1', from: NOON + 12 * HOUR },
          ],
        },
      },
      3 * MINUTE,
    );
    expect(served).toBe(calls);
    const { causes, refused } = world.counts;
    expect(refused / calls).toBeLessThan(0.1);
    expect([causes['minute-limit'], causes['day-limit']]).toEqual([undefined, undefined]);
    expect(longestMs).toBeLessThan(MINUTE);
  });

  it('sends no more requests than the quota allows if there are more calls', async () => {
    const { world, calls, served } = await day(
      { openrouter: { keys: 1 }, google: { keys: 0 }, nim: { keys: 0 } },
      5 * MINUTE,
    );
    expect(calls).toBeGreaterThan(200);
    // From noon to noon: 50 before midnight UTC, 50 after it.
    expect(served).toBe(100);
    expect(world.counts).toMatchObject({ total: 100, refused: 0 });
  });
});
