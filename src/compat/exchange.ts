/** Sends one request to the pool's `fetch` and returns the result in the classes of OpenAI's SDK. */

import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { APIPromise } from './api-promise.ts';
import {
  APIConnectionError,
  APIUserAbortError,
  errorOfEvent,
  errorOfResponse,
  isObject,
  OpenAIError,
} from './errors.ts';
import { type ListBody, PagePromise } from './page.ts';
import { eventData, Stream } from './stream.ts';

/** The `fetch` of a `FreeLLM`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The host is never contacted: `FreeLLM.fetch` reads only the path. */
const BASE_URL = 'http://freelm.invalid/v1';
/** The data of the event that ends a stream. */
const DONE = '[DONE]';

export interface PoolRequest {
  readonly path: string;
  /** Sent as JSON by `POST`. Without a body, the request is a `GET`. */
  readonly body?: object | undefined;
  readonly signal: AbortSignal | null | undefined;
  /** How often it is sent again if that can help. @defaultValue 0 */
  readonly maxRetries?: number | undefined;
}

/** The longest wait of a retry. */
const MAX_WAIT_MS = 60_000;
/** The wait of the first retry if the response does not say how long. It doubles with each. */
const FIRST_WAIT_MS = 500;
/** The time of the call ran out: a retry would take it once more. */
const TIMEOUT = 504;

/** How long to wait before a failed request is sent again; undefined if that does not help. */
function retryDelayMs({ status, headers }: Response, retries: number): number | undefined {
  if (headers.get('x-should-retry') === 'false') return undefined;
  if (status === TIMEOUT || (status < 500 && status !== 429)) return undefined;
  const hintedMs = Number(headers.get('retry-after') ?? Number.NaN) * 1000;
  const waitMs = Number.isFinite(hintedMs) ? hintedMs : FIRST_WAIT_MS * 2 ** retries;
  return waitMs <= MAX_WAIT_MS ? waitMs : undefined;
}

export type Guard<T> = (value: unknown) => value is T;

/** A guard by the field `object`, which names the type of every object of the protocol. */
export function isObjectOfType<T extends { readonly object: string }>(type: T['object']): Guard<T> {
  return (value): value is T => isObject(value) && value['object'] === type;
}

function initOf(body: object | undefined, signal: AbortSignal): RequestInit {
  if (body === undefined) return { signal };
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', headers, body: JSON.stringify(body), signal };
}

function checked<T>(value: unknown, is: Guard<T>): T {
  if (is(value)) return value;
  throw new OpenAIError('The answer does not have the expected shape.');
}

function chunkOf<T>(data: string, response: Response, is: Guard<T>): T {
  const value: unknown = JSON.parse(data);
  const error = errorOfEvent(value, response);
  if (error !== undefined) throw error;
  return checked(value, is);
}

/** A request in flight. It ends when its answer is read, when the caller aborts, or when the reader leaves the stream. */
class Exchange {
  readonly #request: PoolRequest;
  readonly #controller = new AbortController();

  constructor(request: PoolRequest) {
    this.#request = request;
  }

  /** @throws APIError (as a rejection) if the response has an error status. */
  async send(fetch: Fetch): Promise<Response> {
    const { path, body, signal, maxRetries = 0 } = this.#request;
    try {
      signal?.throwIfAborted();
      // Many calls may share a signal, which is no leak: each removes its listener.
      if (signal instanceof EventTarget) setMaxListeners(0, signal);
      signal?.addEventListener('abort', this.#onAbort, { once: true });
      for (let retries = 0; ; retries += 1) {
        const response = await fetch(BASE_URL + path, initOf(body, this.#controller.signal));
        if (response.ok) return response;
        const error = await errorOfResponse(response);
        const waitMs = retries < maxRetries ? retryDelayMs(response, retries) : undefined;
        if (waitMs === undefined) throw error;
        await setTimeout(waitMs, undefined, { signal: this.#controller.signal });
      }
    } catch (error) {
      this.#removeListener();
      throw this.#sdkErrorOf(error);
    }
  }

  async readBody<T extends object>(response: Response, is: Guard<T>): Promise<T> {
    try {
      const answer = checked(await response.json(), is);
      // Not enumerable, so that it is neither printed nor compared nor sent on.
      return Object.defineProperty(answer, '_request_id', { value: response.headers.get('x-request-id') });
    } catch (error) {
      throw this.#sdkErrorOf(error);
    } finally {
      this.#removeListener();
    }
  }

  stream<T>(response: Response, is: Guard<T>): Stream<T> {
    let consumed = false;
    const iterate = (): AsyncIterator<T> => {
      if (consumed) throw new OpenAIError('This stream was already read. Use tee() to read it twice.');
      consumed = true;
      return this.#chunks(response, is);
    };
    return new Stream(iterate, this.#controller);
  }

  async *#chunks<T>(response: Response, is: Guard<T>): AsyncGenerator<T> {
    let done = false;
    try {
      for await (const data of eventData(response)) {
        // Reads on after [DONE]: a body that is read to its end frees its connection.
        done ||= data === DONE;
        if (!done) yield chunkOf(data, response, is);
      }
      done = true;
    } catch (error) {
      if (!this.#controller.signal.aborted) throw this.#sdkErrorOf(error);
    } finally {
      this.#removeListener();
      if (!done) this.#controller.abort();
    }
  }

  readonly #onAbort = (): void => {
    this.#controller.abort(this.#request.signal?.reason);
  };

  /** A caller may use one signal for many requests, so no listener may stay behind. */
  #removeListener(): void {
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
  }

  #sdkErrorOf(error: unknown): OpenAIError {
    if (error instanceof OpenAIError) return error;
    const { signal } = this.#request;
    if (signal?.aborted === true) return new APIUserAbortError({ cause: signal.reason });
    const message = error instanceof Error ? error.message : undefined;
    return new APIConnectionError({ message, cause: error });
  }
}

/** Sends a request for one object. */
export function send<T extends object>(fetch: Fetch, request: PoolRequest, is: Guard<T>): APIPromise<T> {
  const exchange = new Exchange(request);
  return new APIPromise(exchange.send(fetch), (response) => exchange.readBody(response, is));
}

/** Sends a request for a list. */
export function sendForPage<Item>(
  fetch: Fetch,
  request: PoolRequest,
  is: Guard<ListBody<Item>>,
): PagePromise<Item> {
  const exchange = new Exchange(request);
  return new PagePromise(exchange.send(fetch), (response) => exchange.readBody(response, is));
}

/** Sends a request for a stream. */
export function sendForStream<T>(fetch: Fetch, request: PoolRequest, is: Guard<T>): APIPromise<Stream<T>> {
  const exchange = new Exchange(request);
  return new APIPromise(exchange.send(fetch), (response) => exchange.stream(response, is));
}
