/** One request to the pool's `fetch`; what comes of it, in the classes of OpenAI's SDK. */

import { APIPromise } from './api-promise.ts';
import { APIConnectionError, APIUserAbortError, OpenAIError } from './errors.ts';
import { type ListBody, PagePromise } from './page.ts';
import { errorInEvent, isObject, refusal } from './refusal.ts';
import { dataOf, Stream } from './stream.ts';

/** What answers requests: the `fetch` of a `FreeLLM`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Only what follows it counts. */
const BASE_URL = 'http://freelm.invalid/v1';
/** What ends a stream. */
const DONE = '[DONE]';

/** What is asked. */
export interface Request {
  readonly path: string;
  /** Sent as JSON by `POST`; without it, the request is a `GET`. */
  readonly body?: object | undefined;
  readonly signal: AbortSignal | null | undefined;
}

/** Tells whether a value is what was asked for. */
export type Guard<T> = (value: unknown) => value is T;

/** Every object of the protocol says in `object` what it is. */
export function kind<T extends { readonly object: string }>(name: T['object']): Guard<T> {
  return (value): value is T => isObject(value) && value['object'] === name;
}

function initOf(body: object | undefined, signal: AbortSignal): RequestInit {
  if (body === undefined) return { signal };
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', headers, body: JSON.stringify(body), signal };
}

function checked<T>(value: unknown, is: Guard<T>): T {
  if (is(value)) return value;
  throw new OpenAIError('The answer is of another shape than what was asked for.');
}

/** A request under way. It ends with its answer, with the caller's signal, or when whoever reads it leaves. */
class Exchange {
  readonly #request: Request;
  readonly #controller = new AbortController();

  constructor(request: Request) {
    this.#request = request;
  }

  /** The response; rejects where it is an error. */
  async send(fetch: Fetch): Promise<Response> {
    const { path, body, signal } = this.#request;
    try {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', this.#onAbort, { once: true });
      const response = await fetch(BASE_URL + path, initOf(body, this.#controller.signal));
      if (!response.ok) throw await refusal(response);
      return response;
    } catch (error) {
      this.#letGo();
      throw this.#explained(error);
    }
  }

  /** Reads a whole answer. */
  async read<T extends object>(response: Response, is: Guard<T>): Promise<T> {
    try {
      const answer = checked(await response.json(), is);
      // Not enumerable: it does not show when an answer is printed, compared or sent on.
      return Object.defineProperty(answer, '_request_id', { value: response.headers.get('x-request-id') });
    } catch (error) {
      throw this.#explained(error);
    } finally {
      this.#letGo();
    }
  }

  /** Reads an answer in chunks, once. */
  stream<T>(response: Response, is: Guard<T>): Stream<T> {
    let consumed = false;
    const iterate = (): AsyncIterator<T> => {
      if (consumed) throw new OpenAIError('This stream has been read; tee() makes two of one.');
      consumed = true;
      return this.#chunks(response, is);
    };
    return new Stream(iterate, this.#controller);
  }

  async *#chunks<T>(response: Response, is: Guard<T>): AsyncGenerator<T> {
    let done = false;
    try {
      for await (const data of dataOf(response)) {
        // The body is read to its end, whatever follows the last chunk.
        done ||= data === DONE;
        if (!done) yield chunkOf(data, response, is);
      }
      done = true;
    } catch (error) {
      if (!this.#controller.signal.aborted) throw this.#explained(error);
    } finally {
      this.#letGo();
      if (!done) this.#controller.abort();
    }
  }

  readonly #onAbort = (): void => {
    this.#controller.abort(this.#request.signal?.reason);
  };

  /** A caller's signal may outlive many requests. */
  #letGo(): void {
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
  }

  #explained(error: unknown): OpenAIError {
    if (error instanceof OpenAIError) return error;
    const { signal } = this.#request;
    if (signal?.aborted === true) return new APIUserAbortError({ cause: signal.reason });
    return new APIConnectionError({
      message: error instanceof Error ? error.message : undefined,
      cause: error,
    });
  }
}

function chunkOf<T>(data: string, response: Response, is: Guard<T>): T {
  const value: unknown = JSON.parse(data);
  const error = errorInEvent(value, response);
  if (error !== undefined) throw error;
  return checked(value, is);
}

/** Asks for a whole answer. */
export function ask<T extends object>(fetch: Fetch, request: Request, is: Guard<T>): APIPromise<T> {
  const exchange = new Exchange(request);
  return new APIPromise(exchange.send(fetch), (response) => exchange.read(response, is));
}

/** Asks for a list. */
export function askList<Item>(fetch: Fetch, request: Request, is: Guard<ListBody<Item>>): PagePromise<Item> {
  const exchange = new Exchange(request);
  return new PagePromise(exchange.send(fetch), (response) => exchange.read(response, is));
}

/** Asks for an answer in chunks. */
export function askStream<T>(fetch: Fetch, request: Request, is: Guard<T>): APIPromise<Stream<T>> {
  const exchange = new Exchange(request);
  return new APIPromise(exchange.send(fetch), (response) => exchange.stream(response, is));
}
