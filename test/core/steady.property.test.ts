/** Until when the answer of a guard stays the same: nothing that is remembered may outlive it. */

import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import {
  breakerAvoidUntil,
  breakerReadyAt,
  breakerSteadyUntil,
  type CircuitBreaker,
} from '../../src/core/circuit-breaker.ts';
import { EMPTY_ACCOUNT, limitUse } from '../../src/core/records/account.ts';
import { type Limit, windowOf } from '../../src/core/limits/limit.ts';
import type { LimiterState, Spent } from '../../src/core/limits/state.ts';
import { readyAtOf, steadyUntil, usualReadyAt } from '../../src/core/limits/window.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/time.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');

/** A moment near `NOW`, on a scale from a millisecond to a day, in the past or the future. */
const moment = fc
  .tuple(
    fc.constantFrom(0, 1, SECOND_MS, 10 * SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS, 2 * DAY_MS),
    fc.integer({ min: -1000, max: 1000 }),
    fc.boolean(),
  )
  .map(
    ([scale, part, isExact]) => NOW + (isExact ? Math.sign(part) * scale : Math.round((part / 1000) * scale)),
  );
const past = moment.map((at) => NOW - Math.abs(at - NOW));
const future = moment.map((at) => NOW + Math.abs(at - NOW));
const mostlyPast = fc.oneof({ weight: 9, arbitrary: past }, { weight: 1, arbitrary: future });

const limits: fc.Arbitrary<Limit> = fc
  .tuple(
    fc.constantFrom(SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS),
    fc.constantFrom(
      'sliding-window' as const,
      'sliding-window' as const,
      'token-bucket' as const,
      'fixed-window' as const,
      'daily' as const,
    ),
    fc.constantFrom(1, 3, 6, 30),
    fc.boolean(),
  )
  .map(([windowMs, kind, max, assumed]) => ({
    id: 'rpm',
    kind,
    unit: 'requests',
    per: 'account',
    max,
    windowMs,
    marginMs: 250,
    timeZone: 'UTC',
    assumed,
  }));

const learnt = fc.record(
  {
    max: fc.integer({ min: 1, max: 8 }),
    at: mostlyPast,
    run: fc.integer({ min: -2, max: 3 }),
    stated: fc.constant(true as const),
  },
  { requiredKeys: ['max', 'at'] },
);

/** States of a limit; mostly what was spent returns within its window. */
function limiterFor(limit: Limit): fc.Arbitrary<LimiterState> {
  const returnsAt = fc.oneof(
    { weight: 20, arbitrary: fc.nat(windowOf(limit)).map((ms) => NOW + ms) },
    { weight: 1, arbitrary: future },
  );
  return fc.record(
    {
      spent: fc
        .array(fc.tuple(returnsAt, fc.constantFrom(1, 1, 1, 2, 9)), { maxLength: 8 })
        .map((list): readonly Spent[] => [...new Map(list)].toSorted(([one], [other]) => one - other)),
      fullAt: returnsAt,
      full: fc.record({ since: mostlyPast, until: moment }),
      learnt,
      pace: fc.record(
        {
          at: mostlyPast,
          since: moment,
          sent: fc.nat(6),
          served: fc.nat(4),
          shown: fc.record({
            max: fc.integer({ min: 1, max: 4 }),
            spanMs: fc.constantFrom(SECOND_MS, 5 * SECOND_MS),
            usedUp: fc.nat(20),
          }),
        },
        { requiredKeys: ['at', 'since', 'sent', 'served'] },
      ),
      tried: fc.record({ at: mostlyPast, from: fc.integer({ min: 1, max: 30 }) }),
      doubt: fc.record({ max: fc.integer({ min: 1, max: 20 }), model: fc.constant('m'), at: mostlyPast }),
    },
    { requiredKeys: ['spent'] },
  );
}

const states = limits.chain((limit) => fc.tuple(fc.constant(limit), limiterFor(limit)));

const breakers: fc.Arbitrary<CircuitBreaker> = fc
  .record({
    isOpen: fc.boolean(),
    at: mostlyPast,
    moment,
    avoidUntil: fc.option(moment, { nil: undefined }),
    failures: fc.nat(3),
  })
  .map(({ isOpen, at, moment: until, avoidUntil, failures }) => ({
    ...(isOpen ? { state: 'open', until } : { state: 'half-open', probeUntil: until }),
    at,
    ...(avoidUntil === undefined ? {} : { avoidUntil }),
    failures,
    failureRate: 0.1,
    trips: 1,
    generation: 1,
    reason: 'server_error',
  }));

/** Moments from `NOW` on and before `until`: just after now, just before the end, and between. */
function momentsBefore(until: number, parts: readonly number[]): readonly number[] {
  const lengthMs = Math.min(until - NOW, 3 * DAY_MS);
  return [NOW + 1, NOW + lengthMs - 1, ...parts.map((part) => NOW + Math.floor(part * lengthMs))].filter(
    (at) => at >= NOW && at < until,
  );
}

const parts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 });

/** What may be remembered of a limit: its moments if they lie ahead, and how much of it is used. */
function known(limiter: LimiterState, limit: Limit, cost: number, at: number): unknown {
  const ahead = (readyAt: number): number => (readyAt > at ? readyAt : 0);
  const record = { ...EMPTY_ACCOUNT, limiters: { [limit.id]: limiter } };
  return {
    readyAt: ahead(readyAtOf(limiter, limit, cost, at)),
    usual: ahead(usualReadyAt(limiter, limit, cost, at)),
    // A token bucket refills at any moment.
    use: limit.kind === 'token-bucket' ? undefined : limitUse(record, limit, 'm', at),
  };
}

describe('the answer of a guard stays the same for as long as is said', () => {
  it('of a limit', () => {
    const seen = { open: 0, closed: 0 };
    fc.assert(
      fc.property(states, fc.constantFrom(1, 2, 5), parts, ([limit, limiter], cost, shares) => {
        const readyAt = readyAtOf(limiter, limit, cost, NOW);
        const isClosed = readyAt > NOW;
        const steady = steadyUntil(limiter, limit, NOW);
        const until = isClosed ? Math.min(readyAt, steady) : steady;
        if (until <= NOW) return;
        seen[isClosed ? 'closed' : 'open'] += 1;
        const before = known(limiter, limit, cost, NOW);
        for (const at of momentsBefore(until, shares))
          expect(known(limiter, limit, cost, at)).toEqual(before);
      }),
      { numRuns: 10_000 },
    );
    expect(Math.min(seen.open, seen.closed)).toBeGreaterThan(300);
  });

  const PER_MINUTE: Limit = {
    id: 'rpm',
    kind: 'sliding-window',
    unit: 'requests',
    per: 'account',
    max: 3,
    windowMs: MINUTE_MS,
    marginMs: 250,
  };
  const IN_TEN_SECONDS = NOW + 10 * SECOND_MS;

  it.each<{ what: string; limit: Limit; limiter: LimiterState }>([
    {
      what: 'a learnt limit is probed',
      limit: PER_MINUTE,
      limiter: {
        spent: [[NOW + 30 * SECOND_MS, 2]],
        learnt: { max: 2, at: IN_TEN_SECONDS - 22.5 * MINUTE_MS },
      },
    },
    {
      what: 'the quota that returns is what a try lacks until it grows',
      limit: { ...PER_MINUTE, max: 16, assumed: true },
      limiter: {
        spent: [
          [IN_TEN_SECONDS, 8],
          [NOW + 30 * SECOND_MS, 19],
        ],
        learnt: { max: 16, at: NOW - HOUR_MS, run: 2 },
        tried: { at: IN_TEN_SECONDS - SECOND_MS / 2, from: 16 },
      },
    },
  ])('of a limit, until $what', ({ limit, limiter }) => {
    const now = IN_TEN_SECONDS - 1;
    const before = readyAtOf(limiter, limit, 1, now);
    expect(before).toBe(NOW + 30 * SECOND_MS);
    expect(readyAtOf(limiter, limit, 1, IN_TEN_SECONDS)).toBeLessThan(before);
    expect(steadyUntil(limiter, limit, now)).toBe(IN_TEN_SECONDS);
  });

  it('of a circuit breaker', () => {
    fc.assert(
      fc.property(breakers, parts, (breaker, shares) => {
        const until = breakerSteadyUntil(breaker, NOW);
        for (const at of momentsBefore(until, shares)) {
          expect(breakerReadyAt(breaker, at) > at).toBe(breakerReadyAt(breaker, NOW) > NOW);
          expect(breakerAvoidUntil(breaker, at) > at).toBe(breakerAvoidUntil(breaker, NOW) > NOW);
          if (breakerReadyAt(breaker, NOW) > NOW)
            expect(breakerReadyAt(breaker, at)).toBe(breakerReadyAt(breaker, NOW));
        }
      }),
      { numRuns: 3000 },
    );
  });
});
