import { describe, expect, it } from 'vitest';
import { isTooLate, nextDelayMs } from '../../src/core/ledger/delay.ts';
import { type Limit, returnsAt } from '../../src/core/limits/limit.ts';
import { EMPTY_LIMITER } from '../../src/core/limits/state.ts';
import { charge, postpone, readyAtOf, refund } from '../../src/core/limits/window.ts';
import fc from '../support/fast-check.ts';

const NOW = Date.UTC(2026, 9, 10, 12);
const BASE = { id: 'rpm', unit: 'requests', per: 'account', max: 1, marginMs: 250 } as const;
const LIMITS: readonly Limit[] = [
  { ...BASE, kind: 'sliding-window', windowMs: 60_000 },
  { ...BASE, kind: 'token-bucket', windowMs: 60_000 },
  { ...BASE, kind: 'fixed-window' },
  { ...BASE, kind: 'daily', timeZone: 'America/Los_Angeles' },
  { ...BASE, kind: 'monthly', timeZone: 'UTC' },
];

describe.each(LIMITS)('a charge of a $kind whose request is sent later', (limit) => {
  it('counts from now on, and until one that is made when the request is sent', () => {
    fc.assert(
      fc.property(fc.nat(31 * 86_400_000), fc.integer({ min: 1, max: 2500 }), (ms, delayMs) => {
        const now = NOW + ms;
        const taken = charge(EMPTY_LIMITER, limit, limit.id, 1, now);
        const { limiter } = postpone(taken.limiter, taken.charge, delayMs, now);
        const later = charge(EMPTY_LIMITER, limit, limit.id, 1, now + delayMs).limiter;
        const readyAt = readyAtOf(later, limit, 1, now + delayMs);
        expect(readyAtOf(limiter, limit, 1, now)).toBe(readyAt);
        expect(readyAtOf(limiter, limit, 1, now + delayMs)).toBe(readyAt);
      }),
    );
  });

  it('is refunded like any other', () => {
    const taken = charge(EMPTY_LIMITER, limit, limit.id, 1, NOW);
    const moved = postpone(taken.limiter, taken.charge, 2000, NOW);
    const refunded = refund(moved.limiter, moved.charge, NOW + 2000);
    expect(readyAtOf(refunded, limit, 1, NOW + 2000)).toBeLessThanOrEqual(NOW + 2000);
    expect(moved.charge.sentAt).toBe(NOW);
    expect(moved.charge.returnsAt).toBe(returnsAt(limit, NOW + 2000));
  });
});

describe('the delay to expect', () => {
  it.each<[expectedMs: number, delayMs: number, next: number, isLate: boolean]>([
    [0, 0, 0, false],
    [0, 50, 0, false],
    [0, 51, 77, true],
    [77, 51, 77, false],
    [77, 78, 117, true],
    [1000, 1, 900, false],
    [84, 1, 0, false],
    [0, 4000, 2500, true],
    [2500, 2500, 2500, false],
  ])('of %i ms becomes, after one of %i ms, %i ms; too late: %s', (expectedMs, delayMs, next, isLate) => {
    expect(nextDelayMs(expectedMs, delayMs)).toBe(next);
    expect(isTooLate(expectedMs, delayMs)).toBe(isLate);
  });
});
