/** How the outcome of an attempt changes the limits of an account. */

import { type AccountRecord, limiterName, limiterOf } from '../records/account.ts';
import { type Reservation, isHeldWhileRunning, withLimiters, refundAll, withEntry } from './reserve.ts';
import { blameOf } from './blame.ts';
import { type Failure, windowFilledBy } from '../failure.ts';
import { entryOf } from '../json.ts';
import {
  repeatedPauseUntil,
  withRefusal,
  withReported,
  withReportedRefusal,
  withServedProbe,
} from '../limits/learning.ts';
import { isPaceHint, withPacedRefusal, withPacedSuccess } from '../limits/pace.ts';
import { horizonMs, isLong, type Limit, returnsAt, windowOf, type ReportedQuota } from '../limits/limit.ts';
import {
  type Charge,
  refund,
  readyAtOf,
  type Spent,
  withCost,
  withFull,
  withSpent,
  type LimiterState,
} from '../limits/window.ts';
import { HOUR_MS, MINUTE_MS } from '../time.ts';

/** The tokens that the provider counted, if it reports them. */
export interface TokensUsed {
  /** The tokens of the prompt. */
  readonly input?: number | undefined;
  /** The tokens of prompt and answer. */
  readonly total?: number | undefined;
  /** The tokens of the prompt that the provider had in its cache. */
  readonly cached?: number | undefined;
}

/** The account after `change` was applied to the limits of some charges. */
function withEachCharge(
  account: AccountRecord,
  charges: readonly Charge[],
  change: (limiter: LimiterState, charge: Charge) => LimiterState,
): AccountRecord {
  let limiters = account.limiters;
  for (const charge of charges) {
    const limiter = entryOf(limiters, charge.limiter);
    if (limiter !== undefined) limiters = withEntry(limiters, charge.limiter, change(limiter, charge));
  }
  return withLimiters(account, limiters);
}

/** Replaces the estimated cost of a request by the cost of its answer. spec 5.5 */
function settleTokens(limiter: LimiterState, charge: Charge, tokens: TokensUsed, now: number): LimiterState {
  const { limit, returnsAt: at } = charge;
  const counted = limit.counts === 'input' ? (tokens.input ?? tokens.total) : tokens.total;
  if (limit.unit !== 'tokens' || counted === undefined) return limiter;
  const cost = limit.countsCached === false ? counted - (tokens.cached ?? 0) : counted;
  if (cost === charge.cost) return limiter;
  const free = refund(limiter, charge, now);
  return cost <= 0 || at <= now ? free : withCost(free, limit, cost, at, now);
}

/** The account after an answer reported quotas. spec 5.8 */
export function withReportedQuotas(
  account: AccountRecord,
  { target }: Pick<Reservation, 'target'>,
  quotas: readonly ReportedQuota[] | undefined,
  now: number,
): AccountRecord {
  if (quotas === undefined || quotas.length === 0) return account;
  const { model } = target.route;
  let limiters = account.limiters;
  for (const limit of target.account.limits(model)) {
    const limiter = withReported(limiterOf(account, limit, model), limit, quotas, now);
    limiters = withEntry(limiters, limiterName(limit, model), limiter);
  }
  return withLimiters(account, limiters);
}

/** The state without a doubt that a served request refutes: more passed than the account's limit would have been. spec 5.18 */
function withoutRefutedDoubt(limiter: LimiterState, { sentAt, count }: Charge): LimiterState {
  if (limiter.doubt === undefined) return limiter;
  const { doubt, ...rest } = limiter;
  return sentAt < doubt.at || count <= doubt.max ? limiter : rest;
}

/** The account after a success. spec 5.5 */
export function afterSuccess(
  account: AccountRecord,
  reservation: Reservation,
  success: {
    readonly tokens?: TokensUsed | undefined;
    readonly reported?: readonly ReportedQuota[] | undefined;
  },
  now: number,
): AccountRecord {
  const settled = withEachCharge(account, reservation.charges, (limiter, charge) => {
    if (isHeldWhileRunning(charge)) return refund(limiter, charge, now);
    const { pace } = limiter;
    const sure = withoutRefutedDoubt(limiter, charge);
    const paced = pace === undefined ? sure : { ...sure, pace: withPacedSuccess(pace, charge.sentAt) };
    const counted = success.tokens === undefined ? paced : settleTokens(paced, charge, success.tokens, now);
    return charge.probes ? withServedProbe(counted, charge, now) : counted;
  });
  return withReportedQuotas(settled, reservation, success.reported, now);
}

/** The account after the caller aborted. Quota is refunded only if the request was not sent. spec 5.4 */
export function afterAbort(
  account: AccountRecord,
  { charges }: Reservation,
  sent: boolean,
  now: number,
): AccountRecord {
  return refundAll(account, sent ? charges.filter(isHeldWhileRunning) : charges, now);
}

/** The limits that may have refused: those of the failure's scope and window and, if it names one, its unit. spec 5.6 */
export function refusingLimits({ target }: Reservation, failure: Failure): readonly Limit[] {
  const window = windowFilledBy(failure.kind);
  if (window === undefined || (failure.scope !== 'account' && failure.scope !== 'account-model')) return [];
  return target.account
    .limits(target.route.model)
    .filter(
      (limit) =>
        limit.kind !== 'concurrency' &&
        limit.per === failure.scope &&
        isLong(limit) === (window === 'day') &&
        (failure.unit === undefined || limit.unit === failure.unit),
    );
}

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
  charge: Charge | undefined,
  { retryAt }: Failure,
  now: number,
): number {
  return retryAt === undefined && charge !== undefined ? (repeatedPauseUntil(limiter, charge, now) ?? 0) : 0;
}

/** The account after a refusal: the limits that refused are full, and the refusal corrects them. spec 5.6 */
function withRefusedLimits(
  account: AccountRecord,
  reservation: Reservation,
  failure: Failure,
  now: number,
): AccountRecord {
  const { model } = reservation.target.route;
  const blame = blameOf(account, reservation, refusingLimits(reservation, failure), failure, now);
  let { limiters } = blame.account;
  for (const limit of blame.limits) {
    const { learnt: known, charge } = withHintedReturn(
      limiterOf(blame.account, limit, model),
      reservation.charges.find((one) => one.limit === limit),
      limit,
      failure,
      now,
    );
    const isYoung = Math.abs(now - (account.since ?? now)) < windowOf(limit);
    let learnt = known;
    const isEarly = isEarlyHint(limit, learnt, failure, now);
    if (failure.reportedLimit !== undefined) learnt = learnReportedLimit(learnt, limit, charge, failure, now);
    else if (failure.uncounted !== true && charge !== undefined && !isEarly && blame.isLearnt !== true)
      learnt = withRefusal(learnt, charge, isYoung, now);
    const pauseUntil = unhintedPauseUntil(learnt, charge, failure, now);
    if (charge !== undefined && isCountedInHint(limit, failure, isEarly))
      learnt = withoutRefused(learnt, charge, now);
    if (isEarly && charge !== undefined) learnt = withLearntPace(learnt, charge, failure, now);
    if (failure.oversized === true) {
      limiters = withEntry(limiters, limiterName(limit, model), learnt);
      continue;
    }
    const limiter = withFull(learnt, Math.max(refusedUntil(limit, learnt, failure, now), pauseUntil), now);
    limiters = withEntry(limiters, limiterName(limit, model), limiter);
  }
  return withLimiters(account, limiters);
}

/** The charges that the provider did not count: all, or those of tokens if it refused to process the request. spec 5.6 */
function uncountedCharges({ charges }: Reservation, failure: Failure): readonly Charge[] {
  if (failure.uncounted === true) return charges;
  const refused = failure.status !== undefined && failure.status >= 400;
  return charges.filter(
    (charge) => isHeldWhileRunning(charge) || (refused && charge.limit.unit === 'tokens'),
  );
}

/** The account after a failure. spec 5.6 */
export function afterFailure(
  account: AccountRecord,
  reservation: Reservation,
  failure: Failure,
  now: number,
): AccountRecord {
  const filled = withRefusedLimits(account, reservation, failure, now);
  return withReportedQuotas(
    refundAll(filled, uncountedCharges(reservation, failure), now),
    reservation,
    failure.reported,
    now,
  );
}
