/** Requests beside the calls: a model list, an account's page, the check of a key. */

import { onAbort } from '../abort.ts';
import type { Clock, HttpRequest, HttpResponse, Transport } from '../ports.ts';
import { VERSION } from '../version.ts';
import { readBody } from '../wire/response/read-body.ts';
import type { Provider } from './provider.ts';

/** A GET below a provider's base URL; without a `keyId` it carries no key. */
export function getRequest(provider: Provider, path: string, keyId: string | undefined): HttpRequest {
  const headers = keyId === undefined ? provider.headersWithoutKey() : provider.headersFor(keyId);
  return {
    method: 'GET',
    url: provider.urlOf(path),
    headers: { 'user-agent': `freelm/${VERSION}`, accept: 'application/json', ...headers },
  };
}

/** The bounds of a side request. */
export interface SideRequestOptions {
  readonly clock: Clock;
  readonly transport: Transport;
  /** The longest body that is read. */
  readonly maxBytes: number;
  /** Bounds the request, its body included. Default: only `signal` ends it. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether the body of an answer with a status other than 200 is read. Default: it is closed unread. */
  readonly readsRefusals?: boolean | undefined;
  /** Takes keys out of the body. Default: the caller redacts what it reads. */
  readonly redact?: ((text: string) => string) | undefined;
}

/** How a side request ended. The body of `response` is read or closed. */
export type SideOutcome =
  | { readonly ok: true; readonly response: HttpResponse; readonly body: string }
  | {
      readonly ok: false;
      readonly error: unknown;
      readonly timedOut: boolean;
      /** Present if the body broke after the status had arrived. */
      readonly response: HttpResponse | undefined;
    };

/** Reads one chunk and closes the body: an unread body would keep its socket. */
async function discard(body: HttpResponse['body']): Promise<string> {
  try {
    // oxlint-disable-next-line no-unreachable-loop -- leaving the loop closes the body
    for await (const chunk of body) {
      void chunk;
      break;
    }
  } catch {
    // The status is all that matters.
  }
  return '';
}

/** Sends one request and reads its answer within the bounds. Never rejects; leaves no timer or listener behind. */
export async function sendBeside(request: HttpRequest, options: SideRequestOptions): Promise<SideOutcome> {
  const { clock, transport, maxBytes, timeoutMs, signal, readsRefusals = false, redact } = options;
  const stop = new AbortController();
  let timedOut = false;
  const onTimeout = (): void => {
    timedOut = true;
    stop.abort(new Error(`no complete answer within ${timeoutMs} ms`));
  };
  const leave = (): void => stop.abort(signal?.reason);
  const cancelTimer =
    timeoutMs === undefined ? undefined : clock.after(timeoutMs, onTimeout, request.background);
  if (signal?.aborted === true) leave();
  const cancelAbort = signal && onAbort(signal, leave);
  let response: HttpResponse | undefined;
  try {
    response = await transport.send(request, stop.signal);
    const isWanted = readsRefusals || response.status === 200;
    const body = isWanted ? await readBody(response.body, maxBytes) : await discard(response.body);
    return { ok: true, response, body: redact?.(body) ?? body };
  } catch (error) {
    return { ok: false, error, timedOut, response };
  } finally {
    cancelTimer?.();
    cancelAbort?.();
  }
}
