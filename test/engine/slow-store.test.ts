/** A store that takes long to write delays requests. The provider counts them from their arrival, so their quota must return later. */

import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import {
  DAY,
  HOUR,
  laterStore,
  MINUTE,
  NOON,
  simulatedPool,
  type SimulatedPool,
} from '../support/simulated-pool.ts';
import { seededRandom } from '../support/seeded-random.ts';

const PATIENT = { wait: true, maxWaitMs: HOUR, timeoutMs: DAY };
const RPM = 10;

type Speed = (now: number, random: number) => number;

/** A pool over a store whose operations take a time of their own each, in ms. */
function setUp(speed: Speed): SimulatedPool {
  const random = seededRandom(5);
  const pool: SimulatedPool = simulatedPool({
    store: laterStore(
      memoryStore(),
      () => new Promise((resolve) => void pool.clock.after(speed(pool.clock.now(), random()), resolve)),
    ),
    custom: { rpm: RPM, limits: { rpm: RPM }, latencyMs: 200 },
    maxAttempts: 40,
  });
  return pool;
}

/** The most requests that arrived in any minute. */
function mostInAMinute({ transport: { sent } }: SimulatedPool): number {
  return Math.max(
    ...sent.map(({ at }) => sent.filter((other) => other.at >= at && other.at < at + MINUTE).length),
  );
}

const isEvenMinute = (now: number): boolean => Math.floor((now - NOON) / MINUTE) % 2 === 0;

const SPEEDS: readonly (readonly [kind: string, speed: Speed])[] = [
  ['takes 20 ms', () => 20],
  ['takes half a second to a second', (_now, random) => 500 + random * 490],
  ['takes up to a second', (_now, random) => random * 990],
  ['is slow every other minute', (now) => (isEvenMinute(now) ? 900 : 1)],
  ['is slow now and then', (_now, random) => (random < 0.2 ? 900 : 1)],
];

describe.each(SPEEDS)('a store that %s', (_kind, speed) => {
  it('never lets two pools exceed the limit in any minute at the provider', async () => {
    const pool = setUp(speed);
    const other = pool.sibling();
    const results = await pool.run(
      Promise.allSettled(
        Array.from({ length: 3 * RPM }, () => [pool.llm, other])
          .flat()
          .map((llm) => llm.chat('Hello', PATIENT)),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(6 * RPM);
    expect(mostInAMinute(pool)).toBeLessThanOrEqual(RPM);
    expect(pool.world.counts.causes).not.toHaveProperty('minute-limit');
    expect(pool.events.filter(({ type }) => type === 'warning')).toEqual([]);
    expect(pool.clock.now()).toBeLessThan(NOON + 8 * MINUTE);
  });
});
