/** The routes that the rest of a call skips after a failure: those in the failure's scope. spec 8.1 */

import { backoffMs, type Failure, FAILURE_EFFECTS, windowFilledBy } from '../failure.ts';
import type { CandidateModel, Route } from '../pool.ts';
import type { FailedAttempt, RequestNeeds } from './question.ts';

const BASE_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** The longest pause of a call that may not wait. */
const MAX_PAUSE_MS = 5000;

/** The bounds of a call. */
export interface CallBounds {
  /** Whether the call may wait for a route. */
  readonly waits: boolean;
  /** Epoch ms. */
  readonly deadline: number;
}

/**
 * Epoch ms from which the call may come back to the failed route; Infinity for never. Each failure of the route doubles
 * the pause. A call that may not wait for other routes still pauses briefly. spec 8.1
 */
export function excludedUntil(
  failedAttempts: readonly FailedAttempt[],
  entry: Omit<FailedAttempt, 'excludedUntil'>,
  { waits, deadline }: CallBounds,
  now: number,
): number {
  const { repeatable, transient } = FAILURE_EFFECTS[entry.failure.kind];
  if (repeatable === true) return now;
  if (transient !== true || entry.failure.oversized === true) return Number.POSITIVE_INFINITY;
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
 * Epoch ms until which a call that may not wait pauses to come back to a failed route; 0 if there is none. After a hint
 * the calls that it sent away come back one after another, so a call stays a little longer. spec 11.7
 */
export function pauseUntil(failedAttempts: readonly FailedAttempt[], now: number): number {
  let at = 0;
  for (const { excludedUntil: until, failure } of failedAttempts) {
    if (until === Number.POSITIVE_INFINITY) continue;
    const isHinted = windowFilledBy(failure.kind) === 'minute' && failure.retryAt !== undefined;
    at = Math.max(at, isHinted ? until + MAX_PAUSE_MS : until);
  }
  return Math.min(at, now + MAX_PAUSE_MS);
}

/** Names the routes that a failure excludes: failures with equal names exclude the same ones. */
function routesOf({ route, failure, ctx }: FailedAttempt): string {
  const { provider, account, keyId, model } = route;
  const { scope } = failure;
  const { excludes } = FAILURE_EFFECTS[failure.kind];
  if (excludes === 'provider' || scope === 'provider') return JSON.stringify([provider]);
  const named = {
    model: [model],
    request: [model],
    account: [account],
    'account-model': [account, model],
    key: [keyId],
  }[scope];
  const isOfModel = excludes === 'smaller-models' || failure.oversized === true;
  const ofModel = isOfModel ? [model, failure.contextLength ?? ctx] : [];
  return JSON.stringify([provider, scope, ...named, ...ofModel]);
}

/** Names what the failures of a call exclude for good: equal names, equal routes. '' if they exclude nothing for good. */
export function excludedForGood(failedAttempts: readonly FailedAttempt[]): string {
  if (failedAttempts.length === 0) return '';
  const lasting = failedAttempts.filter((failed) => failed.excludedUntil === Number.POSITIVE_INFINITY);
  return [...new Set(lasting.map(routesOf))].toSorted().join('\n\n');
}

/** Whether a failure excludes a model of the same or another provider. spec 8.1 */
function coversModel(attempt: FailedAttempt, provider: string, model: CandidateModel): boolean {
  const { route, failure } = attempt;
  const { excludes } = FAILURE_EFFECTS[failure.kind];
  if (excludes === 'smaller-models' && failure.scope !== 'provider') {
    if (route.provider === provider && route.model === model.id) return true;
    const size = failure.contextLength ?? attempt.ctx;
    // A model of unknown size may be a large one, so it is asked.
    return size !== undefined && model.ctx !== undefined && model.ctx <= size;
  }
  if (route.provider !== provider) return false;
  return (
    excludes === 'provider' ||
    failure.scope === 'provider' ||
    (failure.oversized === true && route.model === model.id) ||
    (isModelScoped(failure) && route.model === model.id)
  );
}

function isModelScoped({ scope }: Failure): boolean {
  return scope === 'model' || scope === 'request';
}

/** Epoch ms until which the call skips `model` at `provider`, whatever the key; 0 when it does not. */
export function modelExcludedUntil(
  failedAttempts: readonly FailedAttempt[],
  provider: string,
  model: CandidateModel,
): number {
  let until = 0;
  for (const attempt of failedAttempts) {
    if (attempt.excludedUntil > until && coversModel(attempt, provider, model)) until = attempt.excludedUntil;
  }
  return until;
}

/** Epoch ms until which the call skips a key of an account for `model`; 0 when it does not. */
export function keyExcludedUntil(failedAttempts: readonly FailedAttempt[], route: Route): number {
  let until = 0;
  for (const attempt of failedAttempts) {
    if (attempt.excludedUntil > until && coversKey(attempt, route)) until = attempt.excludedUntil;
  }
  return until;
}

function coversKey(attempt: FailedAttempt, route: Route): boolean {
  const at = attempt.route;
  if (at.provider !== route.provider) return false;
  switch (attempt.failure.scope) {
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

/** Whether an `unsupported` failure names something without which the model cannot serve the request. It is remembered. */
function isLack({ parameters = [], capabilities = [] }: Failure, needs: RequestNeeds): boolean {
  return (
    capabilities.some((capability) => needs.capabilities.includes(capability)) ||
    parameters.some((field) => needs.fields?.includes(field))
  );
}

/**
 * Whether a refusal speaks against the request, not about what the model lacks: a rejection, or an `unsupported` failure
 * that names nothing, or nothing that the request contains. spec 8.3
 */
function speaksAgainst(failure: Failure, needs: RequestNeeds): boolean {
  const { kind, status = 0 } = failure;
  const { opinion } = FAILURE_EFFECTS[kind];
  return opinion === 'unexplained' || (opinion === 'named' && status >= 400 && !isLack(failure, needs));
}

/** The failed attempts that speak against the request. One that was repeated in another form does not. */
export function opinionsOf(failedAttempts: readonly FailedAttempt[]): readonly FailedAttempt[] {
  return failedAttempts.filter(({ isOpinion: speaks }) => speaks === true);
}

/**
 * Whether a failure ends the call, because the request itself is at fault: a second model agrees. If the failure only
 * says that something is unsupported, the models must be of two providers. spec 8.3
 */
export function isFinal(
  earlier: readonly FailedAttempt[],
  { failure, isOpinion: speaks, route }: Omit<FailedAttempt, 'excludedUntil'>,
): boolean {
  const { throwsAfter } = FAILURE_EFFECTS[failure.kind];
  const opinions = speaks === true ? opinionsOf(earlier) : [];
  if (throwsAfter !== undefined) return opinions.length + 1 >= throwsAfter;
  return opinions.some((opinion) => opinion.route.provider !== route.provider);
}

/** What a failure says about the request. */
interface Judgement {
  /** The same route may take the request in another form. */
  readonly mayRetry: boolean;
  /** It speaks against the request itself. */
  readonly isOpinion: boolean;
}

/**
 * Judges a failure. `canChange`: whether the request can be written for this model without what the failure names. If an
 * earlier model refused the same although it was not sent, the words mean something else. spec 8.2, 8.3
 */
export function judge(
  earlier: readonly FailedAttempt[],
  failure: Failure,
  needs: RequestNeeds,
  canChange: () => boolean,
): Judgement {
  const refuted = new Set(opinionsOf(earlier).flatMap((attempt) => namesIn(attempt.failure)));
  const named = namesIn(failure);
  const isMisread = named.length > 0 && named.every((name) => refuted.has(name));
  const mayRetry = !isMisread && canChange();
  return { mayRetry, isOpinion: !mayRetry && speaksAgainst(failure, needs) };
}

function namesIn({ parameters = [], capabilities = [] }: Failure): readonly string[] {
  return [...parameters, ...capabilities];
}

/** The failed attempts of models that rejected the request, for a reason that is not known. */
export function rejectionsOf(failedAttempts: readonly FailedAttempt[]): readonly FailedAttempt[] {
  return failedAttempts.filter(({ failure }) => FAILURE_EFFECTS[failure.kind].opinion === 'unexplained');
}

/** How often `provider` failed this call with a `setback` kind: others are tried first. spec 11.6 */
export function setbacksOf(failedAttempts: readonly FailedAttempt[], provider: string): number {
  let setbacks = 0;
  for (const { route, failure } of failedAttempts) {
    if (route.provider === provider && FAILURE_EFFECTS[failure.kind].setback === true) setbacks += 1;
  }
  return setbacks;
}
