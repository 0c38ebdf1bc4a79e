/** How each of freelm's errors is reported over HTTP. */

import { FAILURE_EFFECTS, type FailureKind, isFailureKind } from '../core/failure.ts';
import type { RouteReason } from '../core/routing/admission.ts';
import {
  BadRequestError,
  CallError,
  FreeLLMError,
  type FreeLLMErrorCode,
  ModelNotFoundError,
  NoProvidersAvailableError,
} from '../errors.ts';
import { HttpError, type HttpErrorInit } from '../http-error.ts';

export interface ErrorPorts {
  /** Epoch ms. */
  now(): number;
  /** Removes keys from a text. */
  redact(text: string): string;
}

/** OpenAI's clients sleep for as long as `retry-after` says. Beyond this, they are told not to retry. */
const MAX_RETRY_AFTER_S = 60;

type Row = Pick<HttpErrorInit, 'status' | 'code' | 'retry'>;

/** The rows of the codes that are no failure kinds. Those of the others are in spec/failure-effects.json. */
const ERRORS: Readonly<Record<Exclude<FreeLLMErrorCode, FailureKind>, Row>> = {
  config: { status: 400, code: 'invalid_value' },
  no_providers_available: { status: 503, code: 'no_providers_available' },
  deadline: { status: 504, code: 'timeout', retry: true },
  closed: { status: 503, code: 'closed' },
};

function rowOf(code: FreeLLMErrorCode): Row {
  return isFailureKind(code)
    ? { ...ERRORS.no_providers_available, ...FAILURE_EFFECTS[code].answer }
    : ERRORS[code];
}

/** The status that fits the reason why a key is not ready, if any does. */
function statusOf(reason: RouteReason | undefined): number | undefined {
  if (reason === 'minute_quota_spent' || reason === 'day_quota_spent') return 429;
  if (reason === 'would_cost_money') return 402;
  return isFailureKind(reason) ? FAILURE_EFFECTS[reason].answer?.status : undefined;
}

/** The field that a message begins with. The options of a call are fields of the body. */
function fieldOf(message: string): string | undefined {
  return /^(?:options\.)?((?:messages|\w)[\w.[\]]*): /.exec(message)?.[1];
}

function unknownModel(explanation: string): HttpErrorInit {
  const message = `${explanation} GET …/models lists the models on offer. With unknownModels: "auto" (freelm serve --any-model), freelm serves every unknown name as "auto".`;
  return { status: 404, message, param: 'model', code: 'model_not_found' };
}

function unavailable({ readyAt, keys, message }: NoProvidersAvailableError, now: number): HttpErrorInit {
  if (keys.length > 0 && keys.every(({ kind }) => statusOf(kind) === 404)) return unknownModel(message);
  const base = { ...ERRORS.no_providers_available, message };
  if (readyAt === undefined) return base;
  const waitS = Math.max(1, Math.ceil((readyAt - now) / 1000));
  const isQuota = keys.some(({ kind }) => statusOf(kind) === 429);
  return {
    ...base,
    ...(isQuota ? { status: 429 } : {}),
    retry: waitS <= MAX_RETRY_AFTER_S,
    headers: { 'retry-after': String(waitS) },
  };
}

function initOf(error: FreeLLMError, now: number): HttpErrorInit {
  if (error instanceof ModelNotFoundError) return unknownModel(error.message);
  if (error instanceof NoProvidersAvailableError) return unavailable(error, now);
  const row = rowOf(error.code);
  const param = row.status === 400 ? fieldOf(error.message) : undefined;
  const length = error instanceof BadRequestError ? error.length : undefined;
  return { ...row, message: error.message.replace(/^options\./, ''), param, length };
}

/** Describes any error. One that is not freelm's own is a bug here or in something that the user passed in. */
export function httpErrorOf(error: unknown, ports: ErrorPorts): HttpErrorInit {
  // The message repeats part of the request, which may be a key by mistake.
  if (error instanceof HttpError) return { ...error.init, message: ports.redact(error.init.message) };
  if (FreeLLMError.is(error)) {
    const init = initOf(error, ports.now());
    if (!(error instanceof CallError)) return init;
    return { ...init, headers: { ...init.headers, 'x-freelm-attempts': String(error.attempts.length) } };
  }
  const message = ports.redact(error instanceof Error ? error.message : String(error));
  return { status: 500, message: `Unexpected: ${message}`, code: 'unexpected' };
}

const errors = new WeakMap<Response, FreeLLMError>();

/** Remembers the error behind a response. Foreign errors are left out because they may hold anything. */
export function remember(response: Response, error: unknown): Response {
  if (FreeLLMError.is(error)) errors.set(response, error);
  return response;
}

/**
 * The error behind a response of a pool's `fetch`: the reason for its status, or the reason why its stream broke.
 * Undefined if nothing went wrong, if the request itself was invalid, and for responses from anywhere else.
 */
export function errorFromResponse(response: Response): FreeLLMError | undefined {
  return errors.get(response);
}
