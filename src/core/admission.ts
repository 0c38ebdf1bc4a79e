/** From when do a route's guards admit a request, and which of them says so. */

import { type AccountRecord, entitlementOf, keyOf, meterReadyAt } from './account-record.ts';
import { breakerReadyAt, type CircuitBreaker } from './circuit-breaker.ts';
import type { FailureKind } from './failure.ts';
import type { Meter } from './meter.ts';
import type { PoolAccount } from './pool.ts';
import { modelOf, type ProviderRecord } from './provider-record.ts';

/** Why a route is not ready: the failure that its breaker remembers, a spent quota, or a probe under way. */
export type Reason = FailureKind | 'minute_quota_spent' | 'day_quota_spent' | 'probing';

/** One guard's answer. */
export interface Admission {
  /** Epoch ms from which a request is admitted; at most `now` when it is admitted at once. */
  readonly readyAt: number;
  readonly reason: Reason | undefined;
}

export const ADMITTED: Admission = { readyAt: 0, reason: undefined };

function breakerAdmission(breaker: CircuitBreaker, now: number): Admission {
  if (breaker.state === 'closed') return ADMITTED;
  const readyAt = breakerReadyAt(breaker, now);
  if (readyAt <= now) return ADMITTED;
  return { readyAt, reason: breaker.state === 'open' ? breaker.reason : 'probing' };
}

function meterAdmission(record: AccountRecord, meter: Meter, model: string, now: number): Admission {
  const readyAt = meterReadyAt(record, meter, model, now);
  if (readyAt <= now) return ADMITTED;
  return { readyAt, reason: meter.kind === 'daily' ? 'day_quota_spent' : 'minute_quota_spent' };
}

/** The later of two answers. */
export function later(a: Admission, b: Admission): Admission {
  return b.readyAt > a.readyAt ? b : a;
}

/** The guard of the provider as a whole. */
export function providerAdmission(record: ProviderRecord, now: number): Admission {
  return breakerAdmission(record.breaker, now);
}

/** The guard of one of the provider's models, whatever the account. */
export function modelAdmission(record: ProviderRecord, model: string, now: number): Admission {
  return breakerAdmission(modelOf(record, model).breaker, now);
}

/** The guards of one account's use of a model: its own, its entitlement, its meters. */
export function accountAdmission(
  account: PoolAccount,
  record: AccountRecord,
  model: string,
  now: number,
): Admission {
  let admission = breakerAdmission(record.breaker, now);
  admission = later(admission, breakerAdmission(entitlementOf(record, model), now));
  for (const meter of account.meters(model)) {
    admission = later(admission, meterAdmission(record, meter, model, now));
  }
  return admission;
}

/** The guard of one key. */
export function keyAdmission(record: AccountRecord, keyId: string, now: number): Admission {
  return breakerAdmission(keyOf(record, keyId).breaker, now);
}
