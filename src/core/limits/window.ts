/** A meter and its bucket: what is left, from when a cost is admitted, what spending and giving back do. */

import { horizonMs, type Meter, type RefillingBucketMeter, returnsAt, windowOf } from './limit.ts';

/** What is learnt of a limit is believed for this long; then the assumed one is tried again. */
const LEARNT_MS = 24 * 60 * 60 * 1000;
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
function unsureMs(meter: Meter): number {
  return meter.marginMs + Math.min(UNSURE_MS, windowOf(meter) * UNSURE_SHARE);
}

/** The limit that was learnt, while it is believed. */
export function learntLimit({ learnt }: TokenBucket, now: number): number | undefined {
  return learnt === undefined || Math.abs(now - learnt.at) > LEARNT_MS ? undefined : learnt.limit;
}

/**
 * How many more than a learnt limit are tried, so that one of them is surely more than it: where requests come evenly,
 * some are always about to come back.
 */
function stepOf(learnt: number, meter: Meter): number {
  const unsure = unsureMs(meter);
  return 1 + Math.floor((learnt * unsure) / Math.max(1, windowOf(meter) - unsure));
}

/** Whether more than a learnt limit is tried now. */
function isTried({ learnt }: TokenBucket, meter: Meter, now: number): boolean {
  if (meter.unit !== 'requests' || learnt === undefined || learnt.limit >= meter.limit) return false;
  if (learnt.rising === true) return true;
  const chance = (learnt.at % 1000) / 1000;
  const requests = REQUESTS_PER_PROBE * stepOf(learnt.limit, meter);
  const windows = Math.min(WINDOWS_PER_PROBE, requests / learnt.limit);
  return now - learnt.at >= windows * (1 - SPREAD + 2 * SPREAD * chance) * windowOf(meter);
}

/** The limit in force: the learnt one while it is believed, and now and then a little more; else the assumed one. */
export function limitOf(bucket: TokenBucket, meter: Meter, now: number): number {
  const learnt = learntLimit(bucket, now);
  if (learnt === undefined) return meter.limit;
  return isTried(bucket, meter, now) ? Math.min(meter.limit, learnt + stepOf(learnt, meter)) : learnt;
}

/** The meter with the margin that the road turned out to need. */
export function onItsRoad({ road }: TokenBucket, meter: Meter, now: number): Meter {
  if (road === undefined || road.ms <= meter.marginMs || Math.abs(now - road.at) > LEARNT_MS) return meter;
  return { ...meter, marginMs: road.ms };
}

/** How long one takes to come back into a bucket that refills, in milliseconds. */
function refillMs(bucket: TokenBucket, meter: RefillingBucketMeter, now: number): number {
  return meter.windowMs / Math.max(1, limitOf(bucket, meter, now));
}

/** How long a bucket that refills takes to be full, in milliseconds; 0 when it is. */
function drainedMs({ fullAt = 0 }: TokenBucket, meter: Meter, now: number): number {
  return fullAt <= now || fullAt > now + horizonMs(meter) ? 0 : fullAt - now;
}

/** How much of a meter is spent at `now` by any clock and road. */
function surelyUsed(bucket: TokenBucket, meter: Meter, now: number): number {
  if (meter.kind === 'refilling-bucket') return usedOf(bucket, meter, now);
  return sumOf(bucket.spent, now + unsureMs(meter), horizonMs(meter));
}

/** How much of a meter is spent at `now`. */
export function usedOf(bucket: TokenBucket, meter: Meter, now: number): number {
  if (meter.kind === 'refilling-bucket') return drainedMs(bucket, meter, now) / refillMs(bucket, meter, now);
  return sumOf(bucket.spent, now, horizonMs(meter));
}

/** Epoch ms from which `cost` can be spent; at most `now` when at once, Infinity when never. */
export function readyAtOf(bucket: TokenBucket, meter: Meter, cost: number, now: number): number {
  const limit = limitOf(bucket, meter, now);
  if (cost > limit) return Number.POSITIVE_INFINITY;
  const floor = fullUntil(bucket, now);
  if (meter.kind === 'refilling-bucket') {
    const waitMs = drainedMs(bucket, meter, now) - (limit - cost) * refillMs(bucket, meter, now);
    return waitMs > 0 ? Math.max(floor, now + waitMs) : floor;
  }
  const missing = usedOf(bucket, meter, now) + cost - limit;
  if (missing <= 0) return floor;
  return Math.max(floor, backAt(bucket.spent, missing, now, horizonMs(meter)) ?? 0);
}

/** What was spent of one meter for one request. */
export interface Expense {
  readonly meter: Meter;
  /** The name of its bucket. */
  readonly bucket: string;
  readonly cost: number;
  /** Epoch ms at which the request was sent. */
  readonly sentAt: number;
  /** Epoch ms. */
  readonly returnsAt: number;
  /** Whether the request is one more than the limit that was learnt: its fate tells whether the limit is higher. */
  readonly probes: boolean;
}

/** Spends `cost` at `now`, to come back at `at`. */
export function spend(
  bucket: TokenBucket,
  meter: Meter,
  cost: number,
  { now, at }: { readonly now: number; readonly at: number },
): TokenBucket {
  if (meter.kind !== 'refilling-bucket') return { ...bucket, spent: add(bucket.spent, cost, at, now) };
  const fullAt = now + drainedMs(bucket, meter, now) + cost * refillMs(bucket, meter, now);
  return { ...bucket, fullAt };
}

/** Spends `cost` for a request that is sent at `now`. */
export function expend(
  bucket: TokenBucket,
  meter: Meter,
  { name, cost, now }: { readonly name: string; readonly cost: number; readonly now: number },
): { readonly bucket: TokenBucket; readonly expense: Expense } {
  const at = returnsAt(onItsRoad(bucket, meter, now), now);
  const learnt = learntLimit(bucket, now);
  const probes = learnt !== undefined && surelyUsed(bucket, meter, now) + cost > learnt;
  return {
    bucket: spend(bucket, meter, cost, { now, at }),
    expense: { meter, bucket: name, cost, sentAt: now, returnsAt: at, probes },
  };
}

/** Gives back what was spent; a no-op when it has come back already. */
export function giveBack(
  bucket: TokenBucket,
  { meter, cost, returnsAt: at }: Expense,
  now: number,
): TokenBucket {
  if (meter.kind !== 'refilling-bucket') {
    const spent = remove(bucket.spent, cost, at);
    return spent === bucket.spent ? bucket : { ...bucket, spent };
  }
  const fullAt = now + Math.max(0, drainedMs(bucket, meter, now) - cost * refillMs(bucket, meter, now));
  return fullAt === bucket.fullAt ? bucket : { ...bucket, fullAt };
}

/** Tokens that come back together: `[epoch ms at which they do, how many]`. */
export type Spent = readonly [returnsAt: number, count: number];

/**
 * The state of one meter. The textbook bucket refills while it drains and so lets nearly twice its size
 * through in one window; here a token stays spent until the moment that was fixed when it was spent.
 */
export interface TokenBucket {
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
    readonly limit: number;
    readonly at: number;
    /** Whether there is reason to think that it is higher: then one more than it is tried at once. */
    readonly rising?: true;
  };
  /** The margin that the road turned out to need, in ms, and since when (epoch ms). */
  readonly road?: { readonly ms: number; readonly at: number };
}

export const EMPTY_BUCKET: TokenBucket = { spent: [] };

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
const MAX_FULL_MS = 32 * 24 * 60 * 60 * 1000;
/** How much further off than when it was said a moment may be: clocks disagree a little. */
const TOLERANCE = 1.25;

/**
 * Epoch ms until which nothing is left by the provider's word; 0 when it says no such thing. A moment that is further
 * off than when it was said cannot be true (the clock was set back) and is passed over.
 */
export function fullUntil(bucket: TokenBucket, now: number): number {
  if (bucket.full === undefined) return 0;
  const { since, until } = bucket.full;
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
export function fill(bucket: TokenBucket, until: number, now: number): TokenBucket {
  if (fullUntil(bucket, now) >= until) return bucket;
  return { ...bucket, full: { since: now, until: Math.min(until, now + MAX_FULL_MS) } };
}
