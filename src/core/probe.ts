/** Whether a probe is under way that may show a route to be ready sooner than its breaker promises. */

import { entitlementOf, keyOf } from './account-record.ts';
import { breakerReadyAt, type CircuitBreaker } from './circuit-breaker.ts';
import type { Records } from './plan.ts';
import type { Candidate } from './pool.ts';
import { modelOf } from './provider-record.ts';

function isProbing(breaker: CircuitBreaker, now: number): boolean {
  return breaker.state === 'half-open' && breakerReadyAt(breaker, now) > now;
}

/** Looks at every breaker behind the routes of some candidates. */
export function isProbeUnderWay(records: Records, candidates: readonly Candidate[], now: number): boolean {
  return candidates.some(({ provider, models }) => {
    const known = records.provider(provider);
    const accounts = provider.accounts.map((account) => ({ account, record: records.account(account) }));
    return (
      isProbing(known.breaker, now) ||
      models.some(
        ({ id }) =>
          isProbing(modelOf(known, id).breaker, now) ||
          accounts.some((one) => isProbing(entitlementOf(one.record, id), now)),
      ) ||
      accounts.some(
        (one) =>
          isProbing(one.record.breaker, now) ||
          one.account.keyIds.some((keyId) => isProbing(keyOf(one.record, keyId).breaker, now)),
      )
    );
  });
}
