/** Brings what was counted beside a store back into it. spec 2.6 */

import { fullUntil, type LimiterState, withFull, withSpent } from '../limits/state.ts';
import { entryOf, isJsonObject } from '../json.ts';
import { type AccountRecord, readAccountRecord } from './account.ts';
import { modelOf, type ProviderRecord, readProviderRecord, withPrice } from './provider.ts';

const NOTHING_SPENT: LimiterState = { spent: [] };

/** What `own` spent since `base` is spent in `stored` as well. */
function withSpentSince(
  stored: LimiterState,
  base: LimiterState,
  own: LimiterState,
  now: number,
): LimiterState {
  const before = new Map(base.spent);
  let { spent } = stored;
  for (const [at, count] of own.spent) {
    const added = count - (before.get(at) ?? 0);
    if (added > 0 && at > now) spent = withSpent(spent, added, at, now);
  }
  const fullAt = Math.max(stored.fullAt ?? 0, own.fullAt ?? 0);
  const next = { ...stored, spent, ...(fullAt > 0 && { fullAt }) };
  const until = fullUntil(own, now);
  return until > 0 ? withFull(next, until, now) : next;
}

function withAccount(
  stored: AccountRecord,
  base: AccountRecord,
  own: AccountRecord,
  now: number,
): AccountRecord {
  const limiters = { ...stored.limiters };
  for (const [name, limiter] of Object.entries(own.limiters)) {
    const from = entryOf(base.limiters, name) ?? NOTHING_SPENT;
    if (limiter !== from)
      limiters[name] = withSpentSince(entryOf(stored.limiters, name) ?? NOTHING_SPENT, from, limiter, now);
  }
  return { ...stored, limiters };
}

function withBills(stored: ProviderRecord, own: ProviderRecord): ProviderRecord {
  let next = stored;
  for (const model of Object.keys(own.models)) {
    const { billed = 0 } = modelOf(own, model);
    if (billed > 0) next = withPrice(next, model, billed);
  }
  return own.bills !== undefined && own.bills > (next.bills ?? 0) ? { ...next, bills: own.bills } : next;
}

/**
 * The record to store when a store is back and another process has changed it meanwhile. Its record wins, with what was
 * spent beside it, quotas that were reported as used up, and bills. Breakers and what else was learnt beside it are lost:
 * one failed request teaches them again.
 * @param base - The record from which `own` began.
 * @param own - The record that was kept beside the store.
 */
export function carriedOver(stored: unknown, base: unknown, own: unknown, now: number): unknown {
  return isJsonObject(own) && 'limiters' in own
    ? withAccount(readAccountRecord(stored), readAccountRecord(base), readAccountRecord(own), now)
    : withBills(readProviderRecord(stored), readProviderRecord(own));
}
