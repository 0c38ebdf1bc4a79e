/** Errors as OpenAI's clients understand them: a status, an error object, and whether to try again. */

import {
  CallError,
  FreeLLMError,
  type FreeLLMErrorCode,
  ModelNotFoundError,
  NoProvidersAvailableError,
} from '../errors.ts';
import { type FailureKind, FAILURE_EFFECTS, isFailureKind } from '../core/failure.ts';
import type { RouteReason } from '../core/report/health.ts';
import { Refusal } from './request.ts';

/** OpenAI's error object. */
export interface ErrorObject {
  readonly message: string;
  readonly type: 'invalid_request_error' | 'rate_limit_error' | 'server_error';
  readonly param: string | null;
  readonly code: string | null;
}

/** An error, ready to be sent. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly error: ErrorObject;
}

/** What is needed to describe an error. */
export interface ErrorPorts {
  /** Epoch ms. */
  now(): number;
  /** Takes keys out of a text. */
  redact(text: string): string;
}

/** OpenAI's clients obey it, whatever the status. */
const NO_RETRY = { 'x-should-retry': 'false' };

/** OpenAI's clients sleep as long as `retry-after` says, however long that is: beyond this they are not sent to sleep. */
const MAX_RETRY_AFTER_S = 60;

interface Row {
  readonly status: number;
  readonly code: string;
  /** Whether the same request may do better later. */
  readonly retry?: boolean;
}

/** The answers of codes that are no failure kinds; `spec/failure-effects.json` has the others. */
const ROWS: Readonly<Record<Exclude<FreeLLMErrorCode, FailureKind>, Row>> = {
  config: { status: 400, code: 'invalid_value' },
  no_providers_available: { status: 503, code: 'no_providers_available' },
  deadline: { status: 504, code: 'timeout', retry: true },
  closed: { status: 503, code: 'closed' },
};

function rowOf(code: FreeLLMErrorCode): Row {
  return isFailureKind(code)
    ? { ...ROWS.no_providers_available, ...FAILURE_EFFECTS[code].answer }
    : ROWS[code];
}

/** The status to which a key's reason for not being ready contributes. */
function statusOf(reason: RouteReason | undefined): number | undefined {
  if (reason === 'minute_quota_spent' || reason === 'day_quota_spent') return 429;
  return isFailureKind(reason) ? FAILURE_EFFECTS[reason].answer?.status : undefined;
}

function typeOf(status: number): ErrorObject['type'] {
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** The field that a message begins with: options are those of the body. */
function fieldOf(message: string): string | null {
  return /^(?:options\.)?((?:messages|\w)[\w.[\]]*): /.exec(message)?.[1] ?? null;
}

type Headers = Readonly<Record<string, string>>;

function answer(
  { status, code }: Pick<Row, 'status' | 'code'>,
  message: string,
  headers: Headers,
): ErrorAnswer {
  const shown = message.replace(/^options\./, '');
  const param = status === 400 ? fieldOf(message) : null;
  return { status, headers, error: { message: shown, type: typeOf(status), param, code } };
}

function unknownModel(said: string): ErrorAnswer {
  const message = `${said} GET …/models lists what there is. With unknownModels: "auto" (freelm serve --any-model) every other name is served as "auto".`;
  return {
    status: 404,
    headers: NO_RETRY,
    error: { message, type: 'invalid_request_error', param: 'model', code: 'model_not_found' },
  };
}

function unavailable(error: NoProvidersAvailableError, now: number): ErrorAnswer {
  const { readyAt, keys, message } = error;
  if (keys.length > 0 && keys.every(({ kind }) => statusOf(kind) === 404)) return unknownModel(message);
  const { code, status } = ROWS.no_providers_available;
  if (readyAt === undefined) return answer({ code, status }, message, NO_RETRY);
  const waitS = Math.max(1, Math.ceil((readyAt - now) / 1000));
  const retry = waitS > MAX_RETRY_AFTER_S ? NO_RETRY : {};
  const headers = { 'retry-after': String(waitS), ...retry };
  const limited = keys.some(({ kind }) => statusOf(kind) === 429);
  return answer({ code, status: limited ? 429 : status }, message, headers);
}

function ofFreeLLM(error: FreeLLMError, now: number): ErrorAnswer {
  if (error instanceof ModelNotFoundError) return unknownModel(error.message);
  if (error instanceof NoProvidersAvailableError) return unavailable(error, now);
  const row = rowOf(error.code);
  return answer(row, error.message, row.retry === true ? {} : NO_RETRY);
}

/** What was asked for is repeated in the message: it may be a key, by mistake. */
function refused({ init }: Refusal, ports: ErrorPorts): ErrorAnswer {
  const { status, message, param, code, headers } = init;
  return {
    status,
    headers: { ...NO_RETRY, ...headers },
    error: { message: ports.redact(message), type: typeOf(status), param: param ?? null, code: code ?? null },
  };
}

/** Describes any error. What is none of freelm's is a fault in here, or in what the user has put in. */
export function errorAnswer(error: unknown, ports: ErrorPorts): ErrorAnswer {
  if (error instanceof Refusal) return refused(error, ports);
  if (FreeLLMError.is(error)) {
    const described = ofFreeLLM(error, ports.now());
    if (!(error instanceof CallError)) return described;
    const cost = { 'x-freelm-attempts': String(error.attempts.length) };
    return { ...described, headers: { ...described.headers, ...cost } };
  }
  const said = ports.redact(error instanceof Error ? error.message : String(error));
  return {
    status: 500,
    headers: NO_RETRY,
    error: { message: `Unexpected: ${said}`, type: 'server_error', param: null, code: 'unexpected' },
  };
}

const errors = new WeakMap<Response, FreeLLMError>();

/** Remembers why `response` is what it is. Errors that are not freelm's own are not handed out: nobody knows what they hold. */
export function remember(response: Response, error: unknown): Response {
  if (FreeLLMError.is(error)) errors.set(response, error);
  return response;
}

/**
 * The error behind an answer of a `FreeLLM`'s `fetch`: why it has its status, or why its stream broke. Undefined where
 * nothing went wrong, where the request itself was not understood, and for every other response.
 */
export function errorFromResponse(response: Response): FreeLLMError | undefined {
  return errors.get(response);
}
