import { unlessAborted } from '../abort.ts';
import type { Clock, HttpRequest, HttpResponse, StopSignal, Transport } from '../ports.ts';
import { cancelLate, foreignBody } from './foreign-body.ts';

/** A signal of this realm that aborts with `stop`. */
export function controllerOf(stop: StopSignal): AbortController {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort(stop.reason);
  };
  if (stop.aborted) abort();
  else stop.addEventListener('abort', abort);
  return controller;
}

/** The longest that closing may take, as long as an operation of a store. */
const CLOSE_MS = 1000;

/** Waits for the transport to close, for a limited time, since it may hang. */
function closeInTime(transport: Transport, clock: Clock): Promise<void> {
  const closing = (async (): Promise<void> => transport.close())();
  return new Promise((resolve, reject) => {
    const cancel = clock.after(CLOSE_MS, resolve);
    closing.finally(cancel).then(resolve, reject);
  });
}

/** Wraps a user's transport. A request ends when its signal aborts, even if the transport ignores it. */
export function foreignTransport(transport: Transport, clock: Clock): Transport {
  return {
    async send(request: HttpRequest, stop: StopSignal): Promise<HttpResponse> {
      const { signal } = controllerOf(stop);
      signal.throwIfAborted();
      const sent = Promise.resolve(transport.send(request, stop));
      cancelLate(sent, signal);
      const { status, headers, body } = await unlessAborted(sent, signal);
      const reading = { signal, clock, source: 'The transport', finish: (): void => undefined };
      return { status, headers, body: foreignBody(body, reading) };
    },
    close: () => closeInTime(transport, clock),
  };
}
