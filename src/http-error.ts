/** HTTP errors as OpenAI's APIs, the Messages API and Ollama's API word them. */

import type { PromptLength } from './errors.ts';

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
  /** Of a prompt that no model takes. Clients know such an error by its words, and shorten the conversation. */
  readonly length?: PromptLength | undefined;
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

export function errorObject({ status, message: own, param, code, length }: HttpErrorInit): ErrorObject {
  const message =
    length === undefined
      ? own
      : `This model's maximum context length is ${length.contextLength} tokens. However, your messages resulted in ${length.promptTokens} tokens. ${own}`;
  return { message, type: typeOf(status), param: param ?? null, code: code ?? null };
}

/** By status: the types of the Messages API. Its clients wait for a server that is overloaded, and try again. */
const MESSAGES_TYPES: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [408, 'timeout_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [502, 'overloaded_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
]);
const OVERLOADED = 529;

/** The error body of the Messages API. */
export function messagesError({ status, message: own, code, length }: HttpErrorInit): object {
  const message =
    length === undefined
      ? own
      : `prompt is too long: ${length.promptTokens} tokens > ${length.contextLength} maximum. ${own}`;
  const type = MESSAGES_TYPES.get(status) ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  const details = code === undefined ? {} : { details: { error_code: code } };
  return { type: 'error', error: { type, message, ...details }, request_id: null };
}

/** The error body of Ollama's API, and a line of its streams. Ollama has no codes; its clients ignore them. */
export function ollamaError({ message: own, code, length }: HttpErrorInit): object {
  const error =
    length === undefined
      ? own
      : `the input length exceeds the context length: ${length.promptTokens} tokens > ${length.contextLength}. ${own}`;
  return { error, ...(code === undefined ? {} : { code }) };
}

/** Whether a request is one of the Messages API, whose errors and lists look different. */
export function isForMessages(path: string, headers: Pick<Headers, 'has'>): boolean {
  return /\/messages(?:\/|$)/.test(path) || headers.has('anthropic-version');
}

/** Whose words a client understands. */
export type ErrorWords = 'openai' | 'messages' | 'ollama';

/** Whose words the client of a request understands. */
export function errorWordsFor(path: string, headers: Pick<Headers, 'has'>): ErrorWords {
  if (/\/api\/(?:chat|generate|tags|show|version)\/?$/.test(path)) return 'ollama';
  return isForMessages(path, headers) ? 'messages' : 'openai';
}

/** The clients of both makers obey `x-should-retry` whatever the status is. */
function responseTo(init: HttpErrorInit, status: number, body: object): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/json',
      ...(init.retry === true ? {} : { 'x-should-retry': 'false' }),
      ...init.headers,
    },
  });
}

/** The response to a request that failed. */
export function errorResponse(init: HttpErrorInit, words: ErrorWords): Response {
  if (words === 'openai') return responseTo(init, init.status, { error: errorObject(init) });
  if (words === 'ollama') return responseTo(init, init.status, ollamaError(init));
  const body = messagesError(init);
  const isOverloaded = MESSAGES_TYPES.get(init.status) === 'overloaded_error';
  return responseTo(init, isOverloaded ? OVERLOADED : init.status, body);
}
