import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import {
  type SimulatedPool,
  simulatedPool,
  HOUR,
  laterStore,
  MINUTE,
  SECOND,
} from '../support/simulated-pool.ts';
import { seededRandom } from '../support/seeded-random.ts';

/** How a crowd of calls comes, and what it meets. */
interface Crowd {
  readonly seed: number;
  readonly rpm: number;
  readonly accounts: number;
  /** The calls come within this time. */
  readonly withinMs: number;
  /** An answer takes up to so long. */
  readonly latencyMs: number;
  /** The share of requests that the provider spoils, counting them. */
  readonly spoilt: number;
  /** The share of calls that their callers abort. */
  readonly aborted: number;
  readonly store: 'at once' | 'later';
}

const crowds: fc.Arbitrary<Crowd> = fc.record({
  seed: fc.nat(),
  rpm: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 121, max: 400 })),
  accounts: fc.integer({ min: 1, max: 3 }),
  withinMs: fc.constantFrom(0, SECOND, MINUTE, 5 * MINUTE),
  latencyMs: fc.constantFrom(0, 900, 20 * SECOND),
  spoilt: fc.constantFrom(0, 0.2),
  aborted: fc.constantFrom(0, 0.2),
  store: fc.constantFrom('at once' as const, 'later' as const),
});

const CALLS = 1000;

/** A pool that meets the crowd: limits as the provider has them, a road that takes up to a quarter of a second. */
function poolFor({ seed, rpm, accounts, latencyMs, spoilt, store }: Crowd): SimulatedPool {
  const random = seededRandom(seed);
  const memory = memoryStore();
  const pool = simulatedPool({
    maxAttempts: 50,
    custom: {
      accounts: Array.from({ length: accounts }, (_, index) => [`key-${index}`]),
      rpm,
      limits: { rpm },
      faults: [
        { kind: 'server-error', share: spoilt },
        { kind: 'slow', delayMs: latencyMs, share: 0.5 },
      ],
    },
    nim: { rpm: 30 },
    store: store === 'at once' ? memory : laterStore(memory, () => Promise.resolve()),
  });
  pool.transport.network = { delayMs: () => Math.floor(random() * 240) };
  return pool;
}

/** One call of the crowd: comes at some moment, and is perhaps given up at some later one. */
async function visit(pool: SimulatedPool, crowd: Crowd, random: () => number): Promise<void> {
  const { clock, llm } = pool;
  const controller = new AbortController();
  const comesAfter = random() * crowd.withinMs;
  const leaves = random() < crowd.aborted ? random() * MINUTE : undefined;
  const wait = random() < 0.9;
  await new Promise<void>((resolve) => {
    clock.after(comesAfter, resolve);
  });
  const cancel = leaves === undefined ? undefined : clock.after(leaves, () => controller.abort());
  try {
    await llm.chat('Hello', { wait, maxWaitMs: HOUR, timeoutMs: HOUR, signal: controller.signal });
  } catch {
    // Whether it was served is not the question here.
  }
  cancel?.();
}

/** The most requests that arrived within any span of so many milliseconds. */
function mostWithin(moments: readonly number[], spanMs: number): number {
  let most = 0;
  let first = 0;
  for (const [index, moment] of moments.entries()) {
    while ((moments[first] ?? 0) <= moment - spanMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

describe('for any interleaving of 1,000 concurrent calls', () => {
  it('no limit is exceeded in any 60 seconds at the provider', async () => {
    await fc.assert(
      fc.asyncProperty(crowds, async (crowd) => {
        const pool = poolFor(crowd);
        const random = seededRandom(crowd.seed + 1);
        await pool.run(Promise.all(Array.from({ length: CALLS }, () => visit(pool, crowd, random))));
        for (const key of new Set(pool.transport.sent.map((sent) => sent.key))) {
          const sent = pool.transport.sent.filter((one) => one.key === key);
          const limit = sent[0]?.provider === 'nim' ? 30 : crowd.rpm;
          expect(
            mostWithin(
              sent.map(({ at }) => at),
              MINUTE,
            ),
          ).toBeLessThanOrEqual(limit);
        }
        expect(pool.world.counts.causes).not.toHaveProperty('minute-limit');
        expect(pool.transport.open).toBe(0);
        expect(pool.clock.pending).toBe(0);
      }),
      { numRuns: 3 },
    );
  });
});
