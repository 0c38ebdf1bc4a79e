/** The moments from which a route's guards admit a request, and the reasons. spec 1.1 */

import { type AccountRecord, limiterOf, entitlementOf, keyOf } from '../records/account.ts';
import { breakerReadyAt, breakerAvoidUntil, type CircuitBreaker } from '../circuit-breaker.ts';
import type { FailureKind } from '../failure.ts';
import { costOf, type Demand } from './cost.ts';
import { isLong, type Limit } from '../limits/limit.ts';
import type { PoolAccount, Candidate } from '../pool.ts';
import { modelOf, type ProviderRecord } from '../records/provider.ts';
import { maxInForce } from '../limits/in-force.ts';
import { EMPTY_LIMITER } from '../limits/state.ts';
import { readyAtOf, usedOf, usualReadyAt } from '../limits/window.ts';
import { accountsOf } from '../records/shared-accounts.ts';
import type { Records } from './question.ts';

/**
 * Why a route is not ready: the failure that opened its breaker, a spent quota, a probe under way (`probing`), the most
 * concurrent requests (`busy`), or a model or account that is billed (`would_cost_money`). A model can also be too small for a
 * request (`context_too_long`) or lack a capability (`unsupported`).
 */
export type RouteReason =
  | FailureKind
  | 'minute_quota_spent'
  | 'day_quota_spent'
  | 'probing'
  | 'busy'
  | 'would_cost_money';

/** One guard's answer. */
export interface Admission {
  /** Epoch ms from which a request is admitted. At most `now`: at once. Infinity: never. */
  readonly readyAt: number;
  readonly reason: RouteReason | undefined;
}

export const ADMITTED: Admission = { readyAt: 0, reason: undefined };

/** A first pass skips routes that failed recently, whose breakers count until `avoidUntil`, and tries no assumed limit. */
export interface FirstPass {
  /** Set if a breaker or an assumed limit would admit the request in a second pass. */
  avoided: boolean;
}

/** When a guard is asked. */
export interface Pass {
  /** Epoch ms. */
  readonly now: number;
  /** Absent: the second pass, for calls without an alternative. */
  readonly firstPass?: FirstPass | undefined;
}

function breakerAdmission(breaker: CircuitBreaker, { now, firstPass }: Pass): Admission {
  if (breaker.state === 'closed') return ADMITTED;
  let readyAt = breakerReadyAt(breaker, now);
  if (firstPass !== undefined) {
    const avoidUntil = breakerAvoidUntil(breaker, now);
    firstPass.avoided ||= avoidUntil !== readyAt;
    readyAt = avoidUntil;
  }
  if (readyAt <= now) return ADMITTED;
  return { readyAt, reason: breaker.state === 'open' ? breaker.reason : 'probing' };
}

function limitAdmission(
  record: AccountRecord,
  limit: Limit,
  model: string,
  demand: Demand | undefined,
  { now, firstPass }: Pass,
): Admission {
  const limiter = limiterOf(record, limit, model);
  const cost = costOf(limit, demand, maxInForce(limiter, limit, now));
  if (limiter === EMPTY_LIMITER && cost <= limit.max) return ADMITTED;
  let readyAt = readyAtOf(limiter, limit, cost, now);
  if (firstPass !== undefined && limit.assumed === true) {
    const usual = usualReadyAt(limiter, limit, cost, now);
    firstPass.avoided ||= usual !== readyAt;
    readyAt = usual;
  }
  if (readyAt <= now) return ADMITTED;
  // The cost exceeds the limit, so waiting does not help.
  if (readyAt === Number.POSITIVE_INFINITY) return { readyAt, reason: 'context_too_long' };
  if (limit.kind === 'concurrency') return { readyAt, reason: 'busy' };
  // No limit is known, so only the provider can have reported that it is spent.
  if (!Number.isFinite(maxInForce(limiter, limit, now))) return { readyAt, reason: 'rate_limited' };
  return { readyAt, reason: isLong(limit) ? 'day_quota_spent' : 'minute_quota_spent' };
}

/** The later of two answers. */
export function later(a: Admission, b: Admission): Admission {
  return b.readyAt > a.readyAt ? b : a;
}

/** The guard of the provider as a whole. */
export function providerAdmission(record: ProviderRecord, pass: Pass): Admission {
  return breakerAdmission(record.breaker, pass);
}

/** The guard of a model, whatever the account. */
export function modelAdmission(record: ProviderRecord, model: string, pass: Pass): Admission {
  return breakerAdmission(modelOf(record, model).breaker, pass);
}

/** The guards of an account's use of a model. Without `demand`: for a request of any size. */
export function accountAdmission(
  account: PoolAccount,
  record: AccountRecord,
  model: string,
  demand: Demand | undefined,
  pass: Pass,
): Admission {
  if (account.isBilled === true) return { readyAt: Number.POSITIVE_INFINITY, reason: 'would_cost_money' };
  let admission = breakerAdmission(record.breaker, pass);
  admission = later(admission, breakerAdmission(entitlementOf(record, model), pass));
  for (const limit of account.limits(model)) {
    admission = later(admission, limitAdmission(record, limit, model, demand, pass));
  }
  return admission;
}

/** The guard of one key. */
export function keyAdmission(record: AccountRecord, keyId: string, pass: Pass): Admission {
  return breakerAdmission(keyOf(record, keyId).breaker, pass);
}

function isProbing(breaker: CircuitBreaker, now: number): boolean {
  return breaker.state === 'half-open' && breakerReadyAt(breaker, now) > now;
}

/** Whether the account runs as many requests as it may: one of them may end at any moment. */
function isBusy(account: PoolAccount, record: AccountRecord, model: string, now: number): boolean {
  return account
    .limits(model)
    .some(
      (limit) =>
        limit.kind === 'concurrency' && usedOf(limiterOf(record, limit, model), limit, now) >= limit.max,
    );
}

/** Whether a breaker of the candidates is probed, or one of their accounts is busy. spec 12.3 */
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
