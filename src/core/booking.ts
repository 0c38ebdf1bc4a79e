/** Quota and probes taken for one request before it is sent, and given back if it never was. */

import { type AccountRecord, bucketName, bucketOf, costOf, entitlementOf, keyOf } from './account-record.ts';
import { admit, type CircuitBreaker, release } from './circuit-breaker.ts';
import { returnsAt } from './meter.ts';
import type { Pick } from './plan.ts';
import { modelOf, type ProviderRecord } from './provider-record.ts';
import { giveBack, take, type TokenBucket } from './token-bucket.ts';

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
  readonly spent: readonly { readonly bucket: string; readonly cost: number; readonly returnsAt: number }[];
  readonly generations: Generations;
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

/** Takes the route's quota and probes at `now`; a probe that never reports is given up after `probeMs`. */
export function reserve(records: RouteRecords, pick: Pick, now: number, probeMs: number): Reservation {
  const before = breakersOf(records, pick);
  const after: RouteBreakers = {
    provider: admit(before.provider, now, probeMs),
    model: admit(before.model, now, probeMs),
    account: admit(before.account, now, probeMs),
    entitlement: admit(before.entitlement, now, probeMs),
    key: admit(before.key, now, probeMs),
  };
  const { provider, account } = withBreakers(records, pick, before, after);
  const buckets: Record<string, TokenBucket> = { ...account.buckets };
  const spent: { bucket: string; cost: number; returnsAt: number }[] = [];
  for (const meter of pick.account.meters(pick.route.model)) {
    const cost = costOf(meter);
    if (cost === 0) continue;
    const name = bucketName(meter, pick.route.model);
    const moment = returnsAt(meter, now);
    buckets[name] = take(bucketOf(account, meter, pick.route.model), cost, moment, now);
    spent.push({ bucket: name, cost, returnsAt: moment });
  }
  return {
    provider,
    account: spent.length === 0 ? account : { ...account, buckets },
    booking: {
      pick,
      spent,
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

/** Gives the booked quota back: the provider certainly did not count the request. */
export function refund(account: AccountRecord, booking: Booking): AccountRecord {
  let buckets = account.buckets;
  for (const { bucket, cost, returnsAt: moment } of booking.spent) {
    const state = buckets[bucket];
    if (state !== undefined) buckets = withEntry(buckets, bucket, giveBack(state, cost, moment));
  }
  return patched(account, { buckets });
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
