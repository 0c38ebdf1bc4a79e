/** Applies the outcome of an attempt to the records, as the table of failure effects says. spec 5.3 */

import { isRoot, type Surprise, withIdentity, withSuspicion } from '../records/shared-accounts.ts';
import {
  accountDraft,
  type AccountRecord,
  limiterName,
  limiterOf,
  keyOf,
  type KeyRecord,
} from '../records/account.ts';
import {
  type Reservation,
  breakersOf,
  withMembers,
  releaseAll,
  type RouteBreakers,
  type RouteRecords,
  withBreakers,
  withEntry,
} from './reserve.ts';
import { type CircuitBreaker, succeed } from '../circuit-breaker.ts';
import type { Draft } from '../draft.ts';
import { type Failure, FAILURE_EFFECTS } from '../failure.ts';
import { entryOf } from '../json.ts';
import { admittedOf } from '../limits/learning.ts';
import { withNothingLeft } from '../limits/reported.ts';
import { EMPTY_LIMITER } from '../limits/state.ts';
import { type Limit, windowOf, type ReportedQuota } from '../limits/limit.ts';
import type { Target } from '../routing/question.ts';
import {
  trusted,
  modelOf,
  type ModelRecord,
  type ProviderRecord,
  withAnswer,
  withPrice,
} from '../records/provider.ts';
import { pruned } from '../records/prune.ts';
import { admittedBy, struckBreaker, withStrike } from './strike.ts';
import { afterFailure, afterAbort, afterSuccess, refusingLimits, type TokensUsed } from './settle-limits.ts';

/** How an attempt ended. `aborted`: the caller left, so it says nothing about the provider. */
export type Outcome =
  | {
      readonly kind: 'success';
      readonly latencyMs: number;
      readonly tokens?: TokensUsed | undefined;
      /** Quotas that the answer reports. */
      readonly reported?: readonly ReportedQuota[] | undefined;
    }
  | { readonly kind: 'aborted'; readonly sent: boolean }
  | {
      readonly kind: 'failure';
      readonly failure: Failure;
      /** The request's length in characters; undefined if the length of the answer may be what was too long. */
      readonly size: number | undefined;
    };

type FailureOutcome = Extract<Outcome, { kind: 'failure' }>;

/** Weight of the newest answer in the mean latency. */
const LATENCY_WEIGHT = 0.3;

type SuccessOutcome = Extract<Outcome, { kind: 'success' }>;

// spec 5.5
function onSuccess(
  records: RouteRecords,
  reservation: Reservation,
  outcome: SuccessOutcome,
  now: number,
): RouteRecords {
  const { latencyMs } = outcome;
  const before = breakersOf(records, reservation.target);
  const served = (guard: keyof RouteBreakers): CircuitBreaker =>
    succeed(before[guard], admittedBy(reservation, guard));
  const after: RouteBreakers = {
    provider: served('provider'),
    model: served('model'),
    account: served('account'),
    entitlement: served('entitlement'),
    key: served('key'),
  };
  const next = withBreakers(records, reservation.target, before, after);
  const { keyId } = reservation.target.route;
  const { breaker, billed, latencyMs: known = latencyMs } = keyOf(next.account, keyId);
  const key: Draft<KeyRecord> = { breaker, latencyMs: known + LATENCY_WEIGHT * (latencyMs - known) };
  if (billed !== undefined) key.billed = billed;
  const account = accountDraft(afterSuccess(next.account, reservation, outcome, now));
  account.keys = { ...account.keys, [keyId]: key };
  return { provider: next.provider, account };
}

// spec 5.4
function onAbort(records: RouteRecords, reservation: Reservation, sent: boolean, now: number): RouteRecords {
  const before = breakersOf(records, reservation.target);
  const next = withBreakers(
    records,
    reservation.target,
    before,
    releaseAll(before, reservation.generations, now),
  );
  return { ...next, account: afterAbort(next.account, reservation, sent, now) };
}

/** `size`: undefined if the answer may have been too long. Then the context length is learnt, but not that of the prompt. */
function withSize(
  known: ModelRecord,
  { contextLength }: Failure,
  size: number | undefined,
  listed: number | undefined,
): ModelRecord {
  const ctx = size === undefined ? (contextLength ?? listed) : contextLength;
  const sized = ctx === undefined ? known : withMembers(known, { ctx });
  return size === undefined ? sized : withMembers(sized, { tooLong: Math.min(size, known.tooLong ?? size) });
}

function withLacks(model: ModelRecord, failure: Failure): ModelRecord {
  const { parameters = [], capabilities = [], maxOutput } = failure;
  const known = maxOutput === undefined ? model : withMembers(model, { maxOutput });
  const refuses = new Set([...(known.refuses ?? []), ...parameters]);
  const lacks = new Set([...(known.lacks ?? []), ...capabilities]);
  if (refuses.size === (known.refuses?.length ?? 0) && lacks.size === (known.lacks?.length ?? 0))
    return known;
  return { ...known, refuses: [...refuses], lacks: [...lacks] };
}

/** The provider's record with what a refused request shows about its model. spec 5.6 */
function withModelLimits(
  provider: ProviderRecord,
  { target }: Reservation,
  { failure, size }: FailureOutcome,
  now: number,
): ProviderRecord {
  const { model } = target.route;
  const { remembers } = FAILURE_EFFECTS[failure.kind];
  if (remembers === undefined) return provider;
  const known = trusted(modelOf(provider, model), now);
  const learnt =
    remembers === 'size' ? withSize(known, failure, size, target.model.ctx) : withLacks(known, failure);
  if (learnt === known) return provider;
  return { ...provider, models: { ...provider.models, [model]: { ...learnt, learntAt: now } } };
}

/** The refusal of one limit, as evidence of keys that share an account; undefined if it is none. spec 5.9 */
function surpriseOf(
  before: AccountRecord,
  { account, model }: Target['route'],
  limit: Limit,
  { reportedLimit, unit = 'requests' }: Failure,
  now: number,
): Surprise | undefined {
  const max = reportedLimit ?? limit.max;
  if (limit.unit !== unit || unit === 'tokens' || !Number.isFinite(max)) return undefined;
  // What adds up to a mere assumption is no evidence.
  if (reportedLimit === undefined && limit.assumed === true) return undefined;
  // The refused request itself was not admitted.
  const used = admittedOf(limiterOf(before, limit, model), limit, now) - 1;
  return { account, limiter: limiterName(limit, model), used, max, windowMs: windowOf(limit) };
}

function withSurprise(records: RouteRecords, limit: Limit, surprise: Surprise, now: number): RouteRecords {
  const provider = withSuspicion(records.provider, surprise, now);
  const { account: id, limiter, max } = surprise;
  if (!isRoot(provider, id, now) || isRoot(records.provider, id, now)) return { ...records, provider };
  const spent = withNothingLeft(entryOf(records.account.limiters, limiter) ?? EMPTY_LIMITER, limit, max, now);
  const limiters = withEntry(records.account.limiters, limiter, spent);
  return { provider, account: { ...records.account, limiters } };
}

/** The records with what a refusal shows about keys that share an account. `before`: the account before it. spec 5.9 */
function withSharedAccounts(
  records: RouteRecords,
  before: AccountRecord,
  reservation: Reservation,
  failure: Failure,
  now: number,
): RouteRecords {
  const { provider, route } = reservation.target;
  let known = { ...records, provider: withIdentity(records.provider, route.account, failure, now) };
  if (provider.accounts.length < 2) return known;
  for (const limit of refusingLimits(reservation, failure)) {
    const surprise = surpriseOf(before, route, limit, failure, now);
    if (surprise !== undefined) known = withSurprise(known, limit, surprise, now);
  }
  return known;
}

// spec 5.6
function onFailure(
  records: RouteRecords,
  reservation: Reservation,
  outcome: FailureOutcome,
  now: number,
): RouteRecords {
  const { failure } = outcome;
  const { target } = reservation;
  const before = breakersOf(records, target);
  const struck = struckBreaker(records, reservation, failure, now);
  const after = withStrike(before, reservation, failure, struck, now);
  const next = withBreakers(records, target, before, after);
  let account = afterFailure(next.account, reservation, failure, now);
  const { keyId, model } = target.route;
  if (FAILURE_EFFECTS[failure.kind].throwsAfter === undefined) {
    const lastError = { kind: failure.kind, message: failure.message, at: now, model };
    account = { ...account, keys: { ...account.keys, [keyId]: { ...keyOf(account, keyId), lastError } } };
  }
  const { provider } = next;
  const related = withSharedAccounts({ account, provider }, records.account, reservation, failure, now);
  return { ...related, provider: withModelLimits(related.provider, reservation, outcome, now) };
}

/** The records after the answer of a route stated its price, or was served without one. spec 5.11 */
export function withCost(records: RouteRecords, target: Target, cost: number | undefined): RouteRecords {
  const { provider, account } = records;
  const { route } = target;
  // A bill that the user allows shows nothing.
  const isFree = target.provider.maySpend !== true && target.account.freeBecause !== undefined;
  const answered = isFree ? withAnswer(provider, route.model, cost) : provider;
  if (cost === undefined) return answered === provider ? records : { provider: answered, account };
  const key = keyOf(account, route.keyId);
  const { amount, calls } = key.billed ?? { amount: 0, calls: 0 };
  const billed = { amount: amount + cost, calls: calls + 1 };
  return {
    provider: withPrice(answered, route.model, cost),
    account: { ...account, keys: { ...account.keys, [route.keyId]: { ...key, billed } } },
  };
}

function onOutcome(
  records: RouteRecords,
  reservation: Reservation,
  outcome: Outcome,
  now: number,
): RouteRecords {
  switch (outcome.kind) {
    case 'success':
      return onSuccess(records, reservation, outcome, now);
    case 'aborted':
      return onAbort(records, reservation, outcome.sent, now);
    case 'failure':
      return onFailure(records, reservation, outcome, now);
  }
}

/** The records after the attempt of a reservation ended. Unchanged records stay the same objects. spec 5.3 */
export function settle(
  records: RouteRecords,
  reservation: Reservation,
  outcome: Outcome,
  now: number,
): RouteRecords {
  return pruned(records, onOutcome(records, reservation, outcome, now), now);
}
