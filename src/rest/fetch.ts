/** The REST routes as a `fetch` function. */

import type { RestHandler } from './handler.ts';
import type { RestRequest } from './protocol.ts';

/** The signature of the global `fetch`, as far as clients of OpenAI's protocol use it. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Requests stay in this process, so a bare path is a valid URL, too. */
const BASE_URL = 'http://freelm.invalid';

/**
 * Keeps a `Request` alive for as long as its signal. Node stops forwarding aborts to the signal when the request, or the
 * one that it was made from, is garbage-collected.
 */
const requestsBySignal = new WeakMap<AbortSignal, readonly unknown[]>();

/** Creates a `Request` only if needed: it is slow. */
function toRestRequest(input: string | URL | Request, init: RequestInit): RestRequest {
  const { method = 'GET', body = null, headers, signal } = init;
  if (!(input instanceof Request) && (body === null || typeof body === 'string')) {
    return {
      method: method.toUpperCase(),
      path: new URL(input, BASE_URL).pathname,
      headers: new Headers(headers),
      signal: signal ?? undefined,
      text: () => Promise.resolve(body ?? ''),
    };
  }
  const request = new Request(input instanceof Request ? input : new URL(input, BASE_URL), init);
  requestsBySignal.set(request.signal, [request, input]);
  return {
    method: request.method,
    path: new URL(request.url).pathname,
    headers: request.headers,
    signal: request.signal,
    text: () => request.text(),
  };
}

/** Answers requests to any host: only the end of the path selects the route. */
export function fetchOver(handler: RestHandler): Fetch {
  return async (input, init = {}) => handler(toRestRequest(input, init));
}
