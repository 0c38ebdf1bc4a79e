/** Processes that contend for one key, whatever their calls and the store's delays: what they reserve in advance is exact. spec 2.11 */

import { describe, expect, it } from 'vitest';
import type { FreeLLM, StateStore } from '../../src/index.ts';
import fc from '../support/fast-check.ts';
import { openStore } from '../support/open-store.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { HOUR, laterStore, MINUTE, SECOND, simulatedPool } from '../support/simulated-pool.ts';

interface Contest {
  readonly seed: number;
  readonly rpm: number;
  readonly processes: number;
  /** How many callers each process has, and how many calls each of them makes. */
  readonly callers: number;
  readonly calls: number;
  /** The longest pause of a caller between two calls. */
  readonly pauseMs: number;
  /** How long the store takes at most. */
  readonly storeMs: number;
  readonly latencyMs: number;
  readonly waits: boolean;
  /** The share of swaps at which some other process is faster. */
  readonly lost: number;
  /** The share of requests that fail. */
  readonly spoilt: number;
}

const contests: fc.Arbitrary<Contest> = fc.record({
  seed: fc.nat(),
  rpm: fc.integer({ min: 10, max: 150 }),
  processes: fc.integer({ min: 2, max: 4 }),
  callers: fc.integer({ min: 1, max: 3 }),
  calls: fc.integer({ min: 1, max: 10 }),
  pauseMs: fc.constantFrom(0, 100, 3 * SECOND),
  storeMs: fc.constantFrom(1, 5, 40),
  latencyMs: fc.constantFrom(0, 200, 2 * SECOND),
  waits: fc.boolean(),
  lost: fc.constantFrom(0, 0.3, 0.6),
  spoilt: fc.constantFrom(0, 0.1),
});

function mostInAMinute(moments: readonly number[]): number {
  return Math.max(
    0,
    ...moments.map((from) => moments.filter((at) => at >= from && at < from + MINUTE).length),
  );
}

let spares = 0;

async function run(contest: Contest): Promise<void> {
  const { seed, rpm, latencyMs, spoilt, waits } = contest;
  const random = seededRandom(seed);
  const open = openStore();
  const faults = [{ kind: 'server-error', share: spoilt }] as const;
  const contested: StateStore = {
    read: (ids) => open.read(ids),
    swap: (id, version, next) => (random() < contest.lost ? false : open.swap(id, version, next)),
  };
  const store: StateStore = {
    ...laterStore(
      contested,
      () => new Promise((done) => void pool.clock.after(random() * contest.storeMs, done)),
    ),
    pollMs: 250,
  };
  const pool = simulatedPool({ store, maxAttempts: 20, custom: { rpm, limits: { rpm }, latencyMs, faults } });
  const options = waits ? { wait: true, maxWaitMs: HOUR, timeoutMs: HOUR } : {};
  let served = 0;
  const caller = async (llm: FreeLLM): Promise<void> => {
    for (let call = 0; call < contest.calls; call += 1) {
      await new Promise<void>((done) => void pool.clock.after(random() * contest.pauseMs, done));
      await llm.chat('Hello', options).then(
        () => (served += 1),
        () => {},
      );
    }
  };
  const processes = Array.from({ length: contest.processes }, () => pool.sibling());
  const callers = processes.flatMap((llm) => Array.from({ length: contest.callers }, () => caller(llm)));
  await pool.run(Promise.all(callers));
  await pool.run(Promise.all(processes.map((llm) => llm.close())));
  const sent = pool.transport.sent.map(({ at }) => at);
  spares += open.spares();
  // Never beyond the limit, whoever sends.
  expect(pool.world.counts.causes).not.toHaveProperty('minute-limit');
  expect(mostInAMinute(sent)).toBeLessThanOrEqual(rpm);
  if (waits) expect(served).toBe(callers.length * contest.calls);
  // Granted and given back are all that was booked. What was reserved in advance returns up to a second and the delay later.
  const now = pool.clock.now();
  const since = (ms: number): number => sent.filter((at) => at > now - ms).length;
  expect(open.booked(now)).toBeGreaterThanOrEqual(since(MINUTE));
  expect(open.booked(now)).toBeLessThanOrEqual(since(MINUTE + 3 * SECOND));
}

describe('whatever processes contend for a key', () => {
  it('no request in advance is lost, used twice, or beyond the limit', async () => {
    await fc.assert(fc.asyncProperty(contests, run), { numRuns: 12 });
    expect(spares).toBeGreaterThan(20);
  }, 120_000);
});
