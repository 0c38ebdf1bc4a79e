/** What refusals and answers teach about a limit that is not as it was assumed. */

import {
  type ReportedQuota,
  horizonMs,
  isLong,
  MAX_MARGIN_MS,
  type Limit,
  returnsAt,
  spanOf,
  windowOf,
} from './limit.ts';
import {
  type Charge,
  learntMax,
  maxInForce,
  withLearntMargin,
  addCharge,
  usedOf,
  add,
  sumOf,
  type LimiterState,
} from './window.ts';
import { HOUR_MS } from '../time.ts';

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
function widened(limiter: LimiterState, limit: Limit, now: number): LimiterState | undefined {
  const { marginMs } = withLearntMargin(limiter, limit, now);
  if (limiter.margin !== undefined && Math.abs(now - limiter.margin.at) < windowOf(limit)) return limiter;
  if (marginMs >= MAX_MARGIN_MS) return undefined;
  return { ...limiter, margin: { ms: Math.min(MAX_MARGIN_MS, marginMs + ROAD_STEP_MS), at: now } };
}

/** How many requests of the window the provider admitted. */
export function admittedOf(limiter: LimiterState, limit: Limit, now: number): number {
  return usedOf(limiter, limit, now) - sumOf(limiter.refused ?? [], now, horizonMs(limit));
}

/** Whether a refusal tells no more than that a learnt limit holds: of probes and their companions anyone may be the one too many. */
function refutesProbe(
  limiter: LimiterState,
  { limit, probes }: Charge,
  { admitted, learnt }: { readonly admitted: number; readonly learnt: number },
  now: number,
): boolean {
  return probes || (maxInForce(limiter, limit, now) > learnt && admitted >= learnt);
}

/** What is believed after a refusal that came before the limit in force was spent. */
function lowered(limiter: LimiterState, { limit, cost, sentAt }: Charge, now: number): LimiterState {
  const admitted = admittedOf(limiter, limit, now);
  const { learnt, margin } = limiter;
  if (learnt === undefined || learntMax(limiter, now) === undefined) {
    const wider = isNear(admitted, limit.max) ? widened(limiter, limit, now) : undefined;
    if (wider !== undefined) return wider;
    // What was put down to the road just now was the limit.
    const { margin: _, ...rest } = limiter;
    const kept = margin !== undefined && sentAt <= margin.at ? rest : limiter;
    return { ...kept, learnt: { max: admitted, at: now } };
  }
  // Of one burst with the first that was refused, it shows how few were admitted. Later, what was refused may count as well.
  const shown = sentAt <= learnt.at ? admitted : usedOf(limiter, limit, now) - cost;
  // Somebody else may spend, now more, now less.
  const max = learnt.increasing === true ? shown : Math.max(shown, Math.floor(learnt.max * LOWERED));
  return { ...limiter, learnt: { max, at: now } };
}

/**
 * The bucket after a refusal that names no limit. What the provider admitted of the window is its limit, when that is
 * less than was believed. A refusal just below the assumed limit may be the road's doing, so that the margin is widened
 * first. Of a window that is not known whole (`isYoung`) too little may be known: then more is tried soon.
 */
export function shrunk(
  limiter: LimiterState,
  charge: Charge,
  { now, isYoung }: { readonly now: number; readonly isYoung: boolean },
): LimiterState {
  const { limit, cost, returnsAt: at } = charge;
  // Of a day, most may have been spent before anybody counted.
  if (limit.unit !== 'requests' || limit.kind === 'token-bucket' || isLong(limit)) return limiter;
  const noted: LimiterState = { ...limiter, refused: add(limiter.refused ?? [], cost, at, now) };
  const learnt = learntMax(limiter, now);
  if (
    learnt !== undefined &&
    refutesProbe(limiter, charge, { admitted: admittedOf(noted, limit, now), learnt }, now)
  )
    return { ...noted, learnt: { max: learnt, at: now } };
  const next = lowered(noted, charge, now);
  const max = learntMax(next, now);
  if (max === undefined) return next;
  if (max < 1 || max >= maxInForce(limiter, limit, now)) return noted;
  return isYoung ? { ...next, learnt: { max, at: now, increasing: true } } : next;
}

/** However often nothing at all is admitted, it is tried again after this long. */
const LONGEST_REST_MS = HOUR_MS;

/**
 * Epoch ms until which a meter rests whose window admitted nothing at all before it refused: longer each time, as the
 * provider's own window must be. Undefined where something was admitted.
 */
export function restUntil(limiter: LimiterState, { limit }: Charge, now: number): number | undefined {
  if (admittedOf(limiter, limit, now) > 0 || limiter.full === undefined) return undefined;
  const { since, until } = limiter.full;
  const lastMs = until - since;
  if (now - until > lastMs || until > now) return undefined;
  return now + Math.min(LONGEST_REST_MS, 2 * lastMs);
}

/** The bucket after the provider stated its limit. */
function stated(limiter: LimiterState, limit: Limit, max: number, now: number): LimiterState {
  if (max < limit.max || (max > limit.max && limit.isOwn !== true))
    return { ...limiter, learnt: { max, at: now } };
  if (limiter.learnt === undefined) return limiter;
  const { learnt: _, ...rest } = limiter;
  return rest;
}

/** The bucket after a refusal that names its limit. When all of it was used up as it should be, the road is to blame. */
export function refusedBy(
  limiter: LimiterState,
  charge: Charge | undefined,
  limit: Limit,
  { max, now }: { readonly max: number; readonly now: number },
): LimiterState {
  const known = stated(limiter, limit, max, now);
  if (charge === undefined || charge.probes || isLong(limit) || max !== maxInForce(limiter, limit, now))
    return known;
  const admitted = usedOf(limiter, limit, now) - 1;
  return admitted <= max && isNear(admitted, max) ? (widened(known, limit, now) ?? known) : known;
}

/** The bucket after a request that was one more than the learnt limit was served: the limit is higher, by one at least. */
export function raised(limiter: LimiterState, { limit, sentAt }: Charge, now: number): LimiterState {
  const { learnt } = limiter;
  if (learnt === undefined || learntMax(limiter, now) === undefined || sentAt < learnt.at) return limiter;
  // Another one was refused in its place.
  if (limiter.full !== undefined && limiter.full.since >= sentAt) return limiter;
  const next = stated(limiter, limit, learnt.max + 1, now);
  return next.learnt === undefined ? next : { ...next, learnt: { ...next.learnt, increasing: true } };
}

/** What is missing of a quota that somebody else spends, too, is spent here as well. */
function reconciled(
  limiter: LimiterState,
  limit: Limit,
  observation: Omit<ReportedQuota, 'window'>,
  now: number,
): LimiterState {
  const { remaining, resetAt } = observation;
  if (remaining === undefined) return limiter;
  const max = observation.limit ?? maxInForce(limiter, limit, now);
  const missing = max - remaining - Math.floor(usedOf(limiter, limit, now));
  if (missing <= 0 || !Number.isFinite(missing)) return limiter;
  const usual = returnsAt(limit, now);
  const at = resetAt !== undefined && resetAt > now ? Math.min(resetAt, usual) : usual;
  return addCharge(limiter, limit, missing, { now, at });
}

/** The bucket of an account of which others spent what is left of the limit. */
export function exhausted(limiter: LimiterState, limit: Limit, max: number, now: number): LimiterState {
  const known = stated(limiter, limit, max, now);
  return reconciled(known, limit, { unit: limit.unit, limit: max, remaining: 0 }, now);
}

/** The bucket after an answer told where the provider's own count stands. */
export function withReported(
  limiter: LimiterState,
  limit: Limit,
  observations: readonly ReportedQuota[],
  now: number,
): LimiterState {
  let next = limiter;
  for (const observation of observations) {
    if (observation.unit !== limit.unit || spanOf(limit) !== observation.window) continue;
    const { limit: max } = observation;
    if (max !== undefined && max > 0) next = stated(next, limit, max, now);
    next = reconciled(next, limit, observation, now);
  }
  return next;
}
