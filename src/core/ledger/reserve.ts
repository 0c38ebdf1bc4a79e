/** Reserves quota and probes for one request before it is sent. spec 5.2 */

import {
  accountDraft,
  type AccountRecord,
  limiterName,
  limiterOf,
  entitlementOf,
  keyOf,
} from '../records/account.ts';
import { admit, type CircuitBreaker, release } from '../circuit-breaker.ts';
import { costOf, type Demand, demandOf } from '../routing/cost.ts';
import type { RequestNeeds, Target } from '../routing/question.ts';
import { entryOf } from '../json.ts';
import { modelOf, type ProviderRecord } from '../records/provider.ts';
import { pruned } from '../records/prune.ts';
import { isLong } from '../limits/limit.ts';
import { maxInForce } from '../limits/in-force.ts';
import { fullUntil } from '../limits/state.ts';
import { type Charge, charge, readyAtOf, refund, usedOf } from '../limits/window.ts';

/** The generations of a route's breakers when they admitted a request. */
export interface BreakerGenerations {
  readonly provider: number;
  readonly model: number;
  readonly account: number;
  readonly entitlement: number;
  readonly key: number;
}

/** What was reserved for one request. */
export interface Reservation {
  readonly target: Target;
  readonly charges: readonly Charge[];
  readonly generations: BreakerGenerations;
  /** Epoch ms at which the request was sent. */
  readonly sentAt: number;
  /** Whether the request was the only one charged to the account's short limits for this model. */
  readonly isAlone: boolean;
  /** Whether another request may be admitted once this one ends. It probes a limit, or fills a limit of tokens. */
  readonly mayAdmitMore: boolean;
  /** The `max_tokens` to send if the caller sets none. */
  readonly maxTokens: number | undefined;
}

/** The records of a route. */
export interface RouteRecords {
  readonly provider: ProviderRecord;
  readonly account: AccountRecord;
}

export interface Reserved extends RouteRecords {
  readonly reservation: Reservation;
}

/** The entries with one set; the same object if nothing changed. */
export function withEntry<T>(
  entries: Readonly<Record<string, T>>,
  name: string,
  value: T,
): Readonly<Record<string, T>> {
  return entryOf(entries, name) === value ? entries : { ...entries, [name]: value };
}

/** The account with other states of its limits; the same object if nothing changed. */
export function withLimiters(account: AccountRecord, limiters: AccountRecord['limiters']): AccountRecord {
  return limiters === account.limiters ? account : { ...account, limiters };
}

/** The record with some members set; the same object if nothing changed, because unchanged records are not stored. */
export function withMembers<T extends object>(record: T, patch: Partial<T>): T {
  for (const [name, value] of Object.entries(patch)) {
    if (Reflect.get(record, name) !== value) return { ...record, ...patch };
  }
  return record;
}

/** The breakers of a route. */
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

/** The records with other breakers. A record whose breakers did not change stays the same object. */
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

/** The account after one request was charged to its limits, and the charges. */
function chargeAll(
  account: AccountRecord,
  target: Target,
  demand: Demand,
  now: number,
): { readonly account: AccountRecord; readonly charges: readonly Charge[] } {
  const { model } = target.route;
  const limits = target.account.limits(model);
  if (limits.length === 0) return { account, charges: [] };
  // One copy for all limits: a record may have hundreds of entries.
  const limiters = { ...account.limiters };
  const charges: Charge[] = [];
  for (const limit of limits) {
    const name = limiterName(limit, model);
    const limiter = limiterOf(account, limit, model);
    const cost = costOf(limit, demand, maxInForce(limiter, limit, now));
    if (!Number.isFinite(cost)) continue;
    const taken = charge(limiter, limit, name, cost, now);
    limiters[name] = taken.limiter;
    charges.push(taken.charge);
  }
  const charged = accountDraft(account);
  charged.limiters = limiters;
  charged.since ??= now;
  return { account: charged, charges };
}

/** Whether the account has spent nothing of its short limits for the model. */
function isUnspent({ route, account }: Target, record: AccountRecord, now: number): boolean {
  const limits = account
    .limits(route.model)
    .filter((limit) => limit.kind !== 'concurrency' && !isLong(limit));
  return (
    limits.length > 0 &&
    limits.every((limit) => {
      const limiter = limiterOf(record, limit, route.model);
      return usedOf(limiter, limit, now) === 0 && fullUntil(limiter, now) === 0;
    })
  );
}

/** Whether the outcome of a request may raise a limit, or refund tokens that the next request needs. spec 5.2 */
function mayAdmitMore(charges: readonly Charge[], { limiters }: AccountRecord, now: number): boolean {
  return charges.some(({ limit, limiter, cost, probes }) => {
    const state = entryOf(limiters, limiter);
    if (probes || state?.pace !== undefined || state?.doubt !== undefined) return true;
    return limit.unit === 'tokens' && state !== undefined && readyAtOf(state, limit, cost, now) > now;
  });
}

/** Reserves the route's quota and probes. A probe that takes longer than `probeMs` counts as lost. spec 5.1, 5.2 */
export function reserve(
  records: RouteRecords,
  target: Target,
  needs: RequestNeeds,
  probeMs: number,
  now: number,
): Reserved {
  const before = breakersOf(records, target);
  const after: RouteBreakers = {
    provider: admit(before.provider, now, probeMs),
    model: admit(before.model, now, probeMs),
    account: admit(before.account, now, probeMs),
    entitlement: admit(before.entitlement, now, probeMs),
    key: admit(before.key, now, probeMs),
  };
  const admitted = withBreakers(records, target, before, after);
  const demand = demandOf(target, admitted.account, target.route.model, needs, now);
  const { account, charges } = chargeAll(admitted.account, target, demand, now);
  const reservation = {
    target,
    charges,
    mayAdmitMore: mayAdmitMore(charges, account, now),
    isAlone: isUnspent(target, records.account, now),
    maxTokens: demand.maxTokens,
    sentAt: now,
    generations: {
      provider: after.provider.generation,
      model: after.model.generation,
      account: after.account.generation,
      entitlement: after.entitlement.generation,
      key: after.key.generation,
    },
  };
  return pruned(records, { provider: admitted.provider, account, reservation }, now);
}

/** Refunds charges that the provider certainly did not count. */
export function refundAll(account: AccountRecord, charges: readonly Charge[], now: number): AccountRecord {
  let limiters = account.limiters;
  for (const taken of charges) {
    const state = entryOf(limiters, taken.limiter);
    if (state !== undefined) limiters = withEntry(limiters, taken.limiter, refund(state, taken, now));
  }
  return withLimiters(account, limiters);
}

/** Whether a charge is refunded whenever its request ends: a place among concurrent requests. spec 5.3 */
export function isHeldWhileRunning({ limit }: Charge): boolean {
  return limit.kind === 'concurrency';
}

/** Releases every probe of a reservation. */
export function releaseAll(
  breakers: RouteBreakers,
  generations: BreakerGenerations,
  now: number,
): RouteBreakers {
  return {
    provider: release(breakers.provider, generations.provider, now),
    model: release(breakers.model, generations.model, now),
    account: release(breakers.account, generations.account, now),
    entitlement: release(breakers.entitlement, generations.entitlement, now),
    key: release(breakers.key, generations.key, now),
  };
}
