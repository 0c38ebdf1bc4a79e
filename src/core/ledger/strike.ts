/** Which circuit breaker a failure strikes. spec 5.6 */

import { type Admitted, breakerAvoidUntil, countAgainst, fail, succeed } from '../circuit-breaker.ts';
import { type Failure, FAILURE_EFFECTS, type Scope, type Trip } from '../failure.ts';
import { modelOf } from '../records/provider.ts';
import { releaseAll, type Reservation, type RouteBreakers, type RouteRecords } from './reserve.ts';
import { refusingLimits } from './settle-limits.ts';

/** The request as the breaker knows it. */
export function admittedBy({ generations, sentAt }: Reservation, guard: keyof RouteBreakers): Admitted {
  return { generation: generations[guard], sentAt };
}

/** The breaker that a failure of each scope strikes. spec 5.6 */
const BREAKER_OF_SCOPE: Readonly<Record<Scope, keyof RouteBreakers | undefined>> = {
  provider: 'provider',
  account: 'account',
  key: 'key',
  model: 'model',
  'account-model': 'entitlement',
  request: undefined,
};

/** The breaker that a failure strikes, and how it opens; without `trip` no breaker is struck. */
interface StruckBreaker {
  readonly trip: Trip | undefined;
  readonly guard: keyof RouteBreakers | undefined;
}

/** Whether another model of the account failed for the same reason: then the account is the cause. spec 5.6 */
function escalates(
  { account }: RouteRecords,
  { target }: Reservation,
  failure: Failure,
  now: number,
): boolean {
  if (failure.escalates !== true || failure.scope !== 'account-model') return false;
  return Object.entries(account.models).some(
    ([model, breaker]) =>
      model !== target.route.model &&
      breaker.state !== 'closed' &&
      breaker.reason === failure.kind &&
      breakerAvoidUntil(breaker, now) > now,
  );
}

/** Whether a failure of one model may have its cause at the provider. */
function maySpread({ kind, scope }: Failure): boolean {
  return scope === 'model' && FAILURE_EFFECTS[kind].spreads === true;
}

/** Whether another model also failed since the provider last served a request: then the provider is the cause. spec 5.6 */
function spreads({ provider }: RouteRecords, { target }: Reservation, failure: Failure): boolean {
  if (!maySpread(failure)) return false;
  const { breaker } = provider;
  if (breaker.state !== 'closed') return breaker.reason === failure.kind;
  const own = modelOf(provider, target.route.model).breaker;
  return own.state === 'closed' && breaker.failures > own.failures;
}

/** The breaker that a failure strikes. spec 5.6 */
export function struckBreaker(
  records: RouteRecords,
  reservation: Reservation,
  failure: Failure,
  now: number,
): StruckBreaker {
  if (failure.oversized === true || refusingLimits(reservation, failure).length > 0)
    return { trip: undefined, guard: undefined };
  const trip = reservation.target.provider.trip(failure.kind) ?? FAILURE_EFFECTS[failure.kind].trip;
  if (escalates(records, reservation, failure, now)) return { trip, guard: 'account' };
  const isOutage = spreads(records, reservation, failure);
  return { trip, guard: isOutage ? 'provider' : BREAKER_OF_SCOPE[failure.scope] };
}

/** The breakers after a failure: one is struck, the others are released. spec 5.6 */
export function withStrike(
  breakers: RouteBreakers,
  reservation: Reservation,
  failure: Failure,
  { trip, guard }: StruckBreaker,
  now: number,
): RouteBreakers {
  const next = { ...releaseAll(breakers, reservation.generations, now) };
  if (guard !== 'provider' && maySpread(failure)) {
    next.provider = countAgainst(breakers.provider, admittedBy(reservation, 'provider'));
  } else if (failure.status !== undefined && failure.scope !== 'provider' && guard !== 'provider') {
    // Any answer proves that the provider is up.
    next.provider = succeed(breakers.provider, admittedBy(reservation, 'provider'));
  }
  if (guard !== undefined && trip !== undefined) {
    next[guard] = fail(breakers[guard], {
      ...admittedBy(reservation, guard),
      now,
      reason: failure.kind,
      trip,
      retryAt: failure.retryAt,
    });
  }
  return next;
}
