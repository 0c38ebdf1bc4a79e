/** What the outcome of an attempt changes in an account's meters. */

import { type AccountRecord, limiterName, limiterOf } from '../records/account.ts';
import { type Reservation, isReturned, patched, refundAll, withEntry } from './reserve.ts';
import { type Failure, FAILURE_EFFECTS } from '../failure.ts';
import { withReported, raised, refusedBy, restUntil, shrunk } from '../limits/learning.ts';
import { horizonMs, isLong, type Limit, returnsAt, windowOf, type ReportedQuota } from '../limits/limit.ts';
import { type Charge, refund, readyAtOf, addCharge, fill, type LimiterState } from '../limits/window.ts';
import { HOUR_MS } from '../time.ts';

/** What the provider counted for an answer, where it tells. */
export interface TokensUsed {
  /** Those of the prompt. */
  readonly input?: number | undefined;
  /** Those of the prompt and the answer. */
  readonly total?: number | undefined;
}

/** Changes some buckets of an account. */
function changed(
  account: AccountRecord,
  charges: readonly Charge[],
  change: (limiter: LimiterState, charge: Charge) => LimiterState,
): AccountRecord {
  let limiters = account.limiters;
  for (const charge of charges) {
    const limiter = limiters[charge.limiter];
    if (limiter !== undefined) limiters = withEntry(limiters, charge.limiter, change(limiter, charge));
  }
  return patched(account, { limiters });
}

/** Puts what an answer cost in the place of what it was estimated to cost. */
function settleTokens(limiter: LimiterState, charge: Charge, tokens: TokensUsed, now: number): LimiterState {
  const { limit, returnsAt: at } = charge;
  const cost = limit.counts === 'input' ? (tokens.input ?? tokens.total) : tokens.total;
  if (limit.unit !== 'tokens' || cost === undefined || cost === charge.cost) return limiter;
  const free = refund(limiter, charge, now);
  return cost <= 0 || at <= now ? free : addCharge(free, limit, cost, { now, at });
}

/** Whoever serves one request more than the learnt limit has a higher one. */
function settleProbe(limiter: LimiterState, charge: Charge, now: number): LimiterState {
  return charge.probes ? raised(limiter, charge, now) : limiter;
}

/** Takes what an answer told about the quotas. */
export function withReportedQuotas(
  account: AccountRecord,
  { target }: Pick<Reservation, 'target'>,
  observations: readonly ReportedQuota[] | undefined,
  now: number,
): AccountRecord {
  if (observations === undefined || observations.length === 0) return account;
  const { model } = target.route;
  let limiters = account.limiters;
  for (const limit of target.account.limits(model)) {
    const limiter = withReported(limiterOf(account, limit, model), limit, observations, now);
    limiters = withEntry(limiters, limiterName(limit, model), limiter);
  }
  return patched(account, { limiters });
}

/** The account after an answer. */
export function afterSuccess(
  account: AccountRecord,
  reservation: Reservation,
  told: {
    readonly tokens?: TokensUsed | undefined;
    readonly reported?: readonly ReportedQuota[] | undefined;
  },
  now: number,
): AccountRecord {
  const settled = changed(account, reservation.charges, (limiter, charge) => {
    if (isReturned(charge)) return refund(limiter, charge, now);
    const counted = told.tokens === undefined ? limiter : settleTokens(limiter, charge, told.tokens, now);
    return settleProbe(counted, charge, now);
  });
  return withReportedQuotas(settled, reservation, told.reported, now);
}

/** The account after its caller walked away; of what was `sent`, quota was spent. */
export function afterLeaving(
  account: AccountRecord,
  { charges }: Reservation,
  sent: boolean,
  now: number,
): AccountRecord {
  return refundAll(account, sent ? charges.filter(isReturned) : charges, now);
}

/** The meters that a refusal speaks of: those of its scope, its window and, where it says so, its unit. */
export function refusingLimits({ target }: Reservation, failure: Failure): readonly Limit[] {
  const window = FAILURE_EFFECTS[failure.kind].fills;
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

/** A long window of which nobody says when it ends is tried again after this long. */
const LONG_WAIT_MS = HOUR_MS;

/** The next moment at which something of a bucket comes back that was spent before what was refused. */
function nextBack({ spent }: LimiterState, limit: Limit, now: number): number | undefined {
  const moments = spent.map(([at]) => at).filter((at) => at > now && at <= now + horizonMs(limit));
  const [next] = moments;
  const last = moments.at(-1);
  return next !== undefined && last !== undefined && next < last ? next : undefined;
}

/** When a refused meter is free again: as the provider says, else as the meter itself counts. */
function refusedUntil(limit: Limit, limiter: LimiterState, failure: Failure, now: number): number {
  if (failure.retryAt !== undefined) return failure.retryAt;
  const readyAt = readyAtOf(limiter, limit, 1, now);
  if (readyAt > now && Number.isFinite(readyAt)) return readyAt;
  // Whoever is refused although something should be left is admitted when the next comes back.
  const next = isLong(limit) ? undefined : nextBack(limiter, limit, now);
  if (next !== undefined) return next;
  if (limit.kind === 'daily' || limit.kind === 'monthly' || limit.kind === 'token-bucket')
    return returnsAt(limit, now);
  return Math.min(returnsAt(limit, now), now + LONG_WAIT_MS);
}

function hasReportedLimit(limit: Limit, { reportedLimit, unit = 'requests' }: Failure): boolean {
  return reportedLimit !== undefined && reportedLimit > 0 && limit.unit === unit;
}

/** A refusal of one meter. */
interface Refusal {
  readonly failure: Failure;
  readonly charge: Charge | undefined;
  readonly now: number;
  /** Whether its requests are counted for less than its window. */
  readonly isYoung: boolean;
}

/** A refused meter, and what the refusal shows of its limit. */
function refusedLimiter(limiter: LimiterState, limit: Limit, refusal: Refusal): LimiterState {
  const { failure, charge, now } = refusal;
  const known = hasReportedLimit(limit, failure)
    ? refusedBy(limiter, charge, limit, { max: failure.reportedLimit ?? 0, now })
    : failure.reportedLimit === undefined && failure.uncounted !== true && charge !== undefined
      ? shrunk(limiter, charge, refusal)
      : limiter;
  const rests =
    failure.retryAt === undefined && charge !== undefined ? restUntil(known, charge, now) : undefined;
  return fill(known, Math.max(refusedUntil(limit, known, failure, now), rests ?? 0), now);
}

/** The meters that refused become full, and what the refusal shows of their limits is learnt. */
function fillLimits(
  account: AccountRecord,
  reservation: Reservation,
  failure: Failure,
  now: number,
): AccountRecord {
  let limiters = account.limiters;
  const { model } = reservation.target.route;
  for (const limit of refusingLimits(reservation, failure)) {
    const refusal: Refusal = {
      failure,
      charge: reservation.charges.find((one) => one.limit === limit),
      now,
      isYoung: Math.abs(now - (account.since ?? now)) < windowOf(limit),
    };
    const limiter = refusedLimiter(limiterOf(account, limit, model), limit, refusal);
    limiters = withEntry(limiters, limiterName(limit, model), limiter);
  }
  return patched(account, { limiters });
}

/** What was not counted for a refused request: nothing at all, or none of its tokens, since it was never processed. */
function uncounted({ charges }: Reservation, failure: Failure): readonly Charge[] {
  if (failure.uncounted === true) return charges;
  const refused = failure.status !== undefined && failure.status >= 400;
  return charges.filter((charge) => isReturned(charge) || (refused && charge.limit.unit === 'tokens'));
}

/** The account after a failure. */
export function afterFailure(
  account: AccountRecord,
  reservation: Reservation,
  failure: Failure,
  now: number,
): AccountRecord {
  const filled = fillLimits(account, reservation, failure, now);
  return withReportedQuotas(
    refundAll(filled, uncounted(reservation, failure), now),
    reservation,
    failure.reported,
    now,
  );
}
