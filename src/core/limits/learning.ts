/**
 * How refusals, answers and reported quotas correct an assumed limit. It is additive increase, multiplicative decrease:
 * a served probe raises a learnt limit by one, a refusal lowers it by at most a tenth. spec 5.6 to 5.8
 */

import { HOUR_MS, SECOND_MS } from '../time.ts';
import { believed, certainMax, learntMax, maxInForce, maxTried } from './in-force.ts';
import { horizonMs, isLong, type Limit, MAX_MARGIN_MS, returnsAt, windowOf } from './limit.ts';
import { type LimiterState, type Spent, sumOf, withSpent } from './state.ts';
import { type Charge, usedOf, withLearntMargin } from './window.ts';

/** A refusal above this part of the limit may come from a network delay. */
const NEAR = 0.8;
/** One refusal lowers a learnt limit to no less than this part of it. */
const LEAST_KEPT = 0.9;
/** Refused again and again when less than this part of a learnt limit was admitted: it was cut. */
const CUT_SHARE = 0.5;
/** One such refusal widens the margin by this much. */
const MARGIN_STEP_MS = 125;

/** A refusal of a request arrives within this time. */
const IN_FLIGHT_MS = 2 * SECOND_MS;

/** Whether a network delay may have caused a refusal. */
export function isNear(admitted: number, limit: number): boolean {
  return admitted > 0 && admitted >= Math.min(limit * NEAR, limit - 1);
}

/**
 * The state with a wider margin; undefined if the margin cannot grow. It grows once a window, because only the next
 * window shows whether it suffices.
 */
export function withWiderMargin(limiter: LimiterState, limit: Limit, now: number): LimiterState | undefined {
  const { marginMs } = withLearntMargin(limiter, limit, now);
  if (limiter.margin !== undefined && Math.abs(now - limiter.margin.at) < windowOf(limit)) return limiter;
  if (marginMs >= MAX_MARGIN_MS) return undefined;
  return { ...limiter, margin: { ms: Math.min(MAX_MARGIN_MS, marginMs + MARGIN_STEP_MS), at: now } };
}

/** How many requests of the window the provider admitted. spec 5.7 */
export function admittedOf(limiter: LimiterState, limit: Limit, now: number): number {
  return usedOf(limiter, limit, now) - sumOf(limiter.refused ?? [], now, horizonMs(limit));
}

/** The state after the provider refused a request that is spent. spec 5.7 */
export function withRefused(
  limiter: LimiterState,
  { cost, returnsAt: at }: Charge,
  now: number,
): LimiterState {
  return { ...limiter, refused: withSpent(limiter.refused ?? [], cost, at, now) };
}

/** Whether a refusal is what the state leads to expect: as many requests are used as are known to pass. spec 5.18 */
export function explainsRefusal(limiter: LimiterState, charge: Charge, now: number): boolean {
  const { limit, cost, probes } = charge;
  const known = certainMax(limiter, limit, now) ?? learntMax(limiter, now);
  // The provider may count refused requests.
  return probes || (known !== undefined && usedOf(limiter, limit, now) - cost >= known);
}

/**
 * Whether a refusal only confirms the learnt limit: the request was a probe, or was sent beside one and the provider
 * refused this one in its place.
 */
function confirmsLearnt(
  limiter: LimiterState,
  { limit, probes }: Charge,
  admitted: number,
  learnt: number,
  now: number,
): boolean {
  return probes || (maxTried(limiter, limit, now) > learnt && admitted >= learnt);
}

/** Whether nothing has passed since the pause after the last refusal. spec 5.6 */
function isRefusedAgain(
  { spent, refused = [], full }: LimiterState,
  limit: Limit,
  sentAt: number,
  now: number,
): boolean {
  // A request that was sent before belongs to the lesson before.
  if (
    limit.kind === 'token-bucket' ||
    full === undefined ||
    sentAt < full.until ||
    now - full.until > full.until - full.since
  )
    return false;
  const since = returnsAt(limit, full.until) - 1;
  const isLater = ([at]: Spent): boolean => at >= since;
  const farthestMs = horizonMs(limit);
  return sumOf(spent.filter(isLater), now, farthestMs) === sumOf(refused.filter(isLater), now, farthestMs);
}

/** The state after a refusal that came before the limit in force was spent. spec 5.7 */
function withLowerLimit(limiter: LimiterState, { limit, cost, sentAt }: Charge, now: number): LimiterState {
  const admitted = admittedOf(limiter, limit, now);
  const { learnt, margin } = limiter;
  if (learnt === undefined || learntMax(limiter, now) === undefined) {
    const wider = isNear(admitted, limit.max) ? withWiderMargin(limiter, limit, now) : undefined;
    if (wider !== undefined) return wider;
    // A margin that was widened for this burst did not help: the limit is lower.
    const { margin: _, ...rest } = limiter;
    const kept = margin !== undefined && sentAt <= margin.at ? rest : limiter;
    return { ...kept, learnt: { max: admitted, at: now } };
  }
  // In the burst of the first refusal, only what was admitted counts. Later, the provider may also count refused requests.
  const isCut = admitted < learnt.max * CUT_SHARE && isRefusedAgain(limiter, limit, sentAt, now);
  const shown = sentAt <= learnt.at ? admitted : usedOf(limiter, limit, now) - cost;
  // Other clients of the account may have spent a part of this window.
  const max =
    learnt.increasing === true || isCut ? shown : Math.max(shown, Math.floor(learnt.max * LEAST_KEPT));
  return { ...limiter, learnt: { max, at: now } };
}

/** The state after a try of more than an assumed limit was refused. Requests that are refused together are one lesson. spec 5.17 */
function withRefusedTry(
  limiter: LimiterState,
  { sentAt }: Charge,
  certain: number,
  now: number,
): LimiterState {
  const { at = 0, run = 0 } = believed(limiter, now) ?? {};
  if (run < 0 && sentAt < at) return limiter;
  return { ...limiter, learnt: { max: certain, at: now, run: Math.min(0, run) - 1 } };
}

/** The state after an assumed limit was lowered: the pauses between tries go on growing. */
function withLongerPause(
  lowered: LimiterState,
  before: LimiterState,
  limit: Limit,
  max: number,
  now: number,
): LimiterState {
  const { run = 0 } = believed(before, now) ?? {};
  return limit.assumed === true && run < 0 ? { ...lowered, learnt: { max, at: now, run: run - 1 } } : lowered;
}

/**
 * The state after a refusal that reports no limit. The limit is what the provider admitted in the window, if that is
 * less than the limit in force. A refusal just below the assumed limit first widens the margin. `isYoung`: the account
 * is known for less than a window, so the limit may be higher and is probed soon. spec 5.7
 */
export function withRefusal(
  limiter: LimiterState,
  charge: Charge,
  isYoung: boolean,
  now: number,
): LimiterState {
  const { limit } = charge;
  // Most of a day's quota may have been spent before counting began.
  if (limit.unit !== 'requests' || limit.kind === 'token-bucket' || isLong(limit)) return limiter;
  const noted = withRefused(limiter, charge, now);
  const certain = certainMax(limiter, limit, now);
  const learnt = certain ?? learntMax(limiter, now);
  const admitted = admittedOf(noted, limit, now);
  if (learnt !== undefined && confirmsLearnt(limiter, charge, admitted, learnt, now)) {
    if (certain === undefined) return { ...noted, learnt: { max: learnt, at: now } };
    return withRefusedTry(noted, charge, certain, now);
  }
  const next = withLowerLimit(noted, charge, now);
  const max = learntMax(next, now);
  if (max === undefined) return next;
  if (max < 1 || max >= maxInForce(limiter, limit, now)) return noted;
  return isYoung
    ? { ...next, learnt: { max, at: now, increasing: true } }
    : withLongerPause(next, limiter, limit, max, now);
}

/** The longest pause of a limit that admits nothing. */
const LONGEST_PAUSE_MS = HOUR_MS;

/**
 * Epoch ms until which a limit pauses of which nothing has passed since its last pause: twice as long each time, because
 * the provider's own window must be longer or fuller. Undefined if something passed.
 * @param isExplained - Whether the refused request went beyond what was known to pass. Then it says nothing of the
 *   window, unless nothing at all was admitted. spec 5.6
 */
export function repeatedPauseUntil(
  limiter: LimiterState,
  { limit, sentAt }: Charge,
  isExplained: boolean,
  now: number,
): number | undefined {
  if (limiter.full === undefined || !isRefusedAgain(limiter, limit, sentAt, now)) return undefined;
  const { since, until } = limiter.full;
  const isEmpty = admittedOf(limiter, limit, now) <= 0;
  if (isExplained && !isEmpty) return undefined;
  return now + Math.min(isEmpty ? LONGEST_PAUSE_MS : windowOf(limit) / 4, 2 * (until - since));
}

/** The state with a limit that was shown or reported. A limit of the user's own is never raised. */
export function withLearntLimit(limiter: LimiterState, limit: Limit, max: number, now: number): LimiterState {
  if (max < limit.max || (max > limit.max && limit.isOwn !== true))
    return { ...limiter, learnt: { max, at: now } };
  if (limiter.learnt === undefined) return limiter;
  const { learnt: _, ...rest } = limiter;
  return rest;
}

/** The state after a probe of a learnt limit was served: the limit is at least one higher. spec 5.5 */
export function withServedProbe(limiter: LimiterState, charge: Charge, now: number): LimiterState {
  const { limit, sentAt } = charge;
  if (certainMax(limiter, limit, now) !== undefined) return withServedTry(limiter, charge, now);
  const learnt = believed(limiter, now);
  if (learnt === undefined || learnt.stated === true || sentAt < learnt.at) return limiter;
  // The provider refused another request in the place of the probe.
  if (limiter.full !== undefined && limiter.full.since >= sentAt) return limiter;
  const next = withLearntLimit(limiter, limit, learnt.max + 1, now);
  return next.learnt === undefined ? next : { ...next, learnt: { ...next.learnt, increasing: true } };
}

/** How many requests of the window passed, now that this one was served. Of those sent shortly before it, some may have been refused since. */
function passedWith({ refused = [] }: LimiterState, { count, returnsAt: at }: Charge): number {
  return refused
    .filter(([returned]) => returned > at - IN_FLIGHT_MS && returned <= at)
    .reduce((passed, [, cost]) => passed - cost, count);
}

/** The state after a request of a try was served: so many pass. Its last one ends the try. spec 5.17 */
function withServedTry(limiter: LimiterState, charge: Charge, now: number): LimiterState {
  const { limit, sentAt, completes } = charge;
  const { tried } = limiter;
  const certain = certainMax(limiter, limit, now);
  if (certain === undefined || tried === undefined || sentAt < tried.at) return limiter;
  const { at = tried.at, run = 0 } = believed(limiter, now) ?? {};
  const max = Math.max(certain, passedWith(limiter, charge));
  if (completes === true && sentAt >= at && max > tried.from) {
    const { tried: _, ...rest } = limiter;
    return { ...rest, learnt: { max, at: now, run: Math.max(0, run) + 1 } };
  }
  return max > certain ? { ...limiter, learnt: { max, at, run } } : limiter;
}
