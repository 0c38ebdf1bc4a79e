/** What was spent of one limit, and from when it has come back: the one algorithm behind every meter. */

/** Tokens that come back together: `[epoch ms at which they do, how many]`. */
export type Spent = readonly [returnsAt: number, count: number];

/**
 * The state of one meter. The textbook bucket refills while it drains and so lets nearly twice its size
 * through in one window; here a token stays spent until the moment that was fixed when it was spent.
 */
export interface TokenBucket {
  /** Sorted by moment; no two entries share one. */
  readonly spent: readonly Spent[];
  /** The provider said at `since` that it is full until `until` (epoch ms), whatever we counted. */
  readonly full?: { readonly since: number; readonly until: number };
  /** The limit that the provider stated, which replaces the assumed one, and when it did (epoch ms). */
  readonly learnt?: { readonly limit: number; readonly at: number };
}

export const EMPTY_BUCKET: TokenBucket = { spent: [] };

/** A stated limit is believed for this long; then the assumed one is tried again. */
const LEARNT_LIMIT_MS = 24 * 60 * 60 * 1000;

/** The limit in force: the stated one while it is believed, else the assumed one. */
export function limitOf(bucket: TokenBucket, assumed: number, now: number): number {
  const learnt = bucket.learnt;
  if (learnt === undefined || now - learnt.at > LEARNT_LIMIT_MS || learnt.at - now > LEARNT_LIMIT_MS)
    return assumed;
  return learnt.limit;
}

/**
 * How many tokens are spent at `now`. A moment further off than `horizonMs` cannot be true (the clock was
 * set back, or another machine's is wrong) and is passed over, so that nothing is blocked for ever.
 */
export function usedOf(bucket: TokenBucket, now: number, horizonMs: number): number {
  let used = 0;
  for (const [returnsAt, count] of bucket.spent) {
    if (returnsAt > now && returnsAt <= now + horizonMs) used += count;
  }
  return used;
}

/** No provider's word holds longer. */
const MAX_FULL_MS = 32 * 24 * 60 * 60 * 1000;
/** How much further off than when it was said a moment may be: clocks disagree a little. */
const TOLERANCE = 1.25;

/**
 * Epoch ms until which the bucket is full by the provider's word; 0 when it is not. A moment that is further off
 * than when it was said cannot be true (the clock was set back) and is passed over.
 */
export function fullUntil(bucket: TokenBucket, now: number): number {
  if (bucket.full === undefined) return 0;
  const { since, until } = bucket.full;
  return until > now && until - now <= (until - since) * TOLERANCE ? until : 0;
}

/** The bucket's numbers for one question. */
export interface BucketView {
  readonly limit: number;
  readonly now: number;
  readonly horizonMs: number;
}

/** Epoch ms from which `cost` tokens can be taken; at most `now` when they can be taken at once, Infinity when never. */
export function bucketReadyAt(bucket: TokenBucket, cost: number, view: BucketView): number {
  const { limit, now, horizonMs } = view;
  const floor = fullUntil(bucket, now);
  if (cost > limit) return Number.POSITIVE_INFINITY;
  let missing = usedOf(bucket, now, horizonMs) + cost - limit;
  if (missing <= 0) return floor;
  for (const [returnsAt, count] of bucket.spent) {
    if (returnsAt <= now || returnsAt > now + horizonMs) continue;
    missing -= count;
    if (missing <= 0) return Math.max(floor, returnsAt);
  }
  return floor;
}

/** Spends `cost` tokens that come back at `returnsAt`; forgets what has come back by `now`. */
export function take(bucket: TokenBucket, cost: number, returnsAt: number, now: number): TokenBucket {
  const spent: Spent[] = [];
  let placed = false;
  for (const entry of bucket.spent) {
    if (entry[0] <= now) continue;
    if (!placed && entry[0] >= returnsAt) {
      placed = true;
      if (entry[0] === returnsAt) {
        spent.push([returnsAt, entry[1] + cost]);
        continue;
      }
      spent.push([returnsAt, cost]);
    }
    spent.push(entry);
  }
  if (!placed) spent.push([returnsAt, cost]);
  return { ...bucket, spent };
}

/** Gives back `cost` tokens that were to come back at `returnsAt`; a no-op when they already have. */
export function giveBack(bucket: TokenBucket, cost: number, returnsAt: number): TokenBucket {
  const at = bucket.spent.findIndex((entry) => entry[0] === returnsAt);
  const entry = bucket.spent[at];
  if (entry === undefined) return bucket;
  const left = entry[1] - cost;
  return {
    ...bucket,
    spent: left > 0 ? bucket.spent.with(at, [returnsAt, left]) : bucket.spent.toSpliced(at, 1),
  };
}

/** Marks the bucket as full until `until`, epoch ms; an earlier moment never shortens a later one. */
export function fill(bucket: TokenBucket, until: number, now: number): TokenBucket {
  if (fullUntil(bucket, now) >= until) return bucket;
  return { ...bucket, full: { since: now, until: Math.min(until, now + MAX_FULL_MS) } };
}
