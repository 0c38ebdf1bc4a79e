/** What the outcome of an attempt changes in an account's meters. */

import { type AccountRecord, bucketName, bucketOf } from '../records/account.ts';
import { type Booking, isReturned, patched, refund, withEntry } from './reserve.ts';
import { type Failure, FAILURE_EFFECTS } from '../failure.ts';
import { observed, raised, refusedBy, restsUntil, shrunk } from '../limits/learning.ts';
import { horizonMs, isLong, type Meter, returnsAt, windowOf, type Observation } from '../limits/limit.ts';
import { type Expense, giveBack, readyAtOf, spend, fill, type TokenBucket } from '../limits/window.ts';

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
  expenses: readonly Expense[],
  change: (bucket: TokenBucket, expense: Expense) => TokenBucket,
): AccountRecord {
  let buckets = account.buckets;
  for (const expense of expenses) {
    const bucket = buckets[expense.bucket];
    if (bucket !== undefined) buckets = withEntry(buckets, expense.bucket, change(bucket, expense));
  }
  return patched(account, { buckets });
}

/** Puts what an answer cost in the place of what it was estimated to cost. */
function settleTokens(bucket: TokenBucket, expense: Expense, tokens: TokensUsed, now: number): TokenBucket {
  const { meter, returnsAt: at } = expense;
  const cost = meter.counts === 'input' ? (tokens.input ?? tokens.total) : tokens.total;
  if (meter.unit !== 'tokens' || cost === undefined || cost === expense.cost) return bucket;
  const free = giveBack(bucket, expense, now);
  return cost <= 0 || at <= now ? free : spend(free, meter, cost, { now, at });
}

/** Whoever serves one request more than the learnt limit has a higher one. */
function settleProbe(bucket: TokenBucket, expense: Expense, now: number): TokenBucket {
  return expense.probes ? raised(bucket, expense, now) : bucket;
}

/** Takes what an answer told about the quotas. */
export function observe(
  account: AccountRecord,
  { pick }: Pick<Booking, 'pick'>,
  observations: readonly Observation[] | undefined,
  now: number,
): AccountRecord {
  if (observations === undefined || observations.length === 0) return account;
  const { model } = pick.route;
  let buckets = account.buckets;
  for (const meter of pick.account.meters(model)) {
    const bucket = observed(bucketOf(account, meter, model), meter, observations, now);
    buckets = withEntry(buckets, bucketName(meter, model), bucket);
  }
  return patched(account, { buckets });
}

/** The account after an answer. */
export function afterSuccess(
  account: AccountRecord,
  booking: Booking,
  told: { readonly tokens?: TokensUsed | undefined; readonly observed?: readonly Observation[] | undefined },
  now: number,
): AccountRecord {
  const settled = changed(account, booking.spent, (bucket, expense) => {
    if (isReturned(expense)) return giveBack(bucket, expense, now);
    const counted = told.tokens === undefined ? bucket : settleTokens(bucket, expense, told.tokens, now);
    return settleProbe(counted, expense, now);
  });
  return observe(settled, booking, told.observed, now);
}

/** The account after its caller walked away; of what was `sent`, quota was spent. */
export function afterLeaving(
  account: AccountRecord,
  { spent }: Booking,
  sent: boolean,
  now: number,
): AccountRecord {
  return refund(account, sent ? spent.filter(isReturned) : spent, now);
}

/** The meters that a refusal speaks of: those of its scope, its window and, where it says so, its unit. */
export function refusingMeters({ pick }: Booking, failure: Failure): readonly Meter[] {
  const window = FAILURE_EFFECTS[failure.kind].fills;
  if (window === undefined || (failure.scope !== 'account' && failure.scope !== 'account-model')) return [];
  return pick.account
    .meters(pick.route.model)
    .filter(
      (meter) =>
        meter.kind !== 'concurrency' &&
        meter.per === failure.scope &&
        isLong(meter) === (window === 'day') &&
        (failure.unit === undefined || meter.unit === failure.unit),
    );
}

/** A long window of which nobody says when it ends is tried again after this long. */
const LONG_WAIT_MS = 60 * 60 * 1000;

/** The next moment at which something of a bucket comes back that was spent before what was refused. */
function nextBack({ spent }: TokenBucket, meter: Meter, now: number): number | undefined {
  const moments = spent.map(([at]) => at).filter((at) => at > now && at <= now + horizonMs(meter));
  const [next] = moments;
  const last = moments.at(-1);
  return next !== undefined && last !== undefined && next < last ? next : undefined;
}

/** When a refused meter is free again: as the provider says, else as the meter itself counts. */
function refusedUntil(meter: Meter, bucket: TokenBucket, failure: Failure, now: number): number {
  if (failure.retryAt !== undefined) return failure.retryAt;
  const readyAt = readyAtOf(bucket, meter, 1, now);
  if (readyAt > now && Number.isFinite(readyAt)) return readyAt;
  // Whoever is refused although something should be left is admitted when the next comes back.
  const next = isLong(meter) ? undefined : nextBack(bucket, meter, now);
  if (next !== undefined) return next;
  if (meter.kind === 'daily' || meter.kind === 'monthly' || meter.kind === 'refilling-bucket')
    return returnsAt(meter, now);
  return Math.min(returnsAt(meter, now), now + LONG_WAIT_MS);
}

function isStated(meter: Meter, { statedLimit, unit = 'requests' }: Failure): boolean {
  return statedLimit !== undefined && statedLimit > 0 && meter.unit === unit;
}

/** A refusal of one meter. */
interface Refusal {
  readonly failure: Failure;
  readonly expense: Expense | undefined;
  readonly now: number;
  /** Whether its requests are counted for less than its window. */
  readonly isYoung: boolean;
}

/** A refused meter, and what the refusal shows of its limit. */
function refusedBucket(bucket: TokenBucket, meter: Meter, refusal: Refusal): TokenBucket {
  const { failure, expense, now } = refusal;
  const known = isStated(meter, failure)
    ? refusedBy(bucket, expense, meter, { limit: failure.statedLimit ?? 0, now })
    : failure.statedLimit === undefined && failure.uncounted !== true && expense !== undefined
      ? shrunk(bucket, expense, refusal)
      : bucket;
  const rests =
    failure.retryAt === undefined && expense !== undefined ? restsUntil(known, expense, now) : undefined;
  return fill(known, Math.max(refusedUntil(meter, known, failure, now), rests ?? 0), now);
}

/** The meters that refused become full, and what the refusal shows of their limits is learnt. */
function fillMeters(account: AccountRecord, booking: Booking, failure: Failure, now: number): AccountRecord {
  let buckets = account.buckets;
  const { model } = booking.pick.route;
  for (const meter of refusingMeters(booking, failure)) {
    const refusal: Refusal = {
      failure,
      expense: booking.spent.find((one) => one.meter === meter),
      now,
      isYoung: Math.abs(now - (account.since ?? now)) < windowOf(meter),
    };
    const bucket = refusedBucket(bucketOf(account, meter, model), meter, refusal);
    buckets = withEntry(buckets, bucketName(meter, model), bucket);
  }
  return patched(account, { buckets });
}

/** What was not counted for a refused request: nothing at all, or none of its tokens, since it was never processed. */
function uncounted({ spent }: Booking, failure: Failure): readonly Expense[] {
  if (failure.uncounted === true) return spent;
  const refused = failure.status !== undefined && failure.status >= 400;
  return spent.filter((expense) => isReturned(expense) || (refused && expense.meter.unit === 'tokens'));
}

/** The account after a failure. */
export function afterFailure(
  account: AccountRecord,
  booking: Booking,
  failure: Failure,
  now: number,
): AccountRecord {
  const filled = fillMeters(account, booking, failure, now);
  return observe(refund(filled, uncounted(booking, failure), now), booking, failure.observed, now);
}
