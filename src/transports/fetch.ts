/** A transport over the user's own `fetch`. */

import type { HttpRequest, HttpResponse, StopSignal, Transport } from '../ports.ts';

/** What freelm needs of a `fetch` function. */
export type FetchLike = (url: string, init: FetchInit) => Promise<FetchResponse>;

/** What is passed to it. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly redirect: 'manual';
}

/** What is read of its answer. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: { forEach(callback: (value: string, name: string) => void): void };
  readonly body: unknown;
  text(): Promise<string>;
}

function isIterable(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

async function* wholeText(response: FetchResponse): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(await response.text());
}

function signalOf(stop: StopSignal): AbortSignal {
  if (stop instanceof AbortSignal) return stop;
  const controller = new AbortController();
  if (stop.aborted) controller.abort(stop.reason);
  stop.addEventListener('abort', () => {
    controller.abort(stop.reason);
  });
  return controller.signal;
}

/** Redirects are handed back, not followed, so that no key goes to another host. */
export function fetchTransport(fetch: FetchLike): Transport {
  return {
    async send(request: HttpRequest, stop: StopSignal): Promise<HttpResponse> {
      const response = await fetch(request.url, {
        method: request.method,
        headers: { ...request.headers },
        signal: signalOf(stop),
        redirect: 'manual',
        ...(request.body === undefined ? {} : { body: request.body }),
      });
      const headers: Record<string, string> = {};
      response.headers.forEach((value, name) => {
        headers[name.toLowerCase()] = value;
      });
      return {
        status: response.status,
        headers,
        body: isIterable(response.body) ? response.body : wholeText(response),
      };
    },
    close: () => Promise.resolve(),
  };
}
