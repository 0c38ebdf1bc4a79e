/** How the outcome of an attempt changes the limits of an account. */

import { type AccountRecord, limiterName, limiterOf } from '../records/account.ts';
import { type Reservation, isHeldWhileRunning, withMembers, refundAll, withEntry } from './reserve.ts';
import { type Failure, windowFilledBy } from '../failure.ts';
import {
  emptyWindowPauseUntil,
  withRefusal,
  withReported,
  withReportedRefusal,
  withServedProbe,
} from '../limits/learning.ts';
import { horizonMs, isLong, type Limit, returnsAt, windowOf, type ReportedQuota } from '../limits/limit.ts';
import { type Charge, refund, readyAtOf, withCost, withFull, type LimiterState } from '../limits/window.ts';
import { HOUR_MS } from '../time.ts';

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
    const limiter = limiters[charge.limiter];
    if (limiter !== undefined) limiters = withEntry(limiters, charge.limiter, change(limiter, charge));
  }
  return withMembers(account, { limiters });
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
  return withMembers(account, { limiters });
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
    const counted =
      success.tokens === undefined ? limiter : settleTokens(limiter, charge, success.tokens, now);
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

/** The account after a refusal: the limits that refused are full, and the refusal corrects them. spec 5.6 */
function withRefusedLimits(
  account: AccountRecord,
  reservation: Reservation,
  failure: Failure,
  now: number,
): AccountRecord {
  let limiters = account.limiters;
  const { model } = reservation.target.route;
  for (const limit of refusingLimits(reservation, failure)) {
    const charge = reservation.charges.find((one) => one.limit === limit);
    const isYoung = Math.abs(now - (account.since ?? now)) < windowOf(limit);
    let learnt = limiterOf(account, limit, model);
    if (failure.reportedLimit !== undefined) learnt = learnReportedLimit(learnt, limit, charge, failure, now);
    else if (failure.uncounted !== true && charge !== undefined)
      learnt = withRefusal(learnt, charge, isYoung, now);
    const pauseUntil =
      failure.retryAt === undefined && charge !== undefined
        ? (emptyWindowPauseUntil(learnt, charge, now) ?? 0)
        : 0;
    const limiter = withFull(learnt, Math.max(refusedUntil(limit, learnt, failure, now), pauseUntil), now);
    limiters = withEntry(limiters, limiterName(limit, model), limiter);
  }
  return withMembers(account, { limiters });
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
