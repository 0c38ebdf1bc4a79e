import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { horizonMs, type Limit, MAX_DELAY_MS, returnsAt } from '../../src/core/limits/limit.ts';
import { EMPTY_LIMITER, type LimiterState, withFull } from '../../src/core/limits/state.ts';
import { charge, readyAtOf } from '../../src/core/limits/window.ts';
import { nextMidnight } from '../../src/core/limits/calendar.ts';
import { DAY, MINUTE } from './pool-world.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const base = {
  id: fc.constant('m'),
  unit: fc.constant('requests' as const),
  per: fc.constant('account' as const),
};

const limits: fc.Arbitrary<Limit> = fc.oneof(
  fc.record({
    ...base,
    kind: fc.constant('sliding-window' as const),
    max: fc.integer({ min: 1, max: 300 }),
    windowMs: fc.constantFrom(MINUTE, 7777),
    marginMs: fc.constantFrom(0, 250),
  }),
  fc.record({
    ...base,
    kind: fc.constant('fixed-window' as const),
    max: fc.integer({ min: 1, max: 30 }),
    marginMs: fc.constantFrom(0, 250),
  }),
  fc.record({
    ...base,
    kind: fc.constant('daily' as const),
    max: fc.integer({ min: 1, max: 30 }),
    marginMs: fc.constantFrom(0, 1000),
    timeZone: fc.constantFrom('UTC', 'America/Los_Angeles'),
  }),
);

function taken(limit: Limit, limiter: LimiterState, now: number): LimiterState {
  return charge(limiter, limit, limit.id, 1, now).limiter;
}

function readyAt(limit: Limit, limiter: LimiterState, now: number): number {
  return readyAtOf(limiter, limit, 1, now);
}

/** Moves on in the new time as a caller does who takes whatever is admitted; gives the longest wait. */
function longestWait(limit: Limit, limiter: LimiterState, from: number, until: number): number {
  let longest = 0;
  let now = from;
  let blockedSince: number | undefined;
  let state = limiter;
  while (now < until) {
    const moment = readyAt(limit, state, now);
    if (moment > now) {
      blockedSince ??= now;
      now = moment;
      continue;
    }
    if (blockedSince !== undefined) longest = Math.max(longest, now - blockedSince);
    blockedSince = undefined;
    state = taken(limit, state, now);
  }
  return blockedSince === undefined ? longest : Math.max(longest, now - blockedSince);
}

describe('a clock that is set back by any amount', () => {
  const backs = fc.oneof(fc.nat(1000), fc.nat(5 * MINUTE), fc.nat(3 * DAY), fc.nat(20 * 365 * DAY));
  const fills = fc.option(fc.double({ min: 0.01, max: 1, noNaN: true }), { nil: undefined });

  it('blocks a limit for no more than about three of its windows of the new time', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.nat(60_000), { maxLength: 300 }),
        backs,
        fills,
        (limit, pauses, back, word) => {
          const window = horizonMs(limit);
          let now = NOW;
          let limiter = EMPTY_LIMITER;
          for (const ms of pauses) {
            now += ms / 10;
            if (readyAt(limit, limiter, now) <= now) limiter = taken(limit, limiter, now);
          }
          if (word !== undefined) limiter = withFull(limiter, now + word * window, now);
          const setBack = now - back;
          // As far as the moments of the old time reach, or, where that is years away, a few windows.
          const until = Math.min(now + 2 * window, setBack + 6 * window);
          // One window of the new time, one of what was spent in the old time, and one that the provider reported in it.
          expect(longestWait(limit, limiter, setBack, until)).toBeLessThanOrEqual(3 * window);
        },
      ),
      { numRuns: 200, endOnFailure: true },
    );
  });

  it('has no effect once it has passed', () => {
    fc.assert(
      fc.property(limits, backs, (limit, back) => {
        let limiter = EMPTY_LIMITER;
        for (let count = 0; count < limit.max; count += 1) {
          limiter = taken(limit, limiter, NOW);
        }
        expect(readyAt(limit, limiter, NOW - back)).toBeLessThanOrEqual(returnsAt(limit, NOW));
        expect(readyAt(limit, limiter, returnsAt(limit, NOW))).toBeLessThanOrEqual(returnsAt(limit, NOW));
      }),
    );
  });
});

describe('a stored moment', () => {
  it('is never further off than the horizon of its limit', () => {
    fc.assert(
      fc.property(limits, fc.nat(400 * DAY), (limit, ms) => {
        const now = NOW + ms;
        expect(returnsAt(limit, now)).toBeGreaterThan(now);
        expect(returnsAt(limit, now + MAX_DELAY_MS)).toBeLessThanOrEqual(now + horizonMs(limit));
      }),
    );
  });
});

function dateOf(timeZone: string, at: number): string {
  return new Intl.DateTimeFormat('en-US', { timeZone, dateStyle: 'long' }).format(at);
}

describe('the next midnight', () => {
  const zones = fc.constantFrom(
    'UTC',
    'America/Los_Angeles',
    'America/New_York',
    'Asia/Kolkata',
    'Pacific/Auckland',
    'Australia/Lord_Howe',
    'America/Santiago',
    'Pacific/Kiritimati',
  );

  it('is the first millisecond of another date, less than 26 hours away, in every zone, whatever was asked before', () => {
    fc.assert(
      fc.property(zones, fc.nat(3 * 365 * DAY), (timeZone, ms) => {
        const at = NOW - 365 * DAY + ms;
        const midnight = nextMidnight(timeZone, at);
        expect(midnight).toBeGreaterThan(at);
        expect(midnight - at).toBeLessThanOrEqual(26 * 60 * MINUTE);
        expect(dateOf(timeZone, midnight - 1)).toBe(dateOf(timeZone, at));
        expect(dateOf(timeZone, midnight)).not.toBe(dateOf(timeZone, at));
      }),
      { numRuns: 300 },
    );
  });

  it('fails for a time zone that does not exist', () => {
    expect(() => nextMidnight('Nowhere/Land', NOW)).toThrow(RangeError);
  });
});
