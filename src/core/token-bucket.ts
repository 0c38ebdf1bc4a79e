/** What was spent of one limit, and from when it has come back: the state behind every meter. */

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
