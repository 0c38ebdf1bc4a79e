/** The errors of OpenAI's SDK, by the same names and with the same fields; `cause` holds the error of freelm. */

/** The base of all errors of this entry. */
export class OpenAIError extends Error {
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}

/** The value of an error's field, where it is a text or null. */
function textIn(error: object | undefined, name: string): string | null | undefined {
  const value: unknown = error === undefined ? undefined : Reflect.get(error, name);
  return typeof value === 'string' || value === null ? value : undefined;
}

/** The status and what was said, as far as there are any. */
function sentence(
  status: number | undefined,
  error: object | undefined,
  message: string | undefined,
): string {
  const said = textIn(error, 'message') ?? (error === undefined ? message : JSON.stringify(error));
  if (status === undefined) return said ?? 'An error without a status and without a message.';
  return said === undefined ? `${status}, without a message` : `${status} ${said}`;
}

/** Adds a cause where there is one, so that an error has no empty field. */
export function causedBy<Thrown extends Error>(error: Thrown, cause: unknown): Thrown {
  if (cause !== undefined)
    Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  return error;
}

/** A call that was answered with an error, or not answered at all: then it has no `status`. */
export class APIError<
  TStatus extends number | undefined = number | undefined,
  THeaders extends Headers | undefined = Headers | undefined,
  TError extends object | undefined = object | undefined,
> extends OpenAIError {
  /** The HTTP status; undefined where there was no answer, or where an answer broke off. */
  readonly status: TStatus;
  readonly headers: THeaders;
  /** The error as it stands in the body. */
  readonly error: TError;
  /** What went wrong, in one word, e.g. `no_providers_available`. */
  readonly code: string | null | undefined;
  /** The field of the request that is at fault. */
  readonly param: string | null | undefined;
  readonly type: string | undefined;
  readonly requestID: string | null | undefined;

  constructor(status: TStatus, error: TError, message: string | undefined, headers: THeaders) {
    super(sentence(status, error, message));
    this.status = status;
    this.headers = headers;
    this.error = error;
    this.code = textIn(error, 'code');
    this.param = textIn(error, 'param');
    this.type = textIn(error, 'type') ?? undefined;
    this.requestID = headers?.get('x-request-id');
  }
}

/** What an error without a status is made from. */
export interface NoAnswer {
  readonly message?: string | undefined;
  readonly cause?: unknown;
}

/** The caller's signal ended the call. */
export class APIUserAbortError extends APIError<undefined, undefined, undefined> {
  constructor({ message, cause }: NoAnswer = {}) {
    super(undefined, undefined, message ?? 'The request was aborted.', undefined);
    causedBy(this, cause);
  }
}

/** No answer could be had, for a reason that has no HTTP status. */
export class APIConnectionError extends APIError<undefined, undefined, undefined> {
  constructor({ message, cause }: NoAnswer) {
    super(undefined, undefined, message ?? 'No answer could be had.', undefined);
    causedBy(this, cause);
  }
}

/** No answer came in time: `timeout`, or freelm's `timeoutMs`. */
export class APIConnectionTimeoutError extends APIConnectionError {
  constructor({ message, cause }: NoAnswer = {}) {
    super({ message: message ?? 'No answer came in time.', cause });
  }
}

/** The request itself is at fault. */
export class BadRequestError extends APIError<400, Headers> {}
export class AuthenticationError extends APIError<401, Headers> {}
export class PermissionDeniedError extends APIError<403, Headers> {}
/** No such model, or no such route. */
export class NotFoundError extends APIError<404, Headers> {}
export class ConflictError extends APIError<409, Headers> {}
export class UnprocessableEntityError extends APIError<422, Headers> {}
/** Every quota is spent; the header `retry-after` says for how long. */
export class RateLimitError extends APIError<429, Headers> {}
/** Any status from 500 up. */
export class InternalServerError extends APIError<number, Headers> {}

type Maker = (error: object | undefined, message: string | undefined, headers: Headers) => APIError;

/** What a status is called. */
const BY_STATUS: Readonly<Record<number, Maker>> = {
  400: (error, message, headers) => new BadRequestError(400, error, message, headers),
  401: (error, message, headers) => new AuthenticationError(401, error, message, headers),
  403: (error, message, headers) => new PermissionDeniedError(403, error, message, headers),
  404: (error, message, headers) => new NotFoundError(404, error, message, headers),
  409: (error, message, headers) => new ConflictError(409, error, message, headers),
  422: (error, message, headers) => new UnprocessableEntityError(422, error, message, headers),
  429: (error, message, headers) => new RateLimitError(429, error, message, headers),
};

/** An answer that is an error. */
export interface RefusedCall {
  readonly status: number;
  readonly headers: Headers;
  /** The body's `error`, or the body where it is something else. */
  readonly error: object | undefined;
  readonly message: string | undefined;
  /** The error of freelm behind it. */
  readonly cause: unknown;
}

/** The error of an answer's status. */
export function errorOfStatus({ status, headers, error, message, cause }: RefusedCall): APIError {
  const Other = status >= 500 ? InternalServerError : APIError;
  const made = BY_STATUS[status]?.(error, message, headers) ?? new Other(status, error, message, headers);
  return causedBy(made, cause);
}
