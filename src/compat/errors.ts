/** The errors of OpenAI's SDK, with the same names and fields. Their `cause` is the error of freelm. */

import { errorFromResponse } from '../index.ts';

/** The base class of all errors of `freelm/compat`. */
export class OpenAIError extends Error {
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}

/** The value of an error's field if it is a string or null. */
function textIn(error: object | undefined, name: string): string | null | undefined {
  const value: unknown = error === undefined ? undefined : Reflect.get(error, name);
  return typeof value === 'string' || value === null ? value : undefined;
}

function messageOf(
  status: number | undefined,
  error: object | undefined,
  message: string | undefined,
): string {
  const text = textIn(error, 'message') ?? (error === undefined ? message : JSON.stringify(error));
  if (status === undefined) return text ?? 'The error has neither a status nor a message.';
  return text === undefined ? `${status} (no message)` : `${status} ${text}`;
}

/** Sets the cause only if there is one, so that an error has no empty field `cause`. */
function withCause<Thrown extends Error>(error: Thrown, cause: unknown): Thrown {
  if (cause !== undefined)
    Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  return error;
}

/** A failed call. `status` is undefined if there was no HTTP answer. */
export class APIError<
  TStatus extends number | undefined = number | undefined,
  THeaders extends Headers | undefined = Headers | undefined,
  TError extends object | undefined = object | undefined,
> extends OpenAIError {
  /** The HTTP status. Undefined if there was no answer, or if a stream broke. */
  readonly status: TStatus;
  readonly headers: THeaders;
  /** The `error` object of the body. */
  readonly error: TError;
  /** A machine-readable code such as `no_providers_available`. */
  readonly code: string | null | undefined;
  /** The field of the request that caused the error. */
  readonly param: string | null | undefined;
  readonly type: string | undefined;
  readonly requestID: string | null | undefined;

  constructor(status: TStatus, error: TError, message: string | undefined, headers: THeaders) {
    super(messageOf(status, error, message));
    this.status = status;
    this.headers = headers;
    this.error = error;
    this.code = textIn(error, 'code');
    this.param = textIn(error, 'param');
    this.type = textIn(error, 'type') ?? undefined;
    this.requestID = headers?.get('x-request-id');
  }
}

/** Arguments of the errors that have no status. */
export interface ConnectionErrorInit {
  readonly message?: string | undefined;
  readonly cause?: unknown;
}

/** The caller's signal aborted the call. */
export class APIUserAbortError extends APIError<undefined, undefined, undefined> {
  constructor({ message, cause }: ConnectionErrorInit = {}) {
    super(undefined, undefined, message ?? 'The request was aborted.', undefined);
    withCause(this, cause);
  }
}

/** The call failed without an HTTP status. */
export class APIConnectionError extends APIError<undefined, undefined, undefined> {
  constructor({ message, cause }: ConnectionErrorInit) {
    super(undefined, undefined, message ?? 'The request got no answer.', undefined);
    withCause(this, cause);
  }
}

/** The answer took longer than `timeout`, or than freelm's `timeoutMs`. */
export class APIConnectionTimeoutError extends APIConnectionError {
  constructor({ message, cause }: ConnectionErrorInit = {}) {
    super({ message: message ?? 'The request timed out.', cause });
  }
}

/** The request is invalid. */
export class BadRequestError extends APIError<400, Headers> {}
export class AuthenticationError extends APIError<401, Headers> {}
export class PermissionDeniedError extends APIError<403, Headers> {}
/** The model or the path does not exist. */
export class NotFoundError extends APIError<404, Headers> {}
export class ConflictError extends APIError<409, Headers> {}
export class UnprocessableEntityError extends APIError<422, Headers> {}
/** All quotas are spent. The header `retry-after` gives the seconds until one frees. */
export class RateLimitError extends APIError<429, Headers> {}
/** Any status from 500 up. */
export class InternalServerError extends APIError<number, Headers> {}

type MakeError = (error: object | undefined, message: string | undefined, headers: Headers) => APIError;

const BY_STATUS: Readonly<Record<number, MakeError>> = {
  400: (error, message, headers) => new BadRequestError(400, error, message, headers),
  401: (error, message, headers) => new AuthenticationError(401, error, message, headers),
  403: (error, message, headers) => new PermissionDeniedError(403, error, message, headers),
  404: (error, message, headers) => new NotFoundError(404, error, message, headers),
  409: (error, message, headers) => new ConflictError(409, error, message, headers),
  422: (error, message, headers) => new UnprocessableEntityError(422, error, message, headers),
  429: (error, message, headers) => new RateLimitError(429, error, message, headers),
};

export interface ErrorResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The `error` object of the body. */
  readonly error: object | undefined;
  /** The text of a body that has no `error`. */
  readonly message: string | undefined;
  /** The error of freelm. */
  readonly cause: unknown;
}

export function errorOfStatus({ status, headers, error, message, cause }: ErrorResponse): APIError {
  const Other = status >= 500 ? InternalServerError : APIError;
  const made = BY_STATUS[status]?.(error, message, headers) ?? new Other(status, error, message, headers);
  return withCause(made, cause);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The `error` object of a body or of an event. */
function errorIn(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const error = isObject(value) ? value['error'] : undefined;
  return isObject(error) ? error : undefined;
}

/** The answer of `FreeLLM.fetch` when `timeoutMs` is over. */
const TIMEOUT = { status: 504, code: 'timeout' };

/** The error for a response with an error status. Reads its body. */
export async function errorOfResponse(response: Response): Promise<APIError> {
  const text = await response.text();
  const { status, headers } = response;
  const error = errorIn(parse(text));
  const cause = errorFromResponse(response);
  if (status === TIMEOUT.status && error?.['code'] === TIMEOUT.code)
    return new APIConnectionTimeoutError({ message: String(error['message']), cause });
  const message = error === undefined && text !== '' ? text : undefined;
  return errorOfStatus({ status, headers, error, message, cause });
}

/** The error that an event of a stream reports, if any. */
export function errorOfEvent(value: unknown, response: Response): APIError | undefined {
  const error = errorIn(value);
  if (error === undefined) return undefined;
  return withCause(new APIError(undefined, error, undefined, response.headers), errorFromResponse(response));
}
