/** The error that a call ends with: what happened, with numbers, and what to do. */

import type { Failure } from '../core/failure.ts';
import type { RouteReason, RouteStatus } from '../core/report/health.ts';
import type { Call } from '../engine/call.ts';
import { durationText } from '../duration.ts';
import type { Ending } from '../engine/failover.ts';
import {
  type AttemptReport,
  BadRequestError,
  BrokenStreamError,
  ContentBlockedError,
  DeadlineError,
  type KeyReport,
  NoProvidersAvailableError,
} from '../errors.ts';

const REASONS: Readonly<Record<RouteReason, string>> = {
  rate_limited: 'rate-limited by the provider',
  quota_exhausted: "the day's quota is used up, says the provider",
  model_busy: 'the model is congested',
  out_of_credits: 'the account is out of credits',
  unauthorized: 'the key was refused as invalid',
  not_entitled: 'the account may not use the model',
  forbidden: 'the provider refuses the account, the region or the network',
  model_gone: 'the model is gone',
  unsupported: 'the model lacks what the request needs',
  context_too_long: 'the request is too long for the model',
  content_blocked: 'the content was refused',
  server_error: 'the provider had errors',
  timeout: 'the provider did not answer in time',
  network: 'the provider could not be reached',
  broken_stream: 'the provider broke off its answers',
  bad_request: 'the request was refused',
  minute_quota_spent: "the minute's quota is spent",
  day_quota_spent: "the day's quota is spent",
  busy: 'as many requests are under way as are allowed',
  probing: 'another call is just finding out whether it works again',
};

/** What a reason means, for people. */
export function reasonText(reason: RouteReason | undefined): string {
  return reason === undefined ? 'failed in this call' : REASONS[reason];
}

/** One line a key: its best route and why that is not ready. The soonest first. */
function keyReports(
  routes: readonly RouteStatus[],
  maskOf: (status: RouteStatus) => string,
): readonly KeyReport[] {
  const best = new Map<string, RouteStatus>();
  for (const route of routes) {
    const id = `${route.provider} ${route.keyId}`;
    const known = best.get(id);
    if (known === undefined || (route.readyAt ?? Infinity) < (known.readyAt ?? Infinity)) best.set(id, route);
  }
  const soonest = [...best.values()].toSorted((a, b) => (a.readyAt ?? Infinity) - (b.readyAt ?? Infinity));
  return soonest.map((route) => ({
    provider: route.provider,
    key: maskOf(route),
    readyAt: route.readyAt,
    reason: reasonText(route.reason),
    kind: route.reason,
  }));
}

const SHOWN_KEYS = 8;

function keyLines(keys: readonly KeyReport[], now: number): string {
  const lines = keys.slice(0, SHOWN_KEYS).map(({ provider, key, readyAt, reason }) => {
    const when =
      readyAt === undefined
        ? 'not for this request'
        : readyAt <= now
          ? 'ready'
          : `ready in ${durationText(readyAt - now)}`;
    return `\n  ${provider} ${key}: ${reason}; ${when}`;
  });
  const more = keys.length > SHOWN_KEYS ? `\n  and ${keys.length - SHOWN_KEYS} keys more` : '';
  return lines.join('') + more;
}

function attemptsText(attempts: readonly AttemptReport[]): string {
  const last = attempts.at(-1);
  if (last === undefined) return 'Nothing was sent.';
  const count = attempts.length === 1 ? '1 attempt failed' : `${attempts.length} attempts failed`;
  const status = last.status === undefined ? '' : `, HTTP ${last.status}`;
  return `${count}, the last at ${last.provider} ${last.model} (${last.outcome}${status}: ${last.message ?? ''}).`;
}

/** What the builder of the error is told. */
export interface Circumstances {
  readonly call: Call<unknown>;
  readonly ending: Ending;
  readonly routes: readonly RouteStatus[];
  readonly models: readonly string[];
  readonly now: number;
  readonly maskOf: (status: RouteStatus) => string;
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
      ? `It waited at most maxWaitMs = ${call.maxWaitMs} ms; raise it`
      : 'Pass wait: true to line up for it';
  return `${next} ${how}, or add keys and providers.`;
}

/** Whether all that was tried speaks of the request and nothing of the pool. */
function requestIsAtFault(call: Call<unknown>, kinds: readonly Failure['kind'][]): boolean {
  return (
    call.failedAttempts.length > 0 && call.failedAttempts.every(({ failure }) => kinds.includes(failure.kind))
  );
}

/** The error when no provider takes what the request is: its content, its length, what it asks for. */
function refusedEverywhere({ call, routes, models }: Circumstances): Error | undefined {
  const wanted = models.join(', ');
  const failure = call.failedAttempts.at(-1)?.failure;
  if (failure !== undefined && requestIsAtFault(call, ['content_blocked'])) {
    return new ContentBlockedError(
      `Every provider that could serve ${wanted} refused the content. The last said: ${failure.message}`,
      call.attempts,
    );
  }
  const unable = routes.length > 0 && routes.every(({ readyAt }) => readyAt === undefined);
  if (!unable && !requestIsAtFault(call, ['context_too_long', 'unsupported'])) return undefined;
  return unservable(
    wanted,
    call,
    failure?.kind ?? routes.find(({ reason }) => reason === 'unsupported')?.reason,
  );
}

/** The error for a request that is too long for every model, or asks what none has. */
function unservable(wanted: string, call: Call<unknown>, kind: RouteReason | undefined): Error {
  const failure = call.failedAttempts.at(-1)?.failure;
  const said =
    failure === undefined ? 'It is known to be more than they take.' : `The last said: ${failure.message}`;
  const advice = kind === 'unsupported' ? 'Leave out what they lack' : 'Shorten it';
  return new BadRequestError({
    code: kind === 'unsupported' ? 'unsupported' : 'context_too_long',
    message: `No model for ${wanted} takes this request of ${call.needs.size} characters. ${said} ${advice}, or choose other models.`,
    attempts: call.attempts,
    status: failure?.status,
  });
}

/** The error when routes exist, but none that could serve the call now. */
function noneReady(
  { call, ending, routes, models, now, maskOf }: Circumstances,
  readyAt: number | undefined,
): Error {
  const keys = keyReports(routes, maskOf);
  const limit = ending.reason === 'max-attempts' ? ` It stopped at maxAttempts = ${call.maxAttempts}.` : '';
  const advice = adviceFor(readyAt, call, now);
  return new NoProvidersAvailableError({
    message: `No route could serve ${models.join(', ')}. ${attemptsText(call.attempts)}${limit} ${advice}${keyLines(keys, now)}`,
    attempts: call.attempts,
    keys,
    readyAt,
  });
}

/** The error for a call that nothing is left to try for. */
export function giveUpError(about: Circumstances): Error {
  const { call, ending, now } = about;
  if (ending.reason === 'deadline') return new DeadlineError(call.timeoutMs, call.attempts);
  if (ending.reason === 'no-routes') return refusedEverywhere(about) ?? noneReady(about, undefined);
  return noneReady(about, Number.isFinite(ending.readyAt) ? Math.max(ending.readyAt, now) : undefined);
}

/** The error for a request that the provider calls the caller's own mistake. */
export function requestError(call: Call<unknown>, failure: Failure): Error {
  const at = call.attempts.at(-1);
  return new BadRequestError({
    message: `${at?.provider ?? 'The provider'} refused the request (HTTP ${failure.status ?? '?'}): ${failure.message}`,
    attempts: call.attempts,
    status: failure.status,
  });
}

/** The error of a stream that broke where nobody can go on. */
export function brokenError(call: Call<unknown>, failure: Failure): Error {
  return new BrokenStreamError(
    `The stream broke after a part of its answer was handed out (${failure.kind}: ${failure.message}), and nothing can go on with it. What arrived is in the error's "partial".`,
    call.attempts,
  );
}
