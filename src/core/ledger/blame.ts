/**
 * Which limit refused a request if the refusal does not say: the model's or that of the whole account. Both are assumed, so
 * both are hypotheses. A refusal counts against the one that explains it. If neither does, it counts against the model's, in
 * doubt; the same number of requests at the refusal of another model shows that the account's refused. spec 5.18
 */

import { type AccountRecord, limiterName, limiterOf } from '../records/account.ts';
import type { Failure } from '../failure.ts';
import { entryOf } from '../json.ts';
import { believedDoubt, maxBeforeDoubt } from '../limits/in-force.ts';
import { admittedOf, explainsRefusal, withRefused } from '../limits/learning.ts';
import type { LimiterState } from '../limits/state.ts';
import { type Charge, usedOf } from '../limits/window.ts';
import { isLong, type Limit } from '../limits/limit.ts';
import { type Reservation, withEntry } from './reserve.ts';

/** The limits that a refusal counts against, and the account with what it leaves in doubt. */
interface Blame {
  readonly account: AccountRecord;
  readonly limits: readonly Limit[];
  /** Whether the account has learnt from it already. */
  readonly isLearnt?: boolean;
}

type Doubt = NonNullable<LimiterState['doubt']>;

/** Two refusals show one limit if their numbers of requests differ by no more than this part, or by one. */
const TOLERANCE = 0.15;

/** Whether a refusal fits the limit in doubt. The provider may count refused requests: between `admitted` and `used` had passed. */
function fits(doubted: number, admitted: number, used: number): boolean {
  const tolerance = Math.max(1, doubted * TOLERANCE);
  return admitted - tolerance <= doubted && doubted <= used + tolerance;
}

function isDoubtful(limit: Limit): boolean {
  const isShort = limit.kind === 'sliding-window' || limit.kind === 'fixed-window';
  return limit.assumed === true && limit.unit === 'requests' && isShort && !isLong(limit);
}

/** The charge on the account's limit, if that may have refused in place of the model's. */
function sharedCharge({ charges }: Reservation, failure: Failure): Charge | undefined {
  const { scope, unit = 'requests', reportedLimit, retryAt, uncounted } = failure;
  const isSilent = reportedLimit === undefined && retryAt === undefined && uncounted !== true;
  if (scope !== 'account-model' || unit !== 'requests' || !isSilent) return undefined;
  return charges.find(({ limit }) => limit.per === 'account' && isDoubtful(limit));
}

/** The account whose limit was in doubt and is now shown. What the doubt taught about its model is forgotten. */
function withShownLimit(
  account: AccountRecord,
  { target }: Reservation,
  shown: {
    readonly name: string;
    readonly noted: LimiterState;
    readonly doubt: Doubt;
    readonly sentAt: number;
    readonly admitted: number;
  },
  now: number,
): AccountRecord {
  const { max, model, at } = shown.doubt;
  const { doubt: _doubt, ...rest } = shown.noted;
  // The number was counted at the doubt. What was sent after that does not belong to its burst.
  const learntNow = shown.sentAt > at ? { max, at } : { max: shown.admitted, at: now };
  let limiters = withEntry<LimiterState>(account.limiters, shown.name, { ...rest, learnt: learntNow });
  for (const limit of target.account.limits(model)) {
    const { learnt, full: _full, ...own } = limiterOf(account, limit, model);
    if (limit.per === 'account-model' && learnt?.at === at)
      limiters = withEntry<LimiterState>(limiters, limiterName(limit, model), own);
  }
  return { ...account, limiters };
}

/** @param refusing - The limits of the failure's scope. */
export function blameOf(
  account: AccountRecord,
  reservation: Reservation,
  refusing: readonly Limit[],
  failure: Failure,
  now: number,
): Blame {
  const shared = sharedCharge(reservation, failure);
  const own = reservation.charges.find(({ limit }) => refusing.includes(limit) && isDoubtful(limit));
  if (shared === undefined || own === undefined) return { account, limits: refusing };
  const [limiter, ownLimiter] = [shared, own].map((one) => entryOf(account.limiters, one.limiter));
  if (limiter === undefined || ownLimiter === undefined) return { account, limits: refusing };
  const noted = withRefused(limiter, shared, now);
  const admitted = admittedOf(noted, shared.limit, now);
  const { model } = reservation.target.route;
  const doubted = believedDoubt(limiter, now);
  const used = usedOf(limiter, shared.limit, now) - shared.cost;
  const near = doubted !== undefined && fits(doubted.max, admitted, used) ? doubted : undefined;
  // In one burst, each refusal shows less. Later, fewer may pass because the provider counts refused requests.
  const isLater = near !== undefined && shared.sentAt > near.at;
  const doubt = { max: isLater ? Math.max(admitted, near.max) : admitted, model, at: now };
  const isOpen = doubt.max >= 1 && doubt.max < maxBeforeDoubt(limiter, shared.limit, now);
  const limiters = withEntry(account.limiters, shared.limiter, isOpen ? { ...noted, doubt } : noted);
  const inDoubt = { account: { ...account, limiters }, limits: refusing };
  // A request for another model will show whether the account's limit explains it as well.
  if (explainsRefusal(ownLimiter, own, now)) return inDoubt;
  if (near !== undefined && near.model !== model) {
    const { limiter: name, sentAt } = shared;
    const known = withShownLimit(account, reservation, { name, noted, doubt: near, sentAt, admitted }, now);
    return { account: known, limits: [shared.limit], isLearnt: true };
  }
  const { doubt: _, ...certain } = limiter;
  return explainsRefusal(certain, shared, now) ? { account, limits: [shared.limit] } : inDoubt;
}
