/** What the outcome of an attempt changes in the records: the effects table, carried out. */

import { identified, isRoot, suspected } from '../records/shared-accounts.ts';
import { type AccountRecord, limiterName, limiterOf, keyOf, type KeyRecord } from '../records/account.ts';
import {
  type Reservation,
  breakersOf,
  patched,
  releaseAll,
  type RouteBreakers,
  type RouteRecords,
  withBreakers,
  withEntry,
} from './reserve.ts';
import {
  type Admitted,
  breakerReadyAt,
  type CircuitBreaker,
  countAgainst,
  fail,
  succeed,
} from '../circuit-breaker.ts';
import { type Failure, type Scope, FAILURE_EFFECTS, type Trip } from '../failure.ts';
import { admittedOf, exhausted } from '../limits/learning.ts';
import { type Limit, windowOf, type ReportedQuota } from '../limits/limit.ts';
import type { Target } from '../routing/question.ts';
import { believed, modelOf, type ModelRecord, type ProviderRecord } from '../records/provider.ts';
import {
  afterFailure,
  afterLeaving,
  afterSuccess,
  refusingLimits,
  type TokensUsed,
} from './settle-limits.ts';

/** How an attempt ended. `aborted`: the caller left, so it says nothing about the provider. */
export type Outcome =
  | {
      readonly kind: 'success';
      readonly latencyMs: number;
      readonly tokens?: TokensUsed | undefined;
      /** Quotas that the answer states. */
      readonly reported?: readonly ReportedQuota[] | undefined;
    }
  | { readonly kind: 'aborted'; readonly sent: boolean }
  | { readonly kind: 'failure'; readonly failure: Failure; readonly size: number };

type FailureOutcome = Extract<Outcome, { kind: 'failure' }>;

/** Weight of the newest answer in the mean latency. */
const LATENCY_WEIGHT = 0.3;

type SuccessOutcome = Extract<Outcome, { kind: 'success' }>;

function admittedBy({ generations, sentAt }: Reservation, guard: keyof RouteBreakers): Admitted {
  return { generation: generations[guard], sentAt };
}

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
  const { breaker, latencyMs: known = latencyMs } = keyOf(next.account, keyId);
  const key: KeyRecord = { breaker, latencyMs: known + LATENCY_WEIGHT * (latencyMs - known) };
  const account = afterSuccess(next.account, reservation, outcome, now);
  return { ...next, account: { ...account, keys: { ...account.keys, [keyId]: key } } };
}

function onAbort(
  records: RouteRecords,
  reservation: Reservation,
  sent: boolean,
  now: number,
): RouteRecords {
  const before = breakersOf(records, reservation.target);
  const next = withBreakers(
    records,
    reservation.target,
    before,
    releaseAll(before, reservation.generations, now),
  );
  return { ...next, account: afterLeaving(next.account, reservation, sent, now) };
}

const STRUCK: Readonly<Record<Scope, keyof RouteBreakers | undefined>> = {
  provider: 'provider',
  account: 'account',
  key: 'key',
  model: 'model',
  'account-model': 'entitlement',
  request: undefined,
};

/** When a breaker is struck, which and how it opens; without `trip` none is. */
interface Struck {
  readonly now: number;
  readonly trip: Trip | undefined;
  readonly breaker: keyof RouteBreakers | undefined;
}

/** Whether another model of the account rests for the same reason: then the reason is the account's. */
function escalates(
  { account }: RouteRecords,
  { target }: Reservation,
  failure: Failure,
  now: number,
): boolean {
  if (failure.escalates !== true || failure.scope !== 'account-model') return false;
  return Object.entries(account.models).some(
    ([model, breaker]) =>
      model !== target.route.model &&
      breaker.state !== 'closed' &&
      breaker.reason === failure.kind &&
      breakerReadyAt(breaker, now) > now,
  );
}

/** Whether a failure at one model may be the provider's. */
function isSuspicious({ kind, scope }: Failure): boolean {
  return scope === 'model' && FAILURE_EFFECTS[kind].spreads === true;
}

/** Whether another model failed as well since the provider last served anybody: then it is the provider. */
function spreads({ provider }: RouteRecords, { target }: Reservation, failure: Failure): boolean {
  if (!isSuspicious(failure)) return false;
  const { breaker } = provider;
  if (breaker.state !== 'closed') return breaker.reason === failure.kind;
  const own = modelOf(provider, target.route.model).breaker;
  return own.state === 'closed' && breaker.failures > own.failures;
}

/** Which breaker a failure strikes, and how. */
function struckBy(records: RouteRecords, reservation: Reservation, failure: Failure, now: number): Struck {
  if (refusingLimits(reservation, failure).length > 0) return { now, trip: undefined, breaker: undefined };
  const trip = reservation.target.provider.trip(failure.kind) ?? FAILURE_EFFECTS[failure.kind].trip;
  if (escalates(records, reservation, failure, now)) return { now, trip, breaker: 'account' };
  return { now, trip, breaker: spreads(records, reservation, failure) ? 'provider' : STRUCK[failure.scope] };
}

/** Strikes a breaker; frees the others' probes; an answer, whatever it says, proves the provider alive. */
function strike(
  breakers: RouteBreakers,
  reservation: Reservation,
  failure: Failure,
  { trip, now, breaker: struck }: Struck,
): RouteBreakers {
  const next = { ...releaseAll(breakers, reservation.generations, now) };
  if (struck !== 'provider' && isSuspicious(failure)) {
    next.provider = countAgainst(breakers.provider, admittedBy(reservation, 'provider'));
  } else if (failure.status !== undefined && failure.scope !== 'provider' && struck !== 'provider') {
    next.provider = succeed(breakers.provider, admittedBy(reservation, 'provider'));
  }
  if (struck !== undefined && trip !== undefined) {
    next[struck] = fail(breakers[struck], {
      ...admittedBy(reservation, struck),
      now,
      reason: failure.kind,
      trip,
      retryAt: failure.retryAt,
    });
  }
  return next;
}

function withSize(known: ModelRecord, failure: Failure, size: number): ModelRecord {
  const sized = patched(known, { tooLong: Math.min(size, known.tooLong ?? size) });
  return failure.contextLength === undefined ? sized : patched(sized, { ctx: failure.contextLength });
}

function withLacks(known: ModelRecord, { parameters = [], capabilities = [] }: Failure): ModelRecord {
  const refuses = new Set([...(known.refuses ?? []), ...parameters]);
  const lacks = new Set([...(known.lacks ?? []), ...capabilities]);
  if (refuses.size === (known.refuses?.length ?? 0) && lacks.size === (known.lacks?.length ?? 0))
    return known;
  return { ...known, refuses: [...refuses], lacks: [...lacks] };
}

/** What a refusal of the request itself teaches about the model. */
function remember(
  provider: ProviderRecord,
  { target }: Reservation,
  { failure, size }: FailureOutcome,
  now: number,
): ProviderRecord {
  const { model } = target.route;
  const what = FAILURE_EFFECTS[failure.kind].remembers;
  if (what === undefined) return provider;
  const known = believed(modelOf(provider, model), now);
  const learnt = what === 'size' ? withSize(known, failure, size) : withLacks(known, failure);
  if (learnt === known) return provider;
  return { ...provider, models: { ...provider.models, [model]: { ...learnt, learntAt: now } } };
}

/** A refusal, and the account as it was before. */
interface Refusal {
  readonly failure: Failure;
  readonly before: AccountRecord;
  readonly now: number;
}

/** What the refusal of one meter teaches about whose account it is. */
function suspect(
  records: RouteRecords,
  { route }: Target,
  limit: Limit,
  { failure, before, now }: Refusal,
): RouteRecords {
  const { reportedLimit: max = limit.max, unit = 'requests' } = failure;
  if (limit.unit !== unit || unit === 'tokens' || !Number.isFinite(max)) return records;
  const limiter = limiterName(limit, route.model);
  // The refused request itself was not admitted.
  const used = admittedOf(limiterOf(before, limit, route.model), limit, now) - 1;
  const surprise = { account: route.account, limiter, used, max, windowMs: windowOf(limit) };
  const provider = suspected(records.provider, surprise, now);
  if (!isRoot(provider, route.account, now) || isRoot(records.provider, route.account, now))
    return { ...records, provider };
  const spent = exhausted(limiterOf(records.account, limit, route.model), limit, max, now);
  const limiters = withEntry(records.account.limiters, limiter, spent);
  return { provider, account: { ...records.account, limiters } };
}

/** What a refusal teaches about whom the provider counts it against. */
function relate(records: RouteRecords, reservation: Reservation, refusal: Refusal): RouteRecords {
  const { target } = reservation;
  const { failure, now } = refusal;
  let known = { ...records, provider: identified(records.provider, target.route.account, failure, now) };
  if (target.provider.accounts.length < 2) return known;
  for (const limit of refusingLimits(reservation, failure)) known = suspect(known, target, limit, refusal);
  return known;
}

function onFailure(
  records: RouteRecords,
  reservation: Reservation,
  outcome: FailureOutcome,
  now: number,
): RouteRecords {
  const { failure } = outcome;
  const { target } = reservation;
  const before = breakersOf(records, target);
  const struck = struckBy(records, reservation, failure, now);
  const next = withBreakers(records, target, before, strike(before, reservation, failure, struck));
  let account = afterFailure(next.account, reservation, failure, now);
  const { keyId, model } = target.route;
  if (FAILURE_EFFECTS[failure.kind].throws !== true) {
    const lastError = { kind: failure.kind, message: failure.message, at: now, model };
    account = { ...account, keys: { ...account.keys, [keyId]: { ...keyOf(account, keyId), lastError } } };
  }
  const related = relate({ account, provider: next.provider }, reservation, {
    failure,
    before: records.account,
    now,
  });
  return { ...related, provider: remember(related.provider, reservation, outcome, now) };
}

/** The records after the attempt behind `booking` ended. Records of which nothing changed keep their identity. */
export function settle(
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
