import { describe, expect, it } from 'vitest';
import { withServedProbe } from '../../src/core/limits/learning.ts';
import type { LimiterState } from '../../src/core/limits/state.ts';
import { charge, readyAtOf } from '../../src/core/limits/window.ts';
import type { Limit } from '../../src/core/limits/limit.ts';
import { MINUTE } from './pool-world.ts';

const NOW = 1_790_000_000_000;
const LATENCY_MS = 100;

/** Requests of the last five of `minutes` minutes in which every request is served, and one follows the other. */
function servedAtLast(limit: Limit, learnt: number, minutes: number): number {
  let limiter: LimiterState = { spent: [], learnt: { max: learnt, at: NOW } };
  const end = NOW + minutes * MINUTE;
  let served = 0;
  for (let now = NOW; now < end; now += LATENCY_MS) {
    now = Math.max(now, readyAtOf(limiter, limit, 1, now));
    const taken = charge(limiter, limit, limit.id, 1, now);
    limiter = taken.charge.probes
      ? withServedProbe(taken.limiter, taken.charge, now + LATENCY_MS)
      : taken.limiter;
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
  ])('of %i a minute and learnt as %i is used in full again within an hour', (max, learnt) => {
    const limit: Limit = {
      id: 'rpm',
      kind: 'sliding-window',
      unit: 'requests',
      per: 'account',
      max,
      windowMs: MINUTE,
      marginMs: 250,
    };
    const served = servedAtLast(limit, learnt, 60);
    expect(served).toBeGreaterThanOrEqual(0.95 * 5 * max);
    expect(served).toBeLessThanOrEqual(6 * max);
  });
});
