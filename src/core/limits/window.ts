/** A meter and its bucket: what is left, from when a cost is admitted, what spending and giving back do. */

import { horizonMs, type Limit, type TokenBucketLimit, returnsAt, windowOf } from './limit.ts';
import { DAY_MS } from '../time.ts';

/** What is learnt of a limit is believed for this long; then the assumed one is tried again. */
const LEARNT_MS = DAY_MS;
/** A limit below the assumed one is tried after about so many requests at it for each that is one more, */
const REQUESTS_PER_PROBE = 200;
/** and after no more windows than this, */
const WINDOWS_PER_PROBE = 30;
/** give or take this part of them: what was learnt together is not tried together. */
const SPREAD = 0.25;

/** What is about to come back may be back at the provider already: this long before, */
const UNSURE_MS = 1500;
/** but no more than this part of the window. */
const UNSURE_SHARE = 1 / 40;

/** How long before it comes back what is spent may be back at the provider already, in ms. */
function unsureMs(limit: Limit): number {
  return limit.marginMs + Math.min(UNSURE_MS, windowOf(limit) * UNSURE_SHARE);
}

/** The limit that was learnt, while it is believed. */
export function learntMax({ learnt }: LimiterState, now: number): number | undefined {
  return learnt === undefined || Math.abs(now - learnt.at) > LEARNT_MS ? undefined : learnt.max;
}

/**
 * How many more than a learnt limit are tried, so that one of them is surely more than it: where requests come evenly,
 * some are always about to come back.
 */
function stepOf(learnt: number, limit: Limit): number {
  const unsure = unsureMs(limit);
  return 1 + Math.floor((learnt * unsure) / Math.max(1, windowOf(limit) - unsure));
}

/** Whether more than a learnt limit is tried now. */
function isProbing({ learnt }: LimiterState, limit: Limit, now: number): boolean {
  if (limit.unit !== 'requests' || learnt === undefined || learnt.max >= limit.max) return false;
  if (learnt.increasing === true) return true;
  const chance = (learnt.at % 1000) / 1000;
  const requests = REQUESTS_PER_PROBE * stepOf(learnt.max, limit);
  const windows = Math.min(WINDOWS_PER_PROBE, requests / learnt.max);
  return now - learnt.at >= windows * (1 - SPREAD + 2 * SPREAD * chance) * windowOf(limit);
}

/** The limit in force: the learnt one while it is believed, and now and then a little more; else the assumed one. */
export function maxInForce(limiter: LimiterState, limit: Limit, now: number): number {
  const learnt = learntMax(limiter, now);
  if (learnt === undefined) return limit.max;
  return isProbing(limiter, limit, now) ? Math.min(limit.max, learnt + stepOf(learnt, limit)) : learnt;
}

/** The meter with the margin that the road turned out to need. */
export function withLearntMargin({ margin }: LimiterState, limit: Limit, now: number): Limit {
  if (margin === undefined || margin.ms <= limit.marginMs || Math.abs(now - margin.at) > LEARNT_MS)
    return limit;
  return { ...limit, marginMs: margin.ms };
}

/** How long one takes to come back into a bucket that refills, in milliseconds. */
function refillMs(limiter: LimiterState, limit: TokenBucketLimit, now: number): number {
  return limit.windowMs / Math.max(1, maxInForce(limiter, limit, now));
}

/** How long a bucket that refills takes to be full, in milliseconds; 0 when it is. */
function drainedMs({ fullAt = 0 }: LimiterState, limit: Limit, now: number): number {
  return fullAt <= now || fullAt > now + horizonMs(limit) ? 0 : fullAt - now;
}

/** How much of a meter is spent at `now` by any clock and road. */
function surelyUsed(limiter: LimiterState, limit: Limit, now: number): number {
  if (limit.kind === 'token-bucket') return usedOf(limiter, limit, now);
  return sumOf(limiter.spent, now + unsureMs(limit), horizonMs(limit));
}

/** How much of a meter is spent at `now`. */
export function usedOf(limiter: LimiterState, limit: Limit, now: number): number {
  if (limit.kind === 'token-bucket') return drainedMs(limiter, limit, now) / refillMs(limiter, limit, now);
  return sumOf(limiter.spent, now, horizonMs(limit));
}

/** Epoch ms from which `cost` can be spent; at most `now` when at once, Infinity when never. */
export function readyAtOf(limiter: LimiterState, limit: Limit, cost: number, now: number): number {
  const max = maxInForce(limiter, limit, now);
  if (cost > max) return Number.POSITIVE_INFINITY;
  const floor = fullUntil(limiter, now);
  if (limit.kind === 'token-bucket') {
    const waitMs = drainedMs(limiter, limit, now) - (max - cost) * refillMs(limiter, limit, now);
    return waitMs > 0 ? Math.max(floor, now + waitMs) : floor;
  }
  const missing = usedOf(limiter, limit, now) + cost - max;
  if (missing <= 0) return floor;
  return Math.max(floor, backAt(limiter.spent, missing, now, horizonMs(limit)) ?? 0);
}

/** What was spent of one meter for one request. */
export interface Charge {
  readonly limit: Limit;
  /** The name of its bucket. */
  readonly limiter: string;
  readonly cost: number;
  /** Epoch ms at which the request was sent. */
  readonly sentAt: number;
  /** Epoch ms. */
  readonly returnsAt: number;
  /** Whether the request is one more than the limit that was learnt: its fate tells whether the limit is higher. */
  readonly probes: boolean;
}

/** Spends `cost` at `now`, to come back at `at`. */
export function addCharge(
  limiter: LimiterState,
  limit: Limit,
  cost: number,
  { now, at }: { readonly now: number; readonly at: number },
): LimiterState {
  if (limit.kind !== 'token-bucket') return { ...limiter, spent: add(limiter.spent, cost, at, now) };
  const fullAt = now + drainedMs(limiter, limit, now) + cost * refillMs(limiter, limit, now);
  return { ...limiter, fullAt };
}

/** Spends `cost` for a request that is sent at `now`. */
export function charge(
  limiter: LimiterState,
  limit: Limit,
  { name, cost, now }: { readonly name: string; readonly cost: number; readonly now: number },
): { readonly limiter: LimiterState; readonly charge: Charge } {
  const at = returnsAt(withLearntMargin(limiter, limit, now), now);
  const learnt = learntMax(limiter, now);
  const probes = learnt !== undefined && surelyUsed(limiter, limit, now) + cost > learnt;
  return {
    limiter: addCharge(limiter, limit, cost, { now, at }),
    charge: { limit, limiter: name, cost, sentAt: now, returnsAt: at, probes },
  };
}

/** Gives back what was spent; a no-op when it has come back already. */
export function refund(
  limiter: LimiterState,
  { limit, cost, returnsAt: at }: Charge,
  now: number,
): LimiterState {
  if (limit.kind !== 'token-bucket') {
    const spent = remove(limiter.spent, cost, at);
    return spent === limiter.spent ? limiter : { ...limiter, spent };
  }
  const fullAt = now + Math.max(0, drainedMs(limiter, limit, now) - cost * refillMs(limiter, limit, now));
  return fullAt === limiter.fullAt ? limiter : { ...limiter, fullAt };
}

/** Tokens that come back together: `[epoch ms at which they do, how many]`. */
export type Spent = readonly [returnsAt: number, count: number];

/**
 * The state of one meter. The textbook bucket refills while it drains and so lets nearly twice its size
 * through in one window; here a token stays spent until the moment that was fixed when it was spent.
 */
export interface LimiterState {
  /** Sorted by moment; no two entries share one. */
  readonly spent: readonly Spent[];
  /** Of what is spent: what the provider refused. Sorted in the same way. */
  readonly refused?: readonly Spent[];
  /** Of a bucket that refills: epoch ms at which it is full again. */
  readonly fullAt?: number;
  /** The provider said at `since` that nothing is left until `until` (epoch ms), whatever we counted. */
  readonly full?: { readonly since: number; readonly until: number };
  /** The limit that the provider stated, or that its refusals show, and since when (epoch ms) it is believed. */
  readonly learnt?: {
    readonly max: number;
    readonly at: number;
    /** Whether there is reason to think that it is higher: then one more than it is tried at once. */
    readonly increasing?: true;
  };
  /** The margin that the road turned out to need, in ms, and since when (epoch ms). */
  readonly margin?: { readonly ms: number; readonly at: number };
}

export const EMPTY_LIMITER: LimiterState = { spent: [] };

/**
 * How many of `spent` are not back at `now`. A moment further off than `horizonMs` cannot be true (the clock was
 * set back, or another machine's is wrong) and is passed over, so that nothing is blocked for ever.
 */
export function sumOf(spent: readonly Spent[], now: number, horizonMs: number): number {
  let used = 0;
  for (const [returnsAt, count] of spent) {
    if (returnsAt > now && returnsAt <= now + horizonMs) used += count;
  }
  return used;
}

/** No provider's word holds longer. */
const MAX_FULL_MS = 32 * DAY_MS;
/** How much further off than when it was said a moment may be: clocks disagree a little. */
const TOLERANCE = 1.25;

/**
 * Epoch ms until which nothing is left by the provider's word; 0 when it says no such thing. A moment that is further
 * off than when it was said cannot be true (the clock was set back) and is passed over.
 */
export function fullUntil(limiter: LimiterState, now: number): number {
  if (limiter.full === undefined) return 0;
  const { since, until } = limiter.full;
  return until > now && until - now <= (until - since) * TOLERANCE ? until : 0;
}

/** Epoch ms at which `missing` of what is spent has come back; undefined when so much is not spent. */
export function backAt(
  spent: readonly Spent[],
  missing: number,
  now: number,
  horizonMs: number,
): number | undefined {
  let left = missing;
  for (const [returnsAt, count] of spent) {
    if (returnsAt <= now || returnsAt > now + horizonMs) continue;
    left -= count;
    if (left <= 0) return returnsAt;
  }
  return undefined;
}

/** Adds `cost` that comes back at `returnsAt`; forgets what has come back by `now`. */
export function add(spent: readonly Spent[], cost: number, returnsAt: number, now: number): readonly Spent[] {
  const next: Spent[] = [];
  let placed = false;
  for (const entry of spent) {
    if (entry[0] <= now) continue;
    if (!placed && entry[0] >= returnsAt) {
      placed = true;
      if (entry[0] === returnsAt) {
        next.push([returnsAt, entry[1] + cost]);
        continue;
      }
      next.push([returnsAt, cost]);
    }
    next.push(entry);
  }
  if (!placed) next.push([returnsAt, cost]);
  return next;
}

/** Takes back `cost` that was to come back at `returnsAt`; the same list when it already has. */
export function remove(spent: readonly Spent[], cost: number, returnsAt: number): readonly Spent[] {
  const at = spent.findIndex((entry) => entry[0] === returnsAt);
  const entry = spent[at];
  if (entry === undefined) return spent;
  const left = entry[1] - cost;
  return left > 0 ? spent.with(at, [returnsAt, left]) : spent.toSpliced(at, 1);
}

/** Marks the bucket as full until `until`, epoch ms; an earlier moment never shortens a later one. */
export function fill(limiter: LimiterState, until: number, now: number): LimiterState {
  if (fullUntil(limiter, now) >= until) return limiter;
  return { ...limiter, full: { since: now, until: Math.min(until, now + MAX_FULL_MS) } };
}
