/** The limits of a provider, and the moments at which spent quota returns. spec 3 */

import { nextMidnight, nextMonth } from './calendar.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../time.ts';

/** See {@link LimitBase.counts}. */
export type LimitCounts = 'input' | 'total' | 'reserved' | 'inputs';

interface LimitBase {
  /** Unique among the limits of a tier, e.g. `rpm`. */
  readonly id: string;
  readonly unit: 'requests' | 'tokens';
  /** Whether the limit counts an account over all models, or an account's use of one model. */
  readonly per: 'account' | 'account-model';
  /** Infinity: no limit is known. Requests are counted all the same, so that a limit can be learnt. */
  readonly max: number;
  /**
   * Allowance in ms for network delays and for clocks that disagree: two requests that are sent one window apart may
   * arrive closer together.
   */
  readonly marginMs: number;
  /**
   * The tokens that a limit of tokens counts. `input`: the prompt's. `total`: those of prompt and answer. `reserved`:
   * the prompt's and the most that the answer may have, at the time of the request. Default `total`. Of a limit of requests,
   * `inputs`: each text of a batch counts as a request.
   */
  readonly counts?: LimitCounts | undefined;
  /** False if a limit of tokens leaves out the prompt tokens that the provider had in its cache. Default true. */
  readonly countsCached?: boolean | undefined;
  /** Whether the user set the limit: then a higher limit reported by the provider does not raise it. */
  readonly isOwn?: boolean | undefined;
  /** Whether neither the provider nor the user states `max`. Then more is tried now and then. Default false. spec 3.14 */
  readonly assumed?: boolean | undefined;
}

/** A request stays counted for one window after it was sent. */
export interface SlidingWindowLimit extends LimitBase {
  readonly kind: 'sliding-window';
  readonly windowMs: number;
}

/** The textbook token bucket: one token returns every `windowMs / max`, also while others are spent. */
export interface TokenBucketLimit extends LimitBase {
  readonly kind: 'token-bucket';
  readonly windowMs: number;
}

/** A fixed window that starts with each minute of the clock. */
export interface FixedWindowLimit extends LimitBase {
  readonly kind: 'fixed-window';
}

/** Everything returns at midnight in the provider's time zone. */
export interface DailyLimit extends LimitBase {
  readonly kind: 'daily';
  /** IANA name of the provider's time zone, e.g. `America/Los_Angeles`. */
  readonly timeZone: string;
}

/** Everything returns on the first of the month. */
export interface MonthlyLimit extends LimitBase {
  readonly kind: 'monthly';
  readonly timeZone: string;
}

/** How many requests may run at once. */
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
/** A request that has not ended after this long counts as lost. */
const LEASE_MS = 10 * MINUTE_MS;
/** A larger limit rounds its moments up, to the safe side, so that its state keeps at most about this many. */
const MOMENTS_KEPT = 120;

/** The span in ms after which spent quota has returned. */
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

/** Whether the window is about a day or longer. spec 3.1 */
export function isLong(limit: Limit): boolean {
  return limit.kind !== 'concurrency' && windowOf(limit) >= DAY_MS / 2;
}

/** The name of a limit's window. `at-once`: the limit counts concurrent requests. spec 5.8 */
export function spanOf(limit: Limit): QuotaWindow | 'at-once' {
  if (limit.kind === 'concurrency') return 'at-once';
  const ms = windowOf(limit);
  if (ms <= 10_000) return 'second';
  if (ms <= 2 * MINUTE_MS) return 'minute';
  if (!isLong(limit)) return 'hour';
  return ms <= 2 * DAY_MS ? 'day' : 'month';
}

/** Epoch ms at which quota spent at `at` has certainly returned. spec 3.3 */
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

/** The widest margin in ms that is learnt. */
export const MAX_MARGIN_MS = 1000;
/** The longest in ms that a request may be sent after it was decided on, because its charges are stored first. spec 5.16 */
export const MAX_DELAY_MS = 2500;

/**
 * The farthest in ms that a moment of a limit can lie in the future. A moment beyond it shows that the clock was set
 * back. spec 3.4
 */
export function horizonMs(limit: Limit): number {
  const marginMs = Math.max(limit.marginMs, MAX_MARGIN_MS);
  switch (limit.kind) {
    case 'sliding-window':
    case 'token-bucket':
      return limit.windowMs + marginMs + limit.windowMs / MOMENTS_KEPT + MAX_DELAY_MS;
    case 'fixed-window':
      return MINUTE_MS + 2 * marginMs + MAX_DELAY_MS;
    case 'daily':
      return LONGEST_DAY_MS + 2 * marginMs + MAX_DELAY_MS;
    case 'monthly':
      return LONGEST_MONTH_MS + 2 * marginMs + MAX_DELAY_MS;
    case 'concurrency':
      return LEASE_MS;
  }
}

/** The window of a quota. */
export type QuotaWindow = 'second' | 'minute' | 'hour' | 'day' | 'month';

/** A quota as an answer reports it. */
export interface ReportedQuota {
  readonly unit: 'requests' | 'tokens';
  readonly window: QuotaWindow;
  readonly limit?: number | undefined;
  /** How much is left after this request. */
  readonly remaining?: number | undefined;
  /** Epoch ms at which the window ends, or at which a token bucket is full again. */
  readonly resetAt?: number | undefined;
}
