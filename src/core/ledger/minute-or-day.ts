/**
 * Which window refused a request if the refusal does not say: the minute's or the day's. Both are kept as hypotheses. A
 * request that is served later shows that the day is not spent. Refusals that go on when the minute's window has nearly
 * nothing left show that the minute did not refuse. spec 5.19
 */

import type { Failure } from '../failure.ts';
import { entryOf } from '../json.ts';
import { isLong, type Limit, returnsAt, windowOf } from '../limits/limit.ts';
import { withSlowStart } from '../limits/pace.ts';
import { believedDoubt, maxInForce } from '../limits/in-force.ts';
import { type LimiterState, withFull } from '../limits/state.ts';
import { type Charge, usedOf } from '../limits/window.ts';
import type { AccountRecord } from '../records/account.ts';
import { type Reservation, withEntry } from './reserve.ts';

/** What a refusal shows of the day. */
interface DayBlame {
  /** The account with the doubt about its day, or with a spent day. */
  readonly account: AccountRecord;
  /** Whether the day refused, and the minute did not. */
  readonly isOfDay: boolean;
}

type Doubt = NonNullable<LimiterState['doubt']>;

/** A charge and the state of its limit. */
interface Counted {
  readonly charge: Charge;
  readonly limiter: LimiterState;
  /** How many requests the window had besides this one. */
  readonly others: number;
}

/** Nothing passed for so many of the minute's windows: then it was not the minute. */
const WINDOWS_REFUSED = 2;
/** With no more than this part of its limit in the window, the minute would have admitted the request. */
const NEARLY_EMPTY = 1 / 4;

function isSilent({ unit = 'requests', reportedLimit, retryAt, uncounted }: Failure): boolean {
  return unit === 'requests' && reportedLimit === undefined && retryAt === undefined && uncounted !== true;
}

function counted(account: AccountRecord, charge: Charge, now: number): Counted[] {
  const limiter = entryOf(account.limiters, charge.limiter);
  if (limiter === undefined) return [];
  return [{ charge, limiter, others: usedOf(limiter, charge.limit, now) - charge.cost }];
}

/** The long limit that may have refused: the one of which the largest part is used. */
function longOf(
  account: AccountRecord,
  { charges }: Reservation,
  { scope }: Failure,
  now: number,
): Counted | undefined {
  const share = ({ charge, others }: Counted): number => others / charge.limit.max;
  return charges
    .filter(({ limit }) => isLong(limit) && limit.unit === 'requests' && limit.kind !== 'token-bucket')
    .filter(({ limit }) => limit.per === 'account' || scope === 'account-model')
    .flatMap((charge) => counted(account, charge, now))
    .toSorted((a, b) => share(b) - share(a))[0];
}

/** The state of a minute's limit without what it was wrongly blamed for. */
function withoutLesson(limiter: LimiterState, doubt: Doubt): LimiterState {
  const { learnt, doubt: _, ...rest } = limiter;
  const known = learnt !== undefined && learnt.at >= doubt.at ? doubt.before : learnt;
  return known === undefined ? rest : { ...rest, learnt: known };
}

/** The account after its day refused. Each time it is taken for spent twice as long, because it may be something else that passes. */
function withSpentDay(
  account: AccountRecord,
  short: Counted,
  long: Counted,
  doubt: Doubt,
  now: number,
): AccountRecord {
  const { limit } = long.charge;
  const times = (doubt.times ?? 0) + 1;
  const until = Math.min(returnsAt(limit, now), now + windowOf(short.charge.limit) * 2 ** times);
  const own = withoutLesson(short.limiter, doubt);
  // One request shows whether the day has begun anew.
  const paced = { ...own, pace: withSlowStart(undefined, now, until, now) };
  const limiters = withEntry<LimiterState>(account.limiters, short.charge.limiter, paced);
  const spent = withFull({ ...long.limiter, doubt: { ...doubt, times } }, until, now);
  return { ...account, limiters: withEntry<LimiterState>(limiters, long.charge.limiter, spent) };
}

/** @param refusing - The short limits of the failure's scope. */
export function dayBlameOf(
  account: AccountRecord,
  reservation: Reservation,
  refusing: readonly Limit[],
  failure: Failure,
  now: number,
): DayBlame {
  const own = reservation.charges.find(
    ({ limit }) => limit.unit === 'requests' && !isLong(limit) && refusing.includes(limit),
  );
  const short = own && isSilent(failure) ? counted(account, own, now)[0] : undefined;
  const long = short && longOf(account, reservation, failure, now);
  if (short === undefined || long === undefined || long.others < 1) return { account, isOfDay: false };
  const max = maxInForce(short.limiter, short.charge.limit, now);
  if (short.others >= max) return { account, isOfDay: false };
  const known = believedDoubt(long.limiter, now);
  // If less is used than had passed then, the day began anew.
  const doubt = known !== undefined && long.others >= known.max ? known : undefined;
  if (doubt === undefined) {
    const { learnt: before } = short.limiter;
    const { model } = reservation.target.route;
    const noted = { ...long.limiter, doubt: { max: long.others, model, at: now, ...(before && { before }) } };
    return {
      account: {
        ...account,
        limiters: withEntry<LimiterState>(account.limiters, long.charge.limiter, noted),
      },
      isOfDay: false,
    };
  }
  const spanMs = short.charge.sentAt - doubt.at;
  if (spanMs < WINDOWS_REFUSED * windowOf(short.charge.limit) || short.others > max * NEARLY_EMPTY)
    return { account, isOfDay: false };
  return { account: withSpentDay(account, short, long, doubt, now), isOfDay: true };
}
