/** The routes in the shape of `fetch`. */

import type { RestHandler, RestRequest } from './handler.ts';

/** The global `fetch`, as far as clients of OpenAI's protocol call it. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Requests stay in this process: a path alone is a URL, too. */
const ANYWHERE = 'http://freelm.invalid';

/**
 * A request's signal is not told of an abort any more once the request is forgotten, or the one that it was made from:
 * the signal keeps both.
 */
const kept = new WeakMap<AbortSignal, readonly unknown[]>();

/** A `Request` is only made where something needs it. */
function toRestRequest(input: string | URL | Request, init: RequestInit): RestRequest {
  const { method = 'GET', body = null, signal } = init;
  if (!(input instanceof Request) && (body === null || typeof body === 'string')) {
    return {
      method: method.toUpperCase(),
      path: new URL(input, ANYWHERE).pathname,
      signal: signal ?? undefined,
      text: () => Promise.resolve(body ?? ''),
    };
  }
  const request = new Request(input instanceof Request ? input : new URL(input, ANYWHERE), init);
  kept.set(request.signal, [request, input]);
  return {
    method: request.method,
    path: new URL(request.url).pathname,
    signal: request.signal,
    text: () => request.text(),
  };
}

/** Answers like a server at any address would. */
export function fetchOver(handler: RestHandler): Fetch {
  return async (input, init = {}) => handler(toRestRequest(input, init));
}
