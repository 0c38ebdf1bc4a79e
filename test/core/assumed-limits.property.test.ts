import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { withRefusal, withServedProbe } from '../../src/core/limits/learning.ts';
import { withReportedRefusal } from '../../src/core/limits/reported.ts';
import { EMPTY_LIMITER, type LimiterState } from '../../src/core/limits/state.ts';
import { charge, readyAtOf } from '../../src/core/limits/window.ts';
import type { Limit } from '../../src/core/limits/limit.ts';

const WINDOW_MS = 60_000;
/** An hour and ten minutes of them. */
const CALLS = 6000;
const START = 1_790_000_000_000;

function limitOf(max: number, more: Partial<Limit>): Limit {
  const kind = { id: 'rpm', kind: 'sliding-window', unit: 'requests', per: 'account' } as const;
  return { ...kind, windowMs: WINDOW_MS, marginMs: 250, max, ...more, kind: 'sliding-window' };
}

/** The most requests in any window. */
function mostOf(sent: readonly number[]): number {
  return Math.max(0, ...sent.map((at) => sent.filter((one) => one > at - WINDOW_MS && one <= at).length));
}

interface Played {
  readonly sent: readonly number[];
  readonly refused: number;
}

/** Calls come at the `gaps`, each is sent if it is ready, and the provider admits `truth` requests a minute. */
function play(limit: Limit, truth: number, gaps: readonly number[], states: boolean): Played {
  let limiter: LimiterState = EMPTY_LIMITER;
  const admitted: number[] = [];
  const sent: number[] = [];
  let now = START;
  for (const gap of gaps) {
    now += gap;
    if (readyAtOf(limiter, limit, 1, now) > now) continue;
    const taken = charge(limiter, limit, 'rpm', 1, now);
    sent.push(now);
    if (admitted.filter((at) => at > now - WINDOW_MS).length < truth) {
      admitted.push(now);
      limiter = taken.charge.probes ? withServedProbe(taken.limiter, taken.charge, now) : taken.limiter;
    } else if (states) limiter = withReportedRefusal(taken.limiter, taken.charge, limit, truth, now);
    else limiter = withRefusal(taken.limiter, taken.charge, false, now);
  }
  return { sent, refused: sent.length - admitted.length };
}

const gapsOf = (calls: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: calls, maxLength: calls });

describe('limits', () => {
  it('that the user states are never exceeded', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), gapsOf(400), (max, gaps) => {
        const limit = limitOf(max, { isOwn: true });
        expect(mostOf(play(limit, 1000, gaps, false).sent)).toBeLessThanOrEqual(max);
      }),
      { numRuns: 30 },
    );
  });

  it('that the provider states are not exceeded once it has said them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 60 }), gapsOf(400), (truth, gaps) => {
        // The one request that told the number.
        expect(play(limitOf(20, { assumed: true }), truth, gaps, true).refused).toBeLessThanOrEqual(1);
      }),
      { numRuns: 30 },
    );
  });

  it('that are assumed are found out, and asking for more wastes few requests', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 70 }), (truth) => {
        const gaps = Array.from({ length: CALLS }, () => 700);
        const { sent, refused } = play(limitOf(20, { assumed: true }), truth, gaps, false);
        const last = START + CALLS * 700;
        expect(sent.filter((at) => at > last - WINDOW_MS).length).toBeGreaterThanOrEqual(truth - 2);
        expect(refused).toBeLessThanOrEqual(16);
      }),
      { numRuns: 5 },
    );
  });
});
