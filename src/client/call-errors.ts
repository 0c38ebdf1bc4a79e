/** The errors that calls end with: what happened, with numbers, and what the caller can do. */

import type { Failure } from '../core/failure.ts';
import { opinionsOf, rejectionsOf } from '../core/routing/exclusion.ts';
import { knownOf } from '../core/records/provider.ts';
import { cautious } from '../core/routing/cost.ts';
import type { FailedAttempt, Question } from '../core/routing/question.ts';
import { routesOf } from '../core/report/explain.ts';
import type { RouteStatus } from '../core/report/routes.ts';
import type { RouteReason } from '../core/routing/admission.ts';
import { type KeyReadiness, soonestOfKeys } from '../core/report/soonest.ts';
import { durationText } from '../duration.ts';
import type { Call } from '../engine/call.ts';
import type { CallErrors } from '../engine/failover.ts';
import type { GiveUp } from '../engine/grants.ts';
import {
  type AttemptReport,
  BadRequestError,
  BrokenStreamError,
  ConfigError,
  ContentBlockedError,
  DeadlineError,
  type KeyReport,
  NoProvidersAvailableError,
  type PromptLength,
} from '../errors.ts';
import { questionOf, reasonText } from './introspection.ts';
import type { Pool } from './pool.ts';

/** Why a key is not ready, and where a new one is made if the provider refuses it. */
function keyReason(pool: Pool, provider: string, reason: RouteReason | undefined): string {
  if (reason === undefined) return 'failed in this call';
  const page = reason === 'unauthorized' ? pool.providers.get(provider)?.spec.keysUrl : undefined;
  return page === undefined ? reasonText(reason) : `${reasonText(reason)} (make a new one at ${page})`;
}

/** The reports of a provider's keys, made once while nothing changes. */
const reports = new WeakMap<readonly KeyReadiness[], readonly KeyReport[]>();

function reportsOf(pool: Pool, keys: readonly KeyReadiness[]): readonly KeyReport[] {
  let known = reports.get(keys);
  if (known === undefined) {
    // Several errors share a report.
    known = keys.map(({ provider, keyId, readyAt, reason }) =>
      Object.freeze({
        provider,
        key: pool.maskOf(provider, keyId),
        readyAt: Number.isFinite(readyAt) ? readyAt : undefined,
        reason: keyReason(pool, provider, reason),
        kind: reason,
      }),
    );
    reports.set(keys, known);
  }
  return known;
}

function bySooner({ readyAt: a = Infinity }: KeyReport, { readyAt: b = Infinity }: KeyReport): number {
  return a < b ? -1 : Number(a > b);
}

/** A report for each key. The key that is ready soonest comes first. */
function keyReports(pool: Pool, keys: ReturnType<typeof soonestOfKeys>): readonly KeyReport[] {
  return keys.flatMap((list) => reportsOf(pool, list)).toSorted(bySooner);
}

const SHOWN_KEYS = 8;

/** `isHopeless`: waiting does not help this call, so the lines call no key ready. */
function keyLines(keys: readonly KeyReport[], isHopeless: boolean, now: number): string {
  const lines = keys.slice(0, SHOWN_KEYS).map(({ provider, key, readyAt, reason }) => {
    const isReady = readyAt !== undefined && readyAt <= now;
    const when =
      readyAt === undefined || (isHopeless && isReady)
        ? 'not for this request'
        : isReady
          ? 'ready'
          : `${isHopeless ? 'asked again' : 'ready'} in ${durationText(readyAt - now)}`;
    return `\n  ${provider} ${key}: ${reason}; ${when}`;
  });
  const more = keys.length > SHOWN_KEYS ? `\n  and ${keys.length - SHOWN_KEYS} more keys` : '';
  return lines.join('') + more;
}

function attemptsText(attempts: readonly AttemptReport[]): string {
  const last = attempts.at(-1);
  if (last === undefined) return 'Nothing was sent.';
  const count = attempts.length === 1 ? '1 attempt failed' : `${attempts.length} attempts failed`;
  const status = last.status === undefined ? '' : `, HTTP ${last.status}`;
  return `${count}, the last at ${last.provider} ${last.model} (${last.outcome}${status}: ${last.message ?? ''}).`;
}

function adviceFor(readyAt: number | undefined, call: Call<unknown>, now: number): string {
  if (readyAt === undefined) return 'Waiting will not help: add a key, a provider or another model.';
  const moment = new Date(readyAt).toISOString();
  const next =
    readyAt <= now
      ? 'A route is ready again now.'
      : `The next route is ready in ${durationText(readyAt - now)}, at ${moment}.`;
  const how =
    call.maxWaitMs > 0
      ? `The call waited ${Math.round(call.waitedMs)} of at most maxWaitMs = ${call.maxWaitMs} ms: raise it`
      : 'Pass wait: true to wait for it';
  return `${next} ${how}, or add keys or providers.`;
}

/** Whether there were failures, all of them of these kinds. */
function failedOnlyWith(call: Call<unknown>, kinds: readonly Failure['kind'][]): boolean {
  return (
    call.failedAttempts.length > 0 &&
    call.failedAttempts.every(({ failure }) =>
      kinds.includes(failure.oversized === true ? 'context_too_long' : failure.kind),
    )
  );
}

/** The models and capabilities that were asked for. A key may have been passed for a model by mistake. */
function askedFor(pool: Pool, call: Call<unknown>): string {
  return pool.redact(call.queueKey);
}

function unservableAdvice(kind: RouteReason | undefined, failure: Failure | undefined): string {
  return failure?.advice ?? (kind === 'unsupported' ? 'Leave out what they lack' : 'Shorten it');
}

/** The length of a prompt that no model accepts, and the limit. Undefined if no context length is known. */
function lengthOf({ stages, records, now }: Question, call: Call<unknown>): PromptLength | undefined {
  const listed = stages.flat().flatMap(({ provider, models }) => {
    const record = records.provider(provider);
    return models.map(({ id, ctx }) => knownOf(record, id, now).ctx ?? ctx ?? 0);
  });
  const told = call.failedAttempts.map(({ failure }) => failure.contextLength ?? failure.reportedLimit ?? 0);
  const contextLength = Math.max(0, ...listed, ...told);
  if (contextLength === 0) return undefined;
  const tokens = call.needs.tokens?.().prompt ?? 0;
  // The estimate may be too low, if a model that it fits has refused the request.
  return { promptTokens: Math.max(cautious(tokens), contextLength + 1), contextLength };
}

/** The error if the request itself is at fault: its content, its length, or the capabilities that it asks for. */
function unservable(
  pool: Pool,
  call: Call<unknown>,
  question: Question,
  routes: readonly RouteStatus[],
): Error | undefined {
  const asked = askedFor(pool, call);
  const failure = call.failedAttempts.at(-1)?.failure;
  if (failure !== undefined && failedOnlyWith(call, ['content_blocked'])) {
    return new ContentBlockedError(
      `Every provider that could serve ${asked} refused the content. The last one said: ${failure.message}`,
      call.attempts,
    );
  }
  const unable =
    routes.length > 0 &&
    routes.every(({ readyAt, reason }) => readyAt === undefined && reason !== 'would_cost_money');
  if (!unable && !failedOnlyWith(call, ['context_too_long', 'unsupported'])) return undefined;
  const kind: RouteReason | undefined =
    failure?.kind ?? routes.find(({ reason }) => reason === 'unsupported')?.reason;
  const cause =
    failure === undefined ? 'It is known to exceed what they take.' : `The last one said: ${failure.message}`;
  const isTooLong = kind !== 'unsupported';
  return new BadRequestError({
    code: isTooLong ? 'context_too_long' : 'unsupported',
    length: isTooLong ? lengthOf(question, call) : undefined,
    message: `No model for ${asked} accepts this request of ${call.needs.size} characters. ${cause} ${unservableAdvice(kind, failure)}, or choose other models.`,
    attempts: call.attempts,
    status: failure?.status,
  });
}

/** What a model said when it rejected the request. */
function rejectionText({ route, failure }: Pick<FailedAttempt, 'route' | 'failure'>): string {
  const status = failure.status === undefined ? '' : ` (HTTP ${failure.status})`;
  return `${route.provider} ${route.model}${status}: ${failure.message.replace(/[.\s]+$/, '')}.`;
}

/** Why a second model was not asked, or did not answer. */
function noOpinionText(call: Call<unknown>, giveUp: GiveUp, now: number): string {
  const failed = call.failedAttempts.length > 1 ? ` ${attemptsText(call.attempts)}` : '';
  if (giveUp.reason === 'max-attempts')
    return `The call stopped at maxAttempts = ${call.maxAttempts} before another model was asked.${failed}`;
  if (giveUp.reason === 'exhausted')
    return `No second model was ready.${failed} ${adviceFor(giveUp.readyAt, call, now)}`;
  return `No second model could be asked.${failed} Correct the request, or add providers or models.`;
}

/** The error of a request that a model rejected, if no second model gave its opinion. */
function withoutOpinion(call: Call<unknown>, giveUp: GiveUp, now: number): Error | undefined {
  const [rejection] = rejectionsOf(call.failedAttempts);
  if (rejection === undefined) return undefined;
  return new BadRequestError({
    message: `A model rejected the request. ${rejectionText(rejection)} ${noOpinionText(call, giveUp, now)}`,
    attempts: call.attempts,
    status: rejection.failure.status,
  });
}

/** Once a part of the answer was delivered, every error ends the call as a broken stream. */
function afterParts(call: Call<unknown>, error: Error): Error {
  if (!call.hasDelivered) return error;
  return new BrokenStreamError(
    `The stream broke after part of the answer was delivered, and no route can continue it. The error's "partial" has what arrived. ${error.message}`,
    call.attempts,
    undefined,
    error,
  );
}

/** The error of a request that is at fault: a provider named its mistake, or two models rejected it. */
function refusedError({ attempts, failedAttempts, target }: Call<unknown>, failure: Failure): Error {
  const { status, message } = failure;
  const [first] = opinionsOf(failedAttempts);
  if (failure.kind !== 'bad_request' && first !== undefined && target !== undefined) {
    const both = `${rejectionText(first)} ${rejectionText({ route: target.route, failure })}`;
    const text = `Two models rejected the request, so it is probably at fault. ${both} Correct the request: sending it again does not help.`;
    return new BadRequestError({ message: text, attempts, status });
  }
  const provider = attempts.at(-1)?.provider ?? 'The provider';
  const text = `${provider} refused the request (HTTP ${status ?? '?'}): ${message}`;
  return new BadRequestError({ message: text, attempts, status });
}

/** Builds the errors of a pool's calls. spec 12.4 */
export function callErrors(pool: Pool): CallErrors {
  function exhausted(call: Call<unknown>, giveUp: GiveUp): Error {
    if (giveUp.reason === 'deadline') return new DeadlineError(call.timeoutMs, call.attempts);
    const now = pool.clock.now();
    const rejected = withoutOpinion(call, giveUp, now);
    if (rejected !== undefined) return rejected;
    const question = questionOf(pool, call.stages, call.needs, call.preferences.turn);
    const isHopeless = giveUp.reason === 'no-routes';
    const refused = isHopeless ? unservable(pool, call, question, routesOf(question)) : undefined;
    if (refused !== undefined) return refused;
    const comesBack = !isHopeless && Number.isFinite(giveUp.readyAt);
    const readyAt = comesBack ? Math.max(giveUp.readyAt, now) : undefined;
    const keys = keyReports(pool, soonestOfKeys(question));
    const limit =
      giveUp.reason === 'max-attempts' ? ` The call stopped at maxAttempts = ${call.maxAttempts}.` : '';
    return new NoProvidersAvailableError({
      message: `No route could serve ${askedFor(pool, call)}. ${attemptsText(call.attempts)}${limit} ${adviceFor(readyAt, call, now)}${keyLines(keys, readyAt === undefined, now)}`,
      attempts: call.attempts,
      keys,
      readyAt,
    });
  }

  return {
    exhausted: (call, giveUp) => afterParts(call, exhausted(call, giveUp)),
    // The message may repeat a header. The cause is left out, because it may hold the whole request.
    misconfigured: (call, { message }) => afterParts(call, new ConfigError(pool.redact(message))),
    broken: ({ attempts }, { kind, message }) =>
      new BrokenStreamError(
        `The stream broke after part of the answer was delivered (${kind}: ${message}), and no route can continue it. The error's "partial" has what arrived.`,
        attempts,
      ),
    refused: (call, failure) => afterParts(call, refusedError(call, failure)),
  };
}
