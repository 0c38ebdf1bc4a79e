/** One limit of a provider, and when what was spent of it comes back. */

import { nextMidnight, nextMonth } from './calendar.ts';

interface MeterBase {
  /** Unique among a tier's meters, e.g. `rpm`. */
  readonly id: string;
  readonly unit: 'requests' | 'tokens';
  /** Whom the limit counts: an account over all its models, or an account's use of one model. */
  readonly per: 'account' | 'account-model';
  /** Infinity: no limit is known; what is sent is counted, so that one can be learnt. */
  readonly limit: number;
  /**
   * Allowance for the road and for clocks that disagree, in milliseconds: what is sent a window apart may
   * arrive less than a window apart.
   */
  readonly marginMs: number;
  /**
   * Of tokens: those of the prompt, those of prompt and answer, or those of the prompt and the most that the answer
   * may have, as they are reserved when the request is admitted. Default `total`.
   */
  readonly counts?: 'input' | 'total' | 'reserved' | undefined;
  /** Whether the limit is the user's own: no word of the provider raises it. */
  readonly isOwn?: boolean | undefined;
}

/** What was spent comes back one window after it was spent. */
export interface TokenBucketMeter extends MeterBase {
  readonly kind: 'token-bucket';
  readonly windowMs: number;
}

/** The textbook bucket: one comes back every `windowMs / limit`, also while others are spent. */
export interface RefillingBucketMeter extends MeterBase {
  readonly kind: 'refilling-bucket';
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

/** Everything comes back on the first of the month. */
export interface MonthlyMeter extends MeterBase {
  readonly kind: 'monthly';
  readonly timeZone: string;
}

/** How many requests may be under way at once: what is taken comes back when the request ends. */
export interface ConcurrencyMeter extends MeterBase {
  readonly kind: 'concurrency';
}

export type Meter =
  | TokenBucketMeter
  | RefillingBucketMeter
  | ClockMinuteMeter
  | DailyMeter
  | MonthlyMeter
  | ConcurrencyMeter;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const LONGEST_DAY_MS = DAY_MS + HOUR_MS;
const LONGEST_MONTH_MS = 31 * DAY_MS + HOUR_MS;
/** A request that has not ended after this long is taken for lost. */
const LEASE_MS = 10 * MINUTE_MS;
/** A bucket remembers at most about this many moments; beyond, moments are rounded up to the safe side. */
const MOMENTS_KEPT = 120;

/** The span after which what is spent has come back, in milliseconds. */
export function windowOf(meter: Meter): number {
  switch (meter.kind) {
    case 'token-bucket':
    case 'refilling-bucket':
      return meter.windowMs;
    case 'clock-minute':
      return MINUTE_MS;
    case 'daily':
      return DAY_MS;
    case 'monthly':
      return LONGEST_MONTH_MS;
    case 'concurrency':
      return LEASE_MS;
  }
}

/** Whether a meter counts a day or more: what is spent of it is gone for long. */
export function isLong(meter: Meter): boolean {
  return meter.kind !== 'concurrency' && windowOf(meter) >= DAY_MS / 2;
}

/** The window by which a stated quota is about a meter; `at-once`: how many may be under way. */
export function spanOf(meter: Meter): QuotaWindow | 'at-once' {
  if (meter.kind === 'concurrency') return 'at-once';
  const ms = windowOf(meter);
  if (ms <= 10_000) return 'second';
  if (ms <= 2 * MINUTE_MS) return 'minute';
  if (!isLong(meter)) return 'hour';
  return ms <= 2 * DAY_MS ? 'day' : 'month';
}

/** Epoch ms at which what is spent at `at` has certainly come back. */
export function returnsAt(meter: Meter, at: number): number {
  switch (meter.kind) {
    case 'token-bucket': {
      const exact = at + meter.windowMs + meter.marginMs;
      if (meter.limit <= MOMENTS_KEPT) return exact;
      const grainMs = meter.windowMs / MOMENTS_KEPT;
      return Math.ceil(exact / grainMs) * grainMs;
    }
    case 'refilling-bucket':
      return at + meter.windowMs / meter.limit + meter.marginMs;
    case 'clock-minute':
      return (Math.floor((at + meter.marginMs) / MINUTE_MS) + 1) * MINUTE_MS + meter.marginMs;
    case 'daily':
      return nextMidnight(meter.timeZone, at + meter.marginMs) + meter.marginMs;
    case 'monthly':
      return nextMonth(meter.timeZone, at + meter.marginMs) + meter.marginMs;
    case 'concurrency':
      return at + LEASE_MS;
  }
}

/** No road is longer than this, in ms: no margin grows beyond it. */
export const LONGEST_ROAD_MS = 1000;

/** No moment further off than this, in ms, can be true: the cap that survives a clock that jumps. */
export function horizonMs(meter: Meter): number {
  const marginMs = Math.max(meter.marginMs, LONGEST_ROAD_MS);
  switch (meter.kind) {
    case 'token-bucket':
    case 'refilling-bucket':
      return meter.windowMs + marginMs + meter.windowMs / MOMENTS_KEPT;
    case 'clock-minute':
      return MINUTE_MS + 2 * marginMs;
    case 'daily':
      return LONGEST_DAY_MS + 2 * marginMs;
    case 'monthly':
      return LONGEST_MONTH_MS + 2 * marginMs;
    case 'concurrency':
      return LEASE_MS;
  }
}

/** The window that a stated quota is about. */
export type QuotaWindow = 'second' | 'minute' | 'hour' | 'day' | 'month';

/** One quota as an answer states it. */
export interface Observation {
  readonly unit: 'requests' | 'tokens';
  readonly window: QuotaWindow;
  /** The real limit. */
  readonly limit?: number | undefined;
  /** What is left of it, this request included. */
  readonly remaining?: number | undefined;
  /** Epoch ms at which the window ends, or at which a bucket that refills is full again. */
  readonly resetAt?: number | undefined;
}
