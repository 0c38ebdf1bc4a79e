/** Whether a request is under way whose end may show a route to be ready sooner than its guards promise. */

import { type AccountRecord, bucketOf, entitlementOf, keyOf } from './account-record.ts';
import { accountsOf } from './accounts.ts';
import { breakerReadyAt, type CircuitBreaker } from './circuit-breaker.ts';
import type { Records } from './plan.ts';
import type { Candidate, PoolAccount } from './pool.ts';
import { modelOf } from './provider-record.ts';
import { usedOf } from './quota.ts';

function isProbing(breaker: CircuitBreaker, now: number): boolean {
  return breaker.state === 'half-open' && breakerReadyAt(breaker, now) > now;
}

/** Whether as many requests are under way as the account may have: one of them may end at any moment. */
function isBusy(account: PoolAccount, record: AccountRecord, model: string, now: number): boolean {
  return account
    .meters(model)
    .some(
      (meter) =>
        meter.kind === 'concurrency' && usedOf(bucketOf(record, meter, model), meter, now) >= meter.limit,
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
