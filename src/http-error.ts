/** HTTP errors as OpenAI's API words them. */

/** OpenAI's error object. */
export interface ErrorObject {
  readonly message: string;
  readonly type: 'invalid_request_error' | 'rate_limit_error' | 'server_error';
  readonly param: string | null;
  readonly code: string | null;
}

export interface HttpErrorInit {
  readonly status: number;
  readonly message: string;
  /** A short machine-readable reason, e.g. `model_not_found`. */
  readonly code?: string | undefined;
  /** The field of the request body that is wrong. */
  readonly param?: string | undefined;
  /** Whether the same request may succeed later. Default false: OpenAI's clients are told not to retry. */
  readonly retry?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

function typeOf(status: number): ErrorObject['type'] {
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** Thrown while a request is handled; becomes the response to it. */
export class HttpError extends Error {
  static override readonly name: string = 'HttpError';
  readonly init: HttpErrorInit;

  constructor(init: HttpErrorInit) {
    super(init.message);
    this.init = init;
  }
}

export function errorObject({ status, message, param, code }: HttpErrorInit): ErrorObject {
  return { message, type: typeOf(status), param: param ?? null, code: code ?? null };
}

/** OpenAI's clients obey `x-should-retry` whatever the status is. */
export function errorResponse(init: HttpErrorInit): Response {
  return new Response(JSON.stringify({ error: errorObject(init) }), {
    status: init.status,
    headers: {
      'content-type': 'application/json',
      ...(init.retry === true ? {} : { 'x-should-retry': 'false' }),
      ...init.headers,
    },
  });
}
