/** What the rest of a call skips after a failure: everything inside the failure's scope. */

import { backoffMs, type Failure, FAILURE_EFFECTS } from '../failure.ts';
import type { CandidateModel, Route } from '../pool.ts';
import type { FailedAttempt } from './question.ts';

const BASE_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** The longest pause of a call that may not wait, or no longer. */
const MAX_PAUSE_MS = 5000;

/** How long a call may go on. */
export interface CallBounds {
  /** Whether it may wait for a route. */
  readonly waits: boolean;
  /** Epoch ms. */
  readonly deadline: number;
}

/**
 * Epoch ms from which a call may come back to what just failed, if that passes by itself: later each time; Infinity for
 * never. A call that may not wait for others pauses all the same, but never for long.
 */
export function excludedUntil(
  failedAttempts: readonly FailedAttempt[],
  entry: Omit<FailedAttempt, 'excludedUntil'>,
  { waits, deadline }: CallBounds,
  now: number,
): number {
  // What broke on the way may do better the next time: others are tried first, but it may be tried again.
  if (FAILURE_EFFECTS[entry.failure.kind].repeatable === true) return now;
  if (FAILURE_EFFECTS[entry.failure.kind].transient !== true) return Number.POSITIVE_INFINITY;
  const { provider, keyId, model } = entry.route;
  const before = failedAttempts.filter(
    ({ route }) => route.provider === provider && route.keyId === keyId && route.model === model,
  );
  const { retryAt = 0 } = entry.failure;
  const pauseMs = Math.max(backoffMs(BASE_RETRY_MS, before.length, MAX_RETRY_MS), retryAt - now);
  const isTooLong = now + pauseMs >= deadline || (!waits && pauseMs > MAX_PAUSE_MS);
  return isTooLong ? Number.POSITIVE_INFINITY : now + pauseMs;
}

/**
 * Epoch ms until which a call pauses at most before it comes back to what failed, though it may not wait, or no longer;
 * 0 when there is nothing to come back to.
 */
export function pauseUntil(failedAttempts: readonly FailedAttempt[], now: number): number {
  let at = 0;
  for (const { excludedUntil: until } of failedAttempts)
    if (until < Number.POSITIVE_INFINITY) at = Math.max(at, until);
  return Math.min(at, now + MAX_PAUSE_MS);
}

/** Whether a failure at one model speaks for another one of the same or another provider. */
function coversModel(tried: FailedAttempt, provider: string, model: CandidateModel): boolean {
  const { route, failure } = tried;
  if (failure.kind === 'context_too_long') {
    if (route.provider === provider && route.model === model.id) return true;
    const size = failure.contextLength ?? tried.ctx;
    // Without sizes, models of unknown size count as one size: one call finds out.
    return size === undefined ? model.ctx === undefined : model.ctx !== undefined && model.ctx <= size;
  }
  if (route.provider !== provider) return false;
  return (
    failure.kind === 'content_blocked' ||
    failure.scope === 'provider' ||
    (isModelScoped(failure) && route.model === model.id)
  );
}

function isModelScoped(failure: Failure): boolean {
  return failure.scope === 'model' || (failure.scope === 'request' && failure.kind !== 'content_blocked');
}

/** Epoch ms until which the call skips `model` at `provider`, whatever the key; 0 when it does not. */
export function modelExcludedUntil(
  failedAttempts: readonly FailedAttempt[],
  provider: string,
  model: CandidateModel,
): number {
  let until = 0;
  for (const tried of failedAttempts) {
    if (tried.excludedUntil > until && coversModel(tried, provider, model)) until = tried.excludedUntil;
  }
  return until;
}

/** Epoch ms until which the call skips a key of an account for `model`; 0 when it does not. */
export function keyExcludedUntil(failedAttempts: readonly FailedAttempt[], route: Route): number {
  let until = 0;
  for (const tried of failedAttempts) {
    if (tried.excludedUntil > until && coversKey(tried, route)) until = tried.excludedUntil;
  }
  return until;
}

function coversKey(tried: FailedAttempt, route: Route): boolean {
  const at = tried.route;
  if (at.provider !== route.provider) return false;
  switch (tried.failure.scope) {
    case 'account':
      return at.account === route.account;
    case 'account-model':
      return at.account === route.account && at.model === route.model;
    case 'key':
      return at.keyId === route.keyId;
    case 'provider':
    case 'model':
    case 'request':
      return false;
  }
}

/** How often `provider` failed this call otherwise than by a spent quota; others are tried first. */
export function setbacksOf(failedAttempts: readonly FailedAttempt[], provider: string): number {
  let setbacks = 0;
  for (const { route, failure } of failedAttempts) {
    if (route.provider === provider && FAILURE_EFFECTS[failure.kind].setback === true) setbacks += 1;
  }
  return setbacks;
}
