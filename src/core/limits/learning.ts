/** What refusals and answers teach about a limit that is not as it was assumed. */

import {
  type Observation,
  horizonMs,
  isLong,
  LONGEST_ROAD_MS,
  type Meter,
  returnsAt,
  spanOf,
  windowOf,
} from './limit.ts';
import {
  type Expense,
  learntLimit,
  limitOf,
  onItsRoad,
  spend,
  usedOf,
  add,
  sumOf,
  type TokenBucket,
} from './window.ts';

/** A refusal this near to the limit may be the road's doing. */
const NEAR = 0.8;
/** One refusal lowers a learnt limit no further than to this share of it. */
const LOWERED = 0.9;
/** The margin grows by this much with each. */
const ROAD_STEP_MS = 125;

function isNear(admitted: number, limit: number): boolean {
  return admitted > 0 && admitted >= Math.min(limit * NEAR, limit - 1);
}

/** The bucket with a wider margin; undefined when it is as wide as can be. What it is good for shows a window later. */
function widened(bucket: TokenBucket, meter: Meter, now: number): TokenBucket | undefined {
  const { marginMs } = onItsRoad(bucket, meter, now);
  if (bucket.road !== undefined && Math.abs(now - bucket.road.at) < windowOf(meter)) return bucket;
  if (marginMs >= LONGEST_ROAD_MS) return undefined;
  return { ...bucket, road: { ms: Math.min(LONGEST_ROAD_MS, marginMs + ROAD_STEP_MS), at: now } };
}

/** How many requests of the window the provider admitted. */
export function admittedOf(bucket: TokenBucket, meter: Meter, now: number): number {
  return usedOf(bucket, meter, now) - sumOf(bucket.refused ?? [], now, horizonMs(meter));
}

/** Whether a refusal tells no more than that a learnt limit holds: of probes and their companions anyone may be the one too many. */
function refutesProbe(
  bucket: TokenBucket,
  { meter, probes }: Expense,
  { admitted, learnt }: { readonly admitted: number; readonly learnt: number },
  now: number,
): boolean {
  return probes || (limitOf(bucket, meter, now) > learnt && admitted >= learnt);
}

/** What is believed after a refusal that came before the limit in force was spent. */
function lowered(bucket: TokenBucket, { meter, cost, sentAt }: Expense, now: number): TokenBucket {
  const admitted = admittedOf(bucket, meter, now);
  const { learnt, road } = bucket;
  if (learnt === undefined || learntLimit(bucket, now) === undefined) {
    const wider = isNear(admitted, meter.limit) ? widened(bucket, meter, now) : undefined;
    if (wider !== undefined) return wider;
    // What was put down to the road just now was the limit.
    const { road: _, ...rest } = bucket;
    const kept = road !== undefined && sentAt <= road.at ? rest : bucket;
    return { ...kept, learnt: { limit: admitted, at: now } };
  }
  // Of one burst with the first that was refused, it shows how few were admitted. Later, what was refused may count as well.
  const shown = sentAt <= learnt.at ? admitted : usedOf(bucket, meter, now) - cost;
  // Somebody else may spend, now more, now less.
  const limit = learnt.rising === true ? shown : Math.max(shown, Math.floor(learnt.limit * LOWERED));
  return { ...bucket, learnt: { limit, at: now } };
}

/**
 * The bucket after a refusal that names no limit. What the provider admitted of the window is its limit, when that is
 * less than was believed. A refusal just below the assumed limit may be the road's doing, so that the margin is widened
 * first. Of a window that is not known whole (`isYoung`) too little may be known: then more is tried soon.
 */
export function shrunk(
  bucket: TokenBucket,
  expense: Expense,
  { now, isYoung }: { readonly now: number; readonly isYoung: boolean },
): TokenBucket {
  const { meter, cost, returnsAt: at } = expense;
  // Of a day, most may have been spent before anybody counted.
  if (meter.unit !== 'requests' || meter.kind === 'refilling-bucket' || isLong(meter)) return bucket;
  const noted: TokenBucket = { ...bucket, refused: add(bucket.refused ?? [], cost, at, now) };
  const learnt = learntLimit(bucket, now);
  if (
    learnt !== undefined &&
    refutesProbe(bucket, expense, { admitted: admittedOf(noted, meter, now), learnt }, now)
  )
    return { ...noted, learnt: { limit: learnt, at: now } };
  const next = lowered(noted, expense, now);
  const limit = learntLimit(next, now);
  if (limit === undefined) return next;
  if (limit < 1 || limit >= limitOf(bucket, meter, now)) return noted;
  return isYoung ? { ...next, learnt: { limit, at: now, rising: true } } : next;
}

/** However often nothing at all is admitted, it is tried again after this long. */
const LONGEST_REST_MS = 60 * 60 * 1000;

/**
 * Epoch ms until which a meter rests whose window admitted nothing at all before it refused: longer each time, as the
 * provider's own window must be. Undefined where something was admitted.
 */
export function restsUntil(bucket: TokenBucket, { meter }: Expense, now: number): number | undefined {
  if (admittedOf(bucket, meter, now) > 0 || bucket.full === undefined) return undefined;
  const { since, until } = bucket.full;
  const lastMs = until - since;
  if (now - until > lastMs || until > now) return undefined;
  return now + Math.min(LONGEST_REST_MS, 2 * lastMs);
}

/** The bucket after the provider stated its limit. */
function stated(bucket: TokenBucket, meter: Meter, limit: number, now: number): TokenBucket {
  if (limit < meter.limit || (limit > meter.limit && meter.isOwn !== true))
    return { ...bucket, learnt: { limit, at: now } };
  if (bucket.learnt === undefined) return bucket;
  const { learnt: _, ...rest } = bucket;
  return rest;
}

/** The bucket after a refusal that names its limit. When all of it was used up as it should be, the road is to blame. */
export function refusedBy(
  bucket: TokenBucket,
  expense: Expense | undefined,
  meter: Meter,
  { limit, now }: { readonly limit: number; readonly now: number },
): TokenBucket {
  const known = stated(bucket, meter, limit, now);
  if (expense === undefined || expense.probes || isLong(meter) || limit !== limitOf(bucket, meter, now))
    return known;
  const admitted = usedOf(bucket, meter, now) - 1;
  return admitted <= limit && isNear(admitted, limit) ? (widened(known, meter, now) ?? known) : known;
}

/** The bucket after a request that was one more than the learnt limit was served: the limit is higher, by one at least. */
export function raised(bucket: TokenBucket, { meter, sentAt }: Expense, now: number): TokenBucket {
  const { learnt } = bucket;
  if (learnt === undefined || learntLimit(bucket, now) === undefined || sentAt < learnt.at) return bucket;
  // Another one was refused in its place.
  if (bucket.full !== undefined && bucket.full.since >= sentAt) return bucket;
  const next = stated(bucket, meter, learnt.limit + 1, now);
  return next.learnt === undefined ? next : { ...next, learnt: { ...next.learnt, rising: true } };
}

/** What is missing of a quota that somebody else spends, too, is spent here as well. */
function reconciled(
  bucket: TokenBucket,
  meter: Meter,
  observation: Omit<Observation, 'window'>,
  now: number,
): TokenBucket {
  const { remaining, resetAt } = observation;
  if (remaining === undefined) return bucket;
  const limit = observation.limit ?? limitOf(bucket, meter, now);
  const missing = limit - remaining - Math.floor(usedOf(bucket, meter, now));
  if (missing <= 0 || !Number.isFinite(missing)) return bucket;
  const usual = returnsAt(meter, now);
  const at = resetAt !== undefined && resetAt > now ? Math.min(resetAt, usual) : usual;
  return spend(bucket, meter, missing, { now, at });
}

/** The bucket of an account of which others spent what is left of the limit. */
export function exhausted(bucket: TokenBucket, meter: Meter, limit: number, now: number): TokenBucket {
  const known = stated(bucket, meter, limit, now);
  return reconciled(known, meter, { unit: meter.unit, limit, remaining: 0 }, now);
}

/** The bucket after an answer told where the provider's own count stands. */
export function observed(
  bucket: TokenBucket,
  meter: Meter,
  observations: readonly Observation[],
  now: number,
): TokenBucket {
  let next = bucket;
  for (const observation of observations) {
    if (observation.unit !== meter.unit || spanOf(meter) !== observation.window) continue;
    const { limit } = observation;
    if (limit !== undefined && limit > 0) next = stated(next, meter, limit, now);
    next = reconciled(next, meter, observation, now);
  }
  return next;
}
