/** Decides what a call does next: attempt a route, wait until a moment, or give up with a reason. spec 11 */

import { accountsOf } from '../records/shared-accounts.ts';
import { accountAdmission, isProbeUnderWay, modelAdmission, providerAdmission } from './admission.ts';
import { demandOf, routeCost, routeUse } from './cost.ts';
import { pauseUntil, rejectionsOf } from './exclusion.ts';
import { FAILURE_EFFECTS } from '../failure.ts';
import { unfitReason, withKnownLength } from './fitness.ts';
import type { Route } from '../pool.ts';
import type { Decision, Question, Target } from './question.ts';
import { findKey, search, searchTwice, type StageResult } from './search.ts';

/** Like {@link searchTwice}, but after a rejection it asks other providers first. spec 11.9 */
function searchOpinion(question: Question): StageResult {
  if (question.failedAttempts.length === 0) return searchTwice(question);
  const rejected = new Set(rejectionsOf(question.failedAttempts).map(({ route }) => route.provider));
  if (rejected.size === 0) return searchTwice(question);
  const stages = question.stages.map((stage) => stage.filter(({ provider }) => !rejected.has(provider.name)));
  const elsewhere = searchTwice({ ...question, stages });
  return elsewhere.best === undefined ? searchTwice(question) : elsewhere;
}

/** The target of a route, if its guards still admit it. */
function targetOf(question: Question, route: Route): Target | undefined {
  for (const candidate of question.stages.flat()) {
    if (candidate.provider.name !== route.provider) continue;
    const { now, needs } = question;
    const record = question.records.provider(candidate.provider);
    const account = accountsOf(candidate.provider, record, now).find(({ id }) => id === route.account);
    const model = candidate.models.find(({ id }) => id === route.model);
    if (account === undefined || model === undefined) continue;
    const readyAt = Math.max(
      providerAdmission(record, question).readyAt,
      modelAdmission(record, model.id, question).readyAt,
    );
    if (readyAt > now) return undefined;
    if (unfitReason(candidate.provider, record, model, needs, now) !== undefined) return undefined;
    const own = question.records.account(account);
    const demand = demandOf({ provider: candidate.provider, account }, own, model.id, needs, now);
    const accountReadyAt = accountAdmission(account, own, model.id, demand, question).readyAt;
    const single = { account: { ...account, keyIds: [route.keyId] }, record: own, isSound: false };
    const { keyId } = findKey(question, candidate.provider.name, single, model.id, accountReadyAt);
    return keyId === undefined
      ? undefined
      : { route: { ...route, keyId }, provider: candidate.provider, account, model };
  }
  return undefined;
}

function priceOf({ records, needs, now }: Question, { provider, account, model }: Target): number {
  const record = records.account(account);
  const demand = demandOf({ provider, account }, record, model.id, needs, now);
  return routeCost(routeUse(account, record, model.id, now), demand, now).price;
}

/**
 * The route that served the conversation last, unless another one is better: one of an earlier stage, or one that takes less of
 * a day's quota. spec 11.10
 */
function findStay(question: Question): Target | undefined {
  const { stages, failedAttempts, preferences } = question;
  const { previousRoute, preferCheapest } = preferences;
  if (previousRoute === undefined || failedAttempts.length > 0) return undefined;
  const stayed = targetOf(question, previousRoute);
  if (stayed === undefined) return undefined;
  const at = stages.findIndex((stage) =>
    stage.some(
      ({ provider, models }) =>
        provider.name === previousRoute.provider && models.some(({ id }) => id === previousRoute.model),
    ),
  );
  const isEarlierReady =
    at > 0 && searchTwice({ ...question, stages: stages.slice(0, at) }).best !== undefined;
  if (isEarlierReady) return undefined;
  const price = preferCheapest ? priceOf(question, stayed) : 0;
  if (price === 0) return stayed;
  const { best } = searchTwice(question);
  return best !== undefined && priceOf(question, best) < price ? undefined : stayed;
}

/** Epoch ms from which a new call could be served: the transient failures of this call do not concern it. spec 11.7 */
function nextReadyAt(question: Question): number {
  const failedAttempts = question.failedAttempts.filter(
    ({ failure }) => FAILURE_EFFECTS[failure.kind].transient !== true || failure.oversized === true,
  );
  if (failedAttempts.length === question.failedAttempts.length) return Number.POSITIVE_INFINITY;
  const found = search({ ...question, failedAttempts });
  return found.best === undefined ? found.readyAt : question.now;
}

/** Whether a request under way may let the call through earlier than the records say. */
function isReleaseAhead({ stages, mayAdmitMore }: Question): boolean {
  return (
    mayAdmitMore !== undefined &&
    stages.some((stage) => stage.some(({ provider }) => provider.accounts.some(mayAdmitMore)))
  );
}

/** Waits until a moment. A call whose failures pass says what holds for others. spec 12.3 */
function wait(question: Question, until: number): Decision {
  const { failedAttempts, waitUntil, now } = question;
  const lasting = failedAttempts.filter(({ excludedUntil }) => excludedUntil === Number.POSITIVE_INFINITY);
  if (lasting.length === failedAttempts.length || waitUntil <= now) return { kind: 'wait', until };
  const { best, readyAt } = search({ ...question, failedAttempts: lasting });
  return { kind: 'wait', until, othersUntil: best === undefined ? Math.min(readyAt, until) : now };
}

/** Decides what a call does next. Changes nothing. spec 11.7 */
export function plan(asked: Question): Decision {
  const question = withKnownLength(asked);
  const { now, failedAttempts } = question;
  if (failedAttempts.length >= question.maxAttempts)
    return { kind: 'give-up', reason: 'max-attempts', readyAt: now };
  const retry = question.retryRoute === undefined ? undefined : targetOf(question, question.retryRoute);
  if (retry !== undefined) return { kind: 'attempt', target: retry, alternatives: true };
  const stayed = findStay(question);
  if (stayed !== undefined) return { kind: 'attempt', target: stayed, alternatives: true };
  const { best: target, alternatives, ...found } = searchOpinion(question);
  if (target !== undefined) return { kind: 'attempt', target, alternatives };
  let { readyAt } = found;
  // A call that may not wait still pauses briefly to come back to a route that failed.
  if (readyAt <= Math.max(question.waitUntil, pauseUntil(failedAttempts, now)))
    return wait(question, readyAt);
  const { records, stages, waitUntil } = question;
  // A probe may take long, but mostly reports soon.
  if (waitUntil > now && (isProbeUnderWay(records, stages.flat(), now) || isReleaseAhead(question)))
    return wait(question, waitUntil);
  readyAt = Math.min(readyAt, nextReadyAt(question));
  return {
    kind: 'give-up',
    reason: readyAt === Number.POSITIVE_INFINITY ? 'no-routes' : 'exhausted',
    readyAt,
  };
}
