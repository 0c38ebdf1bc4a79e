/** Quota and probes taken for one request before it is sent, and given back if it never was. */

import { type AccountRecord, limiterName, limiterOf, entitlementOf, keyOf } from '../records/account.ts';
import { admit, type CircuitBreaker, release } from '../circuit-breaker.ts';
import { costOf, type Demand, demandOf } from '../routing/cost.ts';
import type { RequestNeeds, Target } from '../routing/question.ts';
import { modelOf, type ProviderRecord } from '../records/provider.ts';
import { type Charge, charge, refund, maxInForce, type LimiterState } from '../limits/window.ts';

/** The state of a route's breakers when it was admitted. */
export interface Generations {
  readonly provider: number;
  readonly model: number;
  readonly account: number;
  readonly entitlement: number;
  readonly key: number;
}

/** What was taken for one request. */
export interface Reservation {
  readonly target: Target;
  readonly charges: readonly Charge[];
  readonly generations: Generations;
  /** Epoch ms. */
  readonly sentAt: number;
  /** The most tokens that the answer may have, to be sent where the caller says nothing. */
  readonly maxTokens: number | undefined;
}

/** What a route is booked for. */
export interface Terms {
  readonly needs: RequestNeeds;
  /** How long a probe may take before it is given up for lost. */
  readonly probeMs: number;
}

/** The two records that stand behind a route. */
export interface RouteRecords {
  readonly provider: ProviderRecord;
  readonly account: AccountRecord;
}

export interface Reserved extends RouteRecords {
  readonly reservation: Reservation;
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

export function breakersOf(records: RouteRecords, target: Target): RouteBreakers {
  const { model, keyId } = target.route;
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
  target: Target,
  before: RouteBreakers,
  after: RouteBreakers,
): RouteRecords {
  const { model, keyId } = target.route;
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
function chargeAll(
  account: AccountRecord,
  target: Target,
  demand: Demand,
  now: number,
): { readonly account: AccountRecord; readonly charges: readonly Charge[] } {
  const { model } = target.route;
  const limits = target.account.limits(model);
  if (limits.length === 0) return { account, charges: [] };
  const limiters: Record<string, LimiterState> = { ...account.limiters };
  const charges: Charge[] = [];
  for (const limit of limits) {
    const name = limiterName(limit, model);
    const limiter = limiterOf(account, limit, model);
    const cost = costOf(limit, demand, maxInForce(limiter, limit, now));
    if (!Number.isFinite(cost)) continue;
    const taken = charge(limiter, limit, { name, cost, now });
    limiters[name] = taken.limiter;
    charges.push(taken.charge);
  }
  return { account: { ...account, limiters, since: account.since ?? now }, charges };
}

/** Takes the route's quota and probes at `now`. */
export function reserve(records: RouteRecords, target: Target, now: number, terms: Terms): Reserved {
  const before = breakersOf(records, target);
  const { probeMs } = terms;
  const after: RouteBreakers = {
    provider: admit(before.provider, now, probeMs),
    model: admit(before.model, now, probeMs),
    account: admit(before.account, now, probeMs),
    entitlement: admit(before.entitlement, now, probeMs),
    key: admit(before.key, now, probeMs),
  };
  const admitted = withBreakers(records, target, before, after);
  const addressee = { ...target, record: admitted.account, model: target.route.model };
  const demand = demandOf(addressee, terms.needs, now);
  const { account, charges } = chargeAll(admitted.account, target, demand, now);
  return {
    provider: admitted.provider,
    account,
    reservation: {
      target,
      charges,
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
export function refundAll(account: AccountRecord, spent: readonly Charge[], now: number): AccountRecord {
  let limiters = account.limiters;
  for (const charge of spent) {
    const state = limiters[charge.limiter];
    if (state !== undefined) limiters = withEntry(limiters, charge.limiter, refund(state, charge, now));
  }
  return patched(account, { limiters });
}

/** What is given back when a request ends, whatever came of it: its place among those under way. */
export function isReturned({ limit }: Charge): boolean {
  return limit.kind === 'concurrency';
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
