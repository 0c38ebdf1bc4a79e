/** From when do a route's guards admit a request, and which of them says so. */

import { type AccountRecord, limiterOf, entitlementOf, keyOf } from '../records/account.ts';
import { breakerReadyAt, breakerAvoidUntil, type CircuitBreaker } from '../circuit-breaker.ts';
import type { FailureKind } from '../failure.ts';
import { costOf, type Demand } from './cost.ts';
import { isLong, type Limit } from '../limits/limit.ts';
import type { PoolAccount, Candidate } from '../pool.ts';
import { modelOf, type ProviderRecord } from '../records/provider.ts';
import { maxInForce, readyAtOf, EMPTY_LIMITER, usedOf } from '../limits/window.ts';
import { accountsOf } from '../records/shared-accounts.ts';
import type { Records } from './question.ts';

/**
 * Why a route is not ready: the failure that its breaker remembers, a spent quota, a probe under way, or as many
 * requests under way as are allowed (`busy`).
 */
export type Reason = FailureKind | 'minute_quota_spent' | 'day_quota_spent' | 'probing' | 'busy';

/** One guard's answer. */
export interface Admission {
  /** Epoch ms from which a request is admitted; at most `now` when it is admitted at once, Infinity for never. */
  readonly readyAt: number;
  readonly reason: Reason | undefined;
}

export const ADMITTED: Admission = { readyAt: 0, reason: undefined };

/** Something else may serve the call as well: then what failed lately is left alone for longer. */
export interface Leisure {
  /** Set by whoever is left alone though need would ask it sooner. */
  spares: boolean;
}

/** When a guard is asked. */
export interface Asking {
  /** Epoch ms. */
  readonly now: number;
  /** Absent: in need. */
  readonly leisure?: Leisure | undefined;
}

function breakerAdmission(breaker: CircuitBreaker, { now, leisure }: Asking): Admission {
  if (breaker.state === 'closed') return ADMITTED;
  let readyAt = breakerReadyAt(breaker, now);
  if (leisure !== undefined) {
    const avoidUntil = breakerAvoidUntil(breaker, now);
    leisure.spares ||= avoidUntil !== readyAt;
    readyAt = avoidUntil;
  }
  if (readyAt <= now) return ADMITTED;
  return { readyAt, reason: breaker.state === 'open' ? breaker.reason : 'probing' };
}

function limitAdmission(
  record: AccountRecord,
  limit: Limit,
  { model, demand }: Asked,
  now: number,
): Admission {
  const limiter = limiterOf(record, limit, model);
  const cost = costOf(limit, demand, maxInForce(limiter, limit, now));
  const readyAt = limiter === EMPTY_LIMITER && cost <= limit.max ? 0 : readyAtOf(limiter, limit, cost, now);
  if (readyAt <= now) return ADMITTED;
  // More than the meter ever holds: no waiting makes room for it.
  if (readyAt === Number.POSITIVE_INFINITY) return { readyAt, reason: 'context_too_long' };
  if (limit.kind === 'concurrency') return { readyAt, reason: 'busy' };
  // Where no limit is known, only the provider's word can have spent it.
  if (!Number.isFinite(maxInForce(limiter, limit, now))) return { readyAt, reason: 'rate_limited' };
  return { readyAt, reason: isLong(limit) ? 'day_quota_spent' : 'minute_quota_spent' };
}

/** The later of two answers. */
export function later(a: Admission, b: Admission): Admission {
  return b.readyAt > a.readyAt ? b : a;
}

/** The guard of the provider as a whole. */
export function providerAdmission(record: ProviderRecord, asking: Asking): Admission {
  return breakerAdmission(record.breaker, asking);
}

/** The guard of one of the provider's models, whatever the account. */
export function modelAdmission(record: ProviderRecord, model: string, asking: Asking): Admission {
  return breakerAdmission(modelOf(record, model).breaker, asking);
}

/** What is asked of an account: a model, and by a request of what size; absent: one of any size. */
export interface Asked {
  readonly model: string;
  readonly demand?: Demand | undefined;
}

/** The guards of one account's use of a model: its own, its entitlement, its meters. */
export function accountAdmission(
  account: PoolAccount,
  record: AccountRecord,
  asked: Asked,
  asking: Asking,
): Admission {
  let admission = breakerAdmission(record.breaker, asking);
  admission = later(admission, breakerAdmission(entitlementOf(record, asked.model), asking));
  for (const limit of account.limits(asked.model)) {
    admission = later(admission, limitAdmission(record, limit, asked, asking.now));
  }
  return admission;
}

/** The guard of one key. */
export function keyAdmission(record: AccountRecord, keyId: string, asking: Asking): Admission {
  return breakerAdmission(keyOf(record, keyId).breaker, asking);
}

function isProbing(breaker: CircuitBreaker, now: number): boolean {
  return breaker.state === 'half-open' && breakerReadyAt(breaker, now) > now;
}

/** Whether as many requests are under way as the account may have: one of them may end at any moment. */
function isBusy(account: PoolAccount, record: AccountRecord, model: string, now: number): boolean {
  return account
    .limits(model)
    .some(
      (limit) =>
        limit.kind === 'concurrency' && usedOf(limiterOf(record, limit, model), limit, now) >= limit.max,
    );
}

/** Looks at every breaker behind the routes of some candidates. */
export function isProbeUnderWay(records: Records, candidates: readonly Candidate[], now: number): boolean {
  return candidates.some(({ provider, models }) => {
    const known = records.provider(provider);
    const accounts = accountsOf(provider, known, now).map((account) => ({
      account,
      record: records.account(account),
    }));
    return (
      isProbing(known.breaker, now) ||
      models.some(
        ({ id }) =>
          isProbing(modelOf(known, id).breaker, now) ||
          accounts.some(
            (one) =>
              isProbing(entitlementOf(one.record, id), now) || isBusy(one.account, one.record, id, now),
          ),
      ) ||
      accounts.some(
        (one) =>
          isProbing(one.record.breaker, now) ||
          one.account.keyIds.some((keyId) => isProbing(keyOf(one.record, keyId).breaker, now)),
      )
    );
  });
}
