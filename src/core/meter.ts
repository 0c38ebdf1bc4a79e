/** One limit of a provider, and when what was spent of it comes back. */

import { nextMidnight } from './daily-quota.ts';

interface MeterBase {
  /** Unique among a tier's meters, e.g. `rpm`. */
  readonly id: string;
  readonly unit: 'requests' | 'tokens';
  /** Whom the limit counts: an account over all its models, or an account's use of one model. */
  readonly per: 'account' | 'account-model';
  readonly limit: number;
  /**
   * Allowance for the road and for clocks that disagree, in milliseconds: what is sent a window apart may
   * arrive less than a window apart.
   */
  readonly marginMs: number;
}

/** A minute meter: what was spent comes back one window after it was spent. */
export interface TokenBucketMeter extends MeterBase {
  readonly kind: 'token-bucket';
  readonly windowMs: number;
}

/** A fixed window that starts with each minute of the clock, for providers known to count so. */
export interface ClockMinuteMeter extends MeterBase {
  readonly kind: 'clock-minute';
}

/** A day meter: everything comes back at the provider's midnight. */
export interface DailyMeter extends MeterBase {
  readonly kind: 'daily';
  /** IANA name of the provider's time zone, e.g. `America/Los_Angeles`. */
  readonly timeZone: string;
}

export type Meter = TokenBucketMeter | ClockMinuteMeter | DailyMeter;

const MINUTE_MS = 60_000;
const LONGEST_DAY_MS = 25 * 60 * MINUTE_MS;
/** A bucket remembers at most about this many moments; beyond, moments are rounded up to the safe side. */
const MOMENTS_KEPT = 120;

/** Epoch ms at which what is spent at `at` has certainly come back. */
export function returnsAt(meter: Meter, at: number): number {
  switch (meter.kind) {
    case 'token-bucket': {
      const exact = at + meter.windowMs + meter.marginMs;
      if (meter.limit <= MOMENTS_KEPT) return exact;
      const grainMs = meter.windowMs / MOMENTS_KEPT;
      return Math.ceil(exact / grainMs) * grainMs;
    }
    case 'clock-minute':
      return (Math.floor((at + meter.marginMs) / MINUTE_MS) + 1) * MINUTE_MS + meter.marginMs;
    case 'daily':
      return nextMidnight(meter.timeZone, at + meter.marginMs) + meter.marginMs;
  }
}

/** No moment further off than this, in ms, can be true: the cap that survives a clock that jumps. */
export function horizonMs(meter: Meter): number {
  switch (meter.kind) {
    case 'token-bucket':
      return meter.windowMs + meter.marginMs + meter.windowMs / MOMENTS_KEPT;
    case 'clock-minute':
      return MINUTE_MS + 2 * meter.marginMs;
    case 'daily':
      return LONGEST_DAY_MS + 2 * meter.marginMs;
  }
}
