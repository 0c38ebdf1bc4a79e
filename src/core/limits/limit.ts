/** One limit of a provider, and when what was spent of it comes back. */

import { nextMidnight, nextMonth } from './calendar.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../time.ts';

interface LimitBase {
  /** Unique among a tier's meters, e.g. `rpm`. */
  readonly id: string;
  readonly unit: 'requests' | 'tokens';
  /** Whom the limit counts: an account over all its models, or an account's use of one model. */
  readonly per: 'account' | 'account-model';
  /** Infinity: no limit is known; what is sent is counted, so that one can be learnt. */
  readonly max: number;
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
export interface SlidingWindowLimit extends LimitBase {
  readonly kind: 'sliding-window';
  readonly windowMs: number;
}

/** The textbook bucket: one comes back every `windowMs / limit`, also while others are spent. */
export interface TokenBucketLimit extends LimitBase {
  readonly kind: 'token-bucket';
  readonly windowMs: number;
}

/** A fixed window that starts with each minute of the clock, for providers known to count so. */
export interface FixedWindowLimit extends LimitBase {
  readonly kind: 'fixed-window';
}

/** A day meter: everything comes back at the provider's midnight. */
export interface DailyLimit extends LimitBase {
  readonly kind: 'daily';
  /** IANA name of the provider's time zone, e.g. `America/Los_Angeles`. */
  readonly timeZone: string;
}

/** Everything comes back on the first of the month. */
export interface MonthlyLimit extends LimitBase {
  readonly kind: 'monthly';
  readonly timeZone: string;
}

/** How many requests may be under way at once: what is taken comes back when the request ends. */
export interface ConcurrencyLimit extends LimitBase {
  readonly kind: 'concurrency';
}

export type Limit =
  | SlidingWindowLimit
  | TokenBucketLimit
  | FixedWindowLimit
  | DailyLimit
  | MonthlyLimit
  | ConcurrencyLimit;

const LONGEST_DAY_MS = DAY_MS + HOUR_MS;
const LONGEST_MONTH_MS = 31 * DAY_MS + HOUR_MS;
/** A request that has not ended after this long is taken for lost. */
const LEASE_MS = 10 * MINUTE_MS;
/** A bucket remembers at most about this many moments; beyond, moments are rounded up to the safe side. */
const MOMENTS_KEPT = 120;

/** The span after which what is spent has come back, in milliseconds. */
export function windowOf(limit: Limit): number {
  switch (limit.kind) {
    case 'sliding-window':
    case 'token-bucket':
      return limit.windowMs;
    case 'fixed-window':
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
export function isLong(limit: Limit): boolean {
  return limit.kind !== 'concurrency' && windowOf(limit) >= DAY_MS / 2;
}

/** The window by which a stated quota is about a meter; `at-once`: how many may be under way. */
export function spanOf(limit: Limit): QuotaWindow | 'at-once' {
  if (limit.kind === 'concurrency') return 'at-once';
  const ms = windowOf(limit);
  if (ms <= 10_000) return 'second';
  if (ms <= 2 * MINUTE_MS) return 'minute';
  if (!isLong(limit)) return 'hour';
  return ms <= 2 * DAY_MS ? 'day' : 'month';
}

/** Epoch ms at which what is spent at `at` has certainly come back. */
export function returnsAt(limit: Limit, at: number): number {
  switch (limit.kind) {
    case 'sliding-window': {
      const exact = at + limit.windowMs + limit.marginMs;
      if (limit.max <= MOMENTS_KEPT) return exact;
      const grainMs = limit.windowMs / MOMENTS_KEPT;
      return Math.ceil(exact / grainMs) * grainMs;
    }
    case 'token-bucket':
      return at + limit.windowMs / limit.max + limit.marginMs;
    case 'fixed-window':
      return (Math.floor((at + limit.marginMs) / MINUTE_MS) + 1) * MINUTE_MS + limit.marginMs;
    case 'daily':
      return nextMidnight(limit.timeZone, at + limit.marginMs) + limit.marginMs;
    case 'monthly':
      return nextMonth(limit.timeZone, at + limit.marginMs) + limit.marginMs;
    case 'concurrency':
      return at + LEASE_MS;
  }
}

/** No road is longer than this, in ms: no margin grows beyond it. */
export const MAX_MARGIN_MS = 1000;

/** No moment further off than this, in ms, can be true: the cap that survives a clock that jumps. */
export function horizonMs(limit: Limit): number {
  const marginMs = Math.max(limit.marginMs, MAX_MARGIN_MS);
  switch (limit.kind) {
    case 'sliding-window':
    case 'token-bucket':
      return limit.windowMs + marginMs + limit.windowMs / MOMENTS_KEPT;
    case 'fixed-window':
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
export interface ReportedQuota {
  readonly unit: 'requests' | 'tokens';
  readonly window: QuotaWindow;
  /** The real limit. */
  readonly limit?: number | undefined;
  /** What is left of it, this request included. */
  readonly remaining?: number | undefined;
  /** Epoch ms at which the window ends, or at which a bucket that refills is full again. */
  readonly resetAt?: number | undefined;
}
