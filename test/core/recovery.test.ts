import { describe, expect, it } from 'vitest';
import { raised } from '../../src/core/limits/learning.ts';
import type { Meter } from '../../src/core/limits/limit.ts';
import { expend, readyAtOf, type TokenBucket } from '../../src/core/limits/window.ts';
import { MINUTE } from './pool-world.ts';

const NOW = 1_790_000_000_000;
const LATENCY_MS = 100;

/** Requests of the last five of `minutes` minutes in which every request is served, and one follows the other. */
function servedAtLast(meter: Meter, learnt: number, minutes: number): number {
  let bucket: TokenBucket = { spent: [], learnt: { limit: learnt, at: NOW } };
  const end = NOW + minutes * MINUTE;
  let served = 0;
  for (let now = NOW; now < end; now += LATENCY_MS) {
    now = Math.max(now, readyAtOf(bucket, meter, 1, now));
    const taken = expend(bucket, meter, { name: meter.id, cost: 1, now });
    bucket = taken.expense.probes ? raised(taken.bucket, taken.expense, now + LATENCY_MS) : taken.bucket;
    if (now >= end - 5 * MINUTE) served += 1;
  }
  return served;
}

describe('a limit that was learnt too low', () => {
  it.each([
    [5, 1],
    [30, 1],
    [60, 40],
    [100, 5],
    [300, 1],
    [300, 100],
    [500, 499],
  ])('of %i a minute and learnt as %i is used in full again within an hour', (limit, learnt) => {
    const meter: Meter = {
      id: 'rpm',
      kind: 'token-bucket',
      unit: 'requests',
      per: 'account',
      limit,
      windowMs: MINUTE,
      marginMs: 250,
    };
    expect(servedAtLast(meter, learnt, 60)).toBeGreaterThanOrEqual(0.95 * 5 * limit);
    expect(servedAtLast(meter, learnt, 60)).toBeLessThanOrEqual(6 * limit);
  });
});
