import { unlessAborted } from '../abort.ts';
import type { Clock, HttpRequest, HttpResponse, StopSignal, Transport } from '../ports.ts';
import { ConfigError, closedError } from '../errors.ts';
import { cancelLate, foreignBody, isIterable } from './foreign-body.ts';
import { controllerOf } from './foreign-transport.ts';
import { systemClock } from './system.ts';
import { hadReceived, isClosedByPeer, localFault } from './thrown.ts';

/** The part of `fetch` that freelm uses. */
export type FetchLike = (url: string, init: FetchInit) => Promise<FetchResponse>;

/** The second argument of a {@link FetchLike}. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly redirect: 'manual';
}

/** The part of a `Response` that freelm reads. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: { forEach(callback: (value: string, name: string) => void): void };
  readonly body: unknown;
  text(): Promise<string>;
}

const SOURCE = 'options.fetch';

function hasMember(value: unknown, name: string, type: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === type;
}

/** @throws ConfigError if `response` is no `Response`, or if its body was read. */
// spec 7.14
function checkResponse(response: FetchResponse): void {
  const { headers } = hasMember(response, 'headers', 'object') ? response : {};
  const isReadable =
    isIterable(Reflect.get(Object(response), 'body')) || hasMember(response, 'text', 'function');
  if (!hasMember(response, 'status', 'number') || !hasMember(headers, 'forEach', 'function') || !isReadable)
    throw new ConfigError(
      `${SOURCE} must resolve with a Response, or an object with its status, headers and body.`,
    );
  if (Reflect.get(response, 'bodyUsed') === true)
    throw new ConfigError(
      `${SOURCE} resolved with a Response whose body it has read. Read a response.clone() instead.`,
    );
}

async function* wholeText(response: FetchResponse): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(await response.text());
}

/**
 * A transport over the user's own `fetch`. It returns redirects and does not follow them, so that no key is sent to another
 * host. An abort takes effect even if `fetch` ignores its signal.
 */
export function fetchTransport(fetch: FetchLike, clock: Pick<Clock, 'yieldIfBusy'> = systemClock): Transport {
  const open = new Set<AbortController>();
  let closed = false;

  return {
    async send(request: HttpRequest, stop: StopSignal): Promise<HttpResponse> {
      if (closed) throw closedError();
      if (stop.aborted) throw stop.reason;
      const controller = controllerOf(stop);
      const { signal } = controller;
      open.add(controller);
      const finish = (): void => {
        open.delete(controller);
      };
      try {
        const ask = (): Promise<FetchResponse> => {
          const { url, method, headers, body } = request;
          const init = { method, headers: { ...headers }, signal, redirect: 'manual' } as const;
          // The user's `fetch` may return anything, e.g. a promise of another library.
          const answer = Promise.resolve(fetch(url, body === undefined ? init : { ...init, body }));
          cancelLate(answer, signal);
          return unlessAborted(answer, signal);
        };
        const response = await ask().catch((error: unknown) => {
          // spec 7.15
          if (signal.aborted || !isClosedByPeer(error) || !hadReceived(error)) throw error;
          return ask();
        });
        checkResponse(response);
        const headers: Record<string, string> = {};
        // Another implementation may pass values of any type.
        response.headers.forEach((value: unknown, name: unknown) => {
          headers[String(name).toLowerCase()] = String(value);
        });
        const body = isIterable(response.body) ? response.body : wholeText(response);
        return {
          status: response.status,
          headers,
          body: foreignBody(body, { signal, clock, source: SOURCE, finish }),
        };
      } catch (error) {
        finish();
        throw signal.aborted ? error : (localFault(error, SOURCE) ?? error);
      }
    },
    close(): Promise<void> {
      closed = true;
      for (const controller of open) controller.abort(closedError());
      return Promise.resolve();
    },
  };
}
