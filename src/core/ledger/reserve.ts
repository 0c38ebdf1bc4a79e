/** Quota and probes taken for one request before it is sent, and given back if it never was. */

import { type AccountRecord, bucketName, bucketOf, entitlementOf, keyOf } from '../records/account.ts';
import { admit, type CircuitBreaker, release } from '../circuit-breaker.ts';
import { costOf, type Demand, demandOf } from '../routing/cost.ts';
import type { Needs, Pick } from '../routing/question.ts';
import { modelOf, type ProviderRecord } from '../records/provider.ts';
import { type Expense, expend, giveBack, limitOf, type TokenBucket } from '../limits/window.ts';

/** The state of a route's breakers when it was admitted. */
export interface Generations {
  readonly provider: number;
  readonly model: number;
  readonly account: number;
  readonly entitlement: number;
  readonly key: number;
}

/** What was taken for one request. */
export interface Booking {
  readonly pick: Pick;
  readonly spent: readonly Expense[];
  readonly generations: Generations;
  /** Epoch ms. */
  readonly sentAt: number;
  /** The most tokens that the answer may have, to be sent where the caller says nothing. */
  readonly maxTokens: number | undefined;
}

/** What a route is booked for. */
export interface Terms {
  readonly needs: Needs;
  /** How long a probe may take before it is given up for lost. */
  readonly probeMs: number;
}

/** The two records that stand behind a route. */
export interface RouteRecords {
  readonly provider: ProviderRecord;
  readonly account: AccountRecord;
}

export interface Reservation extends RouteRecords {
  readonly booking: Booking;
}

/** Sets one entry, or gives the same object back when nothing changed. */
export function withEntry<T>(
  entries: Readonly<Record<string, T>>,
  name: string,
  value: T,
): Readonly<Record<string, T>> {
  return entries[name] === value ? entries : { ...entries, [name]: value };
}

/** Gives the same object back when nothing of it changed, so that an unchanged record is recognised. */
export function patched<T extends object>(record: T, patch: Partial<T>): T {
  for (const [name, value] of Object.entries(patch)) {
    if (Reflect.get(record, name) !== value) return { ...record, ...patch };
  }
  return record;
}

/** The breakers behind a route, in one place. */
export interface RouteBreakers {
  readonly provider: CircuitBreaker;
  readonly model: CircuitBreaker;
  readonly account: CircuitBreaker;
  readonly entitlement: CircuitBreaker;
  readonly key: CircuitBreaker;
}

export function breakersOf(records: RouteRecords, pick: Pick): RouteBreakers {
  const { model, keyId } = pick.route;
  return {
    provider: records.provider.breaker,
    model: modelOf(records.provider, model).breaker,
    account: records.account.breaker,
    entitlement: entitlementOf(records.account, model),
    key: keyOf(records.account, keyId).breaker,
  };
}

/** The records with other breakers; a record of which nothing changed keeps its identity. */
export function withBreakers(
  records: RouteRecords,
  pick: Pick,
  before: RouteBreakers,
  after: RouteBreakers,
): RouteRecords {
  const { model, keyId } = pick.route;
  let { provider, account } = records;
  if (after.provider !== before.provider) provider = { ...provider, breaker: after.provider };
  if (after.model !== before.model) {
    provider = {
      ...provider,
      models: { ...provider.models, [model]: { ...modelOf(provider, model), breaker: after.model } },
    };
  }
  if (after.account !== before.account) account = { ...account, breaker: after.account };
  if (after.entitlement !== before.entitlement) {
    account = { ...account, models: { ...account.models, [model]: after.entitlement } };
  }
  if (after.key !== before.key) {
    account = {
      ...account,
      keys: { ...account.keys, [keyId]: { ...keyOf(account, keyId), breaker: after.key } },
    };
  }
  return { provider, account };
}

/** The account's buckets after one request, and what was taken of them. */
function spendAll(
  account: AccountRecord,
  pick: Pick,
  demand: Demand,
  now: number,
): { readonly account: AccountRecord; readonly spent: readonly Expense[] } {
  const { model } = pick.route;
  const meters = pick.account.meters(model);
  if (meters.length === 0) return { account, spent: [] };
  const buckets: Record<string, TokenBucket> = { ...account.buckets };
  const spent: Expense[] = [];
  for (const meter of meters) {
    const name = bucketName(meter, model);
    const bucket = bucketOf(account, meter, model);
    const cost = costOf(meter, demand, limitOf(bucket, meter, now));
    if (!Number.isFinite(cost)) continue;
    const taken = expend(bucket, meter, { name, cost, now });
    buckets[name] = taken.bucket;
    spent.push(taken.expense);
  }
  return { account: { ...account, buckets, since: account.since ?? now }, spent };
}

/** Takes the route's quota and probes at `now`. */
export function reserve(records: RouteRecords, pick: Pick, now: number, terms: Terms): Reservation {
  const before = breakersOf(records, pick);
  const { probeMs } = terms;
  const after: RouteBreakers = {
    provider: admit(before.provider, now, probeMs),
    model: admit(before.model, now, probeMs),
    account: admit(before.account, now, probeMs),
    entitlement: admit(before.entitlement, now, probeMs),
    key: admit(before.key, now, probeMs),
  };
  const admitted = withBreakers(records, pick, before, after);
  const addressee = { ...pick, record: admitted.account, model: pick.route.model };
  const demand = demandOf(addressee, terms.needs, now);
  const { account, spent } = spendAll(admitted.account, pick, demand, now);
  return {
    provider: admitted.provider,
    account,
    booking: {
      pick,
      spent,
      maxTokens: demand.maxTokens,
      sentAt: now,
      generations: {
        provider: after.provider.generation,
        model: after.model.generation,
        account: after.account.generation,
        entitlement: after.entitlement.generation,
        key: after.key.generation,
      },
    },
  };
}

/** Gives booked quota back: the provider certainly did not count it. */
export function refund(account: AccountRecord, spent: readonly Expense[], now: number): AccountRecord {
  let buckets = account.buckets;
  for (const expense of spent) {
    const state = buckets[expense.bucket];
    if (state !== undefined) buckets = withEntry(buckets, expense.bucket, giveBack(state, expense, now));
  }
  return patched(account, { buckets });
}

/** What is given back when a request ends, whatever came of it: its place among those under way. */
export function isReturned({ meter }: Expense): boolean {
  return meter.kind === 'concurrency';
}

/** Frees every probe that the booking holds, as if it had never been admitted. */
export function releaseAll(breakers: RouteBreakers, generations: Generations, now: number): RouteBreakers {
  return {
    provider: release(breakers.provider, generations.provider, now),
    model: release(breakers.model, generations.model, now),
    account: release(breakers.account, generations.account, now),
    entitlement: release(breakers.entitlement, generations.entitlement, now),
    key: release(breakers.key, generations.key, now),
  };
}
