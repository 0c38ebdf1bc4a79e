/** What the outcome of an attempt changes in the records: the effects table, carried out. */

import { type AccountRecord, bucketName, bucketOf, keyOf, type KeyRecord } from './account-record.ts';
import {
  type Booking,
  breakersOf,
  patched,
  refund,
  releaseAll,
  type RouteBreakers,
  type RouteRecords,
  withBreakers,
  withEntry,
} from './booking.ts';
import { fail, succeed } from './circuit-breaker.ts';
import type { Failure, Scope } from './failure.ts';
import { FAILURE_EFFECTS, type Trip } from './failure-effects.ts';
import { horizonMs, type Meter, returnsAt } from './meter.ts';
import { modelOf, type ModelRecord, type ProviderRecord } from './provider-record.ts';
import { bucketReadyAt, fill, limitOf, type TokenBucket, take } from './token-bucket.ts';

/** How an attempt ended. `abandoned`: the caller walked away; nobody is to blame. */
export type Outcome =
  | {
      readonly kind: 'success';
      readonly latencyMs: number;
      /** What the provider counted for the answer, where it tells. */
      readonly tokens?: number | undefined;
    }
  | { readonly kind: 'abandoned'; readonly sent: boolean }
  | { readonly kind: 'failure'; readonly failure: Failure; readonly size: number };

type FailureOutcome = Extract<Outcome, { kind: 'failure' }>;

/** Weight of the newest answer in the mean latency. */
const LATENCY_WEIGHT = 0.3;

/** Takes the tokens of an answer from the meters that count tokens. */
function spendTokens(account: AccountRecord, { pick }: Booking, tokens: number, now: number): AccountRecord {
  let buckets = account.buckets;
  const { model } = pick.route;
  for (const meter of tokens > 0 ? pick.account.meters(model) : []) {
    if (meter.unit !== 'tokens') continue;
    const bucket = take(bucketOf(account, meter, model), tokens, returnsAt(meter, now), now);
    buckets = withEntry(buckets, bucketName(meter, model), bucket);
  }
  return patched(account, { buckets });
}

type SuccessOutcome = Extract<Outcome, { kind: 'success' }>;

function onSuccess(
  records: RouteRecords,
  booking: Booking,
  outcome: SuccessOutcome,
  now: number,
): RouteRecords {
  const { latencyMs, tokens = 0 } = outcome;
  const before = breakersOf(records, booking.pick);
  const { generations } = booking;
  const after: RouteBreakers = {
    provider: succeed(before.provider, generations.provider),
    model: succeed(before.model, generations.model),
    account: succeed(before.account, generations.account),
    entitlement: succeed(before.entitlement, generations.entitlement),
    key: succeed(before.key, generations.key),
  };
  const next = withBreakers(records, booking.pick, before, after);
  const { keyId } = booking.pick.route;
  const { breaker, latencyMs: known = latencyMs } = keyOf(next.account, keyId);
  const key: KeyRecord = { breaker, latencyMs: known + LATENCY_WEIGHT * (latencyMs - known) };
  const account = spendTokens(next.account, booking, tokens, now);
  return { ...next, account: { ...account, keys: { ...account.keys, [keyId]: key } } };
}

function onAbandoned(records: RouteRecords, booking: Booking, sent: boolean, now: number): RouteRecords {
  const before = breakersOf(records, booking.pick);
  const next = withBreakers(records, booking.pick, before, releaseAll(before, booking.generations, now));
  return sent ? next : { ...next, account: refund(next.account, booking) };
}

/** The meters that a refusal speaks of: those of its scope and its window. */
function refusingMeters(booking: Booking, failure: Failure): readonly Meter[] {
  const window = FAILURE_EFFECTS[failure.kind].fills;
  if (window === undefined || (failure.scope !== 'account' && failure.scope !== 'account-model')) return [];
  return booking.pick.account
    .meters(booking.pick.route.model)
    .filter((meter) => meter.per === failure.scope && (meter.kind === 'daily') === (window === 'day'));
}

/** When a refused meter is free again: as the provider says, else as the meter itself counts. */
function refusedUntil(meter: Meter, bucket: TokenBucket, failure: Failure, now: number): number {
  if (failure.retryAt !== undefined) return failure.retryAt;
  const view = { limit: limitOf(bucket, meter.limit, now), now, horizonMs: horizonMs(meter) };
  const readyAt = bucketReadyAt(bucket, 1, view);
  return readyAt > now && Number.isFinite(readyAt) ? readyAt : returnsAt(meter, now);
}

function fillMeters(account: AccountRecord, booking: Booking, failure: Failure, now: number): AccountRecord {
  let buckets = account.buckets;
  for (const meter of refusingMeters(booking, failure)) {
    const { model } = booking.pick.route;
    let bucket = bucketOf(account, meter, model);
    const stated = failure.statedLimit;
    if (stated !== undefined && stated > 0 && meter.unit === 'requests') {
      bucket = { ...bucket, learnt: { limit: stated, at: now } };
    }
    buckets = withEntry(
      buckets,
      bucketName(meter, model),
      fill(bucket, refusedUntil(meter, bucket, failure, now), now),
    );
  }
  return patched(account, { buckets });
}

const STRUCK: Readonly<Record<Scope, keyof RouteBreakers | undefined>> = {
  provider: 'provider',
  account: 'account',
  key: 'key',
  model: 'model',
  'account-model': 'entitlement',
  request: undefined,
};

/** When a breaker is struck and how it opens; without `trip` it is left alone. */
interface Struck {
  readonly now: number;
  readonly trip: Trip | undefined;
}

/** Strikes the breaker at the failure's scope; frees the others' probes; an answer, whatever it says, proves the provider alive. */
function strike(
  breakers: RouteBreakers,
  { generations }: Booking,
  failure: Failure,
  at: Struck,
): RouteBreakers {
  const { trip, now } = at;
  const next = { ...releaseAll(breakers, generations, now) };
  if (failure.status !== undefined && failure.scope !== 'provider') {
    next.provider = succeed(breakers.provider, generations.provider);
  }
  const struck = STRUCK[failure.scope];
  if (struck !== undefined && trip !== undefined) {
    next[struck] = fail(breakers[struck], {
      generation: generations[struck],
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
function remember(provider: ProviderRecord, model: string, failure: Failure, size: number): ProviderRecord {
  const what = FAILURE_EFFECTS[failure.kind].remembers;
  if (what === undefined) return provider;
  const known = modelOf(provider, model);
  const learnt = what === 'size' ? withSize(known, failure, size) : withLacks(known, failure);
  if (learnt === known) return provider;
  return { ...provider, models: { ...provider.models, [model]: learnt } };
}

function onFailure(
  records: RouteRecords,
  booking: Booking,
  outcome: FailureOutcome,
  now: number,
): RouteRecords {
  const { failure, size } = outcome;
  const { pick } = booking;
  const before = breakersOf(records, pick);
  const filled = refusingMeters(booking, failure).length > 0;
  const trip = filled ? undefined : (pick.provider.trip(failure.kind) ?? FAILURE_EFFECTS[failure.kind].trip);
  const next = withBreakers(records, pick, before, strike(before, booking, failure, { trip, now }));
  let account = fillMeters(next.account, booking, failure, now);
  if (failure.uncounted === true) account = refund(account, booking);
  const { keyId, model } = pick.route;
  if (FAILURE_EFFECTS[failure.kind].throws !== true) {
    const lastError = { kind: failure.kind, message: failure.message, at: now, model };
    account = { ...account, keys: { ...account.keys, [keyId]: { ...keyOf(account, keyId), lastError } } };
  }
  return { account, provider: remember(next.provider, model, failure, size) };
}

/** The records after the attempt behind `booking` ended. Records of which nothing changed keep their identity. */
export function settle(records: RouteRecords, booking: Booking, outcome: Outcome, now: number): RouteRecords {
  switch (outcome.kind) {
    case 'success':
      return onSuccess(records, booking, outcome, now);
    case 'abandoned':
      return onAbandoned(records, booking, outcome.sent, now);
    case 'failure':
      return onFailure(records, booking, outcome, now);
  }
}
