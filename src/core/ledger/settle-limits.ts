/** How the outcome of an attempt changes the limits of an account. */

import { type AccountRecord, limiterName, limiterOf } from '../records/account.ts';
import { type Reservation, isHeldWhileRunning, withLimiters, refundAll, withEntry } from './reserve.ts';
import { blameOf } from './blame.ts';
import { dayBlameOf } from './minute-or-day.ts';
import { type Failure, windowFilledBy } from '../failure.ts';
import { entryOf } from '../json.ts';
import { withServedProbe } from '../limits/learning.ts';
import { withReported } from '../limits/reported.ts';
import type { LimiterState } from '../limits/state.ts';
import { type Charge, refund, withCost } from '../limits/window.ts';
import { withPacedSuccess } from '../limits/pace.ts';
import { isLong, type Limit, type ReportedQuota, windowOf } from '../limits/limit.ts';
import { refusedLimiter } from './refused-limit.ts';

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

/** The state without a doubt that a served request refutes: more passed than the limit would have been. spec 5.18, 5.19 */
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

/** The account after a refusal: the limits that refused are full, and the refusal corrects them. spec 5.6 */
function withRefusedLimits(
  account: AccountRecord,
  reservation: Reservation,
  failure: Failure,
  now: number,
): AccountRecord {
  const { model } = reservation.target.route;
  const refusing = refusingLimits(reservation, failure);
  const day = dayBlameOf(account, reservation, refusing, failure, now);
  if (day.isOfDay) return day.account;
  const blame = blameOf(day.account, reservation, refusing, failure, now);
  let { limiters } = blame.account;
  for (const limit of blame.limits) {
    const limiter = limiterOf(blame.account, limit, model);
    const charge = reservation.charges.find((one) => one.limit === limit);
    const isYoung = Math.abs(now - (account.since ?? now)) < windowOf(limit);
    const isLearnt = blame.isLearnt === true;
    const next = refusedLimiter(limiter, { limit, charge, failure, isYoung, isLearnt }, now);
    limiters = withEntry(limiters, limiterName(limit, model), next);
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
