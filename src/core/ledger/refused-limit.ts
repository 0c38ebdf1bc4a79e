/** How a refusal changes one limit: until when it is full, and what the hint or its absence shows. spec 5.6, 5.12, 5.14 */

import type { Failure } from '../failure.ts';
import { maxInForce } from '../limits/in-force.ts';
import { explainsRefusal, repeatedPauseUntil, withRefusal } from '../limits/learning.ts';
import { withReportedRefusal } from '../limits/reported.ts';
import { fullUntil, type LimiterState, type Spent, withFull, withSpent } from '../limits/state.ts';
import { type Charge, readyAtOf, refund, usedOf } from '../limits/window.ts';
import { isPaceHint, withPacedRefusal, withSlowStart } from '../limits/pace.ts';
import { horizonMs, isLong, type Limit, returnsAt, windowOf } from '../limits/limit.ts';
import { HOUR_MS, MINUTE_MS } from '../time.ts';

/** The pause of a long window whose end is not known. */
const LONG_WAIT_MS = HOUR_MS;

/** The next moment at which quota returns that was spent before the refused request. */
function nextReturn({ spent }: LimiterState, limit: Limit, now: number): number | undefined {
  const moments = spent.map(([at]) => at).filter((at) => at > now && at <= now + horizonMs(limit));
  const [next] = moments;
  const last = moments.at(-1);
  return next !== undefined && last !== undefined && next < last ? next : undefined;
}

/** A hint of the end of a minute may be off by this much: whole seconds, and clocks that disagree. */
const MINUTE_END_MS = 1000;
/** A hint may be this much earlier than our own count: delays, margins and whole seconds. */
const HINT_TOLERANCE_MS = 2000;

/**
 * Whether the provider asks for a retry before any quota of the window returns, or at its known pace: then the window did
 * not refuse, or was not spent by us. spec 5.12
 */
function isEarlyHint(
  limit: Limit,
  { spent, pace }: LimiterState,
  { retryAt }: Failure,
  now: number,
): boolean {
  if (retryAt === undefined || isLong(limit) || limit.unit !== 'requests') return false;
  if (isPaceHint(pace, retryAt, now)) return true;
  const next = spent.find(([at]) => at > now && at <= now + horizonMs(limit));
  return next !== undefined && retryAt < next[0] - HINT_TOLERANCE_MS;
}

/** Whether the hint tells when the route is ready, so that the refused request itself no longer counts. spec 5.12 */
function isCountedInHint(limit: Limit, { retryAt, reportedLimit }: Failure, isEarly: boolean): boolean {
  if (retryAt === undefined || isLong(limit) || limit.unit !== 'requests') return false;
  return isEarly || reportedLimit === undefined;
}

/** The limiter after a refusal with an early hint: if no limit was reported, the hint shows how fast requests pass. spec 5.14 */
function withLearntPace(
  limiter: LimiterState,
  { sentAt }: Charge,
  { retryAt, reportedLimit }: Failure,
  now: number,
): LimiterState {
  if (retryAt === undefined || reportedLimit !== undefined) return limiter;
  return { ...limiter, pace: withPacedRefusal(limiter.pace, sentAt, retryAt, now) };
}

function withoutRefused(limiter: LimiterState, charge: Charge, now: number): LimiterState {
  const { refused, ...rest } = refund(limiter, charge, now);
  const left = refused === undefined ? [] : refund({ spent: refused }, charge, now).spent;
  return left.length === 0 ? rest : { ...rest, refused: left };
}

/**
 * The limiter and the refused charge if the hint is the end of a minute of the clock: the provider counts such minutes,
 * so all that is spent returns then. spec 5.12
 */
function withHintedReturn(
  limiter: LimiterState,
  charge: Charge | undefined,
  limit: Limit,
  { retryAt = 0, reportedLimit }: Failure,
  now: number,
): { readonly learnt: LimiterState; readonly charge: Charge | undefined } {
  const isMinuteEnd = Math.abs(retryAt - Math.round(retryAt / MINUTE_MS) * MINUTE_MS) <= MINUTE_END_MS;
  if (limit.kind !== 'sliding-window' || windowOf(limit) !== MINUTE_MS || limit.unit !== 'requests')
    return { learnt: limiter, charge };
  const isShort = retryAt - now <= HINT_TOLERANCE_MS || isPaceHint(limiter.pace, retryAt, now);
  if (isShort || !isMinuteEnd || reportedLimit !== undefined) return { learnt: limiter, charge };
  const returned = (spent: readonly Spent[]): readonly Spent[] => {
    const later = spent.filter(([at]) => at > retryAt);
    if (later.length === 0) return spent;
    const earlier = spent.filter(([at]) => at <= retryAt);
    return withSpent(
      earlier,
      later.reduce((sum, [, count]) => sum + count, 0),
      retryAt,
      now,
    );
  };
  const { spent, refused } = limiter;
  const learnt = { ...limiter, spent: returned(spent), ...(refused && { refused: returned(refused) }) };
  return { learnt, charge: charge && { ...charge, returnsAt: Math.min(charge.returnsAt, retryAt) } };
}

/** When a limit that refused is free again: as the provider reported, else by our own count. spec 5.6 */
function refusedUntil(limit: Limit, limiter: LimiterState, failure: Failure, now: number): number {
  if (failure.retryAt !== undefined) return failure.retryAt;
  const readyAt = readyAtOf(limiter, limit, 1, now);
  if (readyAt > now && Number.isFinite(readyAt)) return readyAt;
  // The provider counted more than we did: the next return frees a place.
  const next = isLong(limit) ? undefined : nextReturn(limiter, limit, now);
  if (next !== undefined) return next;
  if (limit.kind === 'daily' || limit.kind === 'monthly' || limit.kind === 'token-bucket')
    return returnsAt(limit, now);
  return Math.min(returnsAt(limit, now), now + LONG_WAIT_MS);
}

/** The state of a limit after a refusal that reports a limit, which may be another one. spec 5.6 */
function learnReportedLimit(
  limiter: LimiterState,
  limit: Limit,
  charge: Charge | undefined,
  { reportedLimit = 0, unit = 'requests' }: Failure,
  now: number,
): LimiterState {
  if (reportedLimit <= 0 || limit.unit !== unit) return limiter;
  return withReportedRefusal(limiter, charge, limit, reportedLimit, now);
}

/** Epoch ms until which a limit pauses at least after a refusal without a hint; 0 if there is no reason. */
function unhintedPauseUntil(
  limiter: LimiterState,
  before: LimiterState,
  charge: Charge | undefined,
  { retryAt }: Failure,
  now: number,
): number {
  if (retryAt !== undefined || charge === undefined) return 0;
  return repeatedPauseUntil(limiter, charge, explainsRefusal(before, charge, now), now) ?? 0;
}

/**
 * Whether a limit refused without a hint before it was spent: then what waits should not all come back at once. spec 5.14
 * @param isRepeated - Whether nothing had passed since the limit's last pause.
 */
function isUnexpected(
  before: LimiterState,
  { limit, cost }: Charge,
  { retryAt, reportedLimit }: Failure,
  isRepeated: boolean,
  now: number,
): boolean {
  if (retryAt !== undefined || reportedLimit !== undefined) return false;
  if (isLong(limit) || limit.unit !== 'requests') return false;
  // A model's limit may be blamed for the account's refusal (5.18): its other requests would wait for nothing.
  if (limit.per !== 'account' && !isRepeated) return false;
  return usedOf(before, limit, now) - cost < maxInForce(before, limit, now);
}

/** The limiter that comes back with one request first, and then with more while they are served. spec 5.14 */
function withCare(limiter: LimiterState, { sentAt }: Charge, now: number): LimiterState {
  return { ...limiter, pace: withSlowStart(limiter.pace, sentAt, fullUntil(limiter, now), now) };
}

/** A refusal, as it concerns one limit. */
export interface LimitRefusal {
  readonly limit: Limit;
  /** What the refused request took from it. */
  readonly charge: Charge | undefined;
  readonly failure: Failure;
  /** Whether the account is known for less than a window. */
  readonly isYoung: boolean;
  /** Whether the limit's number has been learnt from it already. */
  readonly isLearnt: boolean;
}

/** The state of a limit after it refused: it is full, and the refusal corrects it. spec 5.6 */
export function refusedLimiter(limiter: LimiterState, refusal: LimitRefusal, now: number): LimiterState {
  const { limit, failure, isYoung, isLearnt } = refusal;
  const { learnt: known, charge } = withHintedReturn(limiter, refusal.charge, limit, failure, now);
  let learnt = known;
  const isEarly = isEarlyHint(limit, learnt, failure, now);
  if (failure.reportedLimit !== undefined) learnt = learnReportedLimit(learnt, limit, charge, failure, now);
  else if (failure.uncounted !== true && charge !== undefined && !isEarly && !isLearnt)
    learnt = withRefusal(learnt, charge, isYoung, now);
  const pauseUntil = unhintedPauseUntil(learnt, known, charge, failure, now);
  if (charge !== undefined && isCountedInHint(limit, failure, isEarly))
    learnt = withoutRefused(learnt, charge, now);
  if (isEarly && charge !== undefined) learnt = withLearntPace(learnt, charge, failure, now);
  if (failure.oversized === true) return learnt;
  const full = withFull(learnt, Math.max(refusedUntil(limit, learnt, failure, now), pauseUntil), now);
  if (charge === undefined || !isUnexpected(known, charge, failure, pauseUntil > 0, now)) return full;
  return withCare(full, charge, now);
}
