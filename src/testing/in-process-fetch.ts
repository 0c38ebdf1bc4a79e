/** A `fetch` that reaches a simulated world without sockets, on whatever time its clock tells. */

import type { SimulatedAnswer, SimulatedRequest } from './exchange.ts';
import type { ProviderSimulator } from './provider-simulator.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import type { TimerClock } from './virtual-clock.ts';

/** What `fetch` is called with here: any fetch's arguments fit. */
export type FetchLike = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

const STATUSES_WITHOUT_BODY = new Set([204, 205, 304]);

/** Errors as Node's own `fetch` throws them: a `TypeError` with the system's error as its cause. */
function networkError(message: string, code: string, detail: string): TypeError {
  return new TypeError(message, { cause: Object.assign(new Error(detail), { code }) });
}

function providerAt(world: SimulatedWorld, url: URL): ProviderSimulator {
  const provider = world.providers.find(({ baseUrl }) => new URL(baseUrl).host === url.host);
  if (provider !== undefined) return provider;
  const known = world.providers.map(({ baseUrl }) => baseUrl).join(', ');
  throw networkError(
    'fetch failed',
    'ENOTFOUND',
    `No provider of this world is at ${url.host}: use one of ${known}, or give the provider this baseUrl.`,
  );
}

async function requestOf(request: Request, url: URL): Promise<SimulatedRequest> {
  return {
    method: request.method,
    path: url.pathname + url.search,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  };
}

/** Waits on the clock; rejects with the signal's reason. `undefined` waits for ever. */
function pause(clock: TimerClock, delayMs: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let cancel: (() => void) | undefined;
    const stop = (): void => {
      cancel?.();
      reject(signal.reason);
    };
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    if (delayMs === undefined) return;
    cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
  });
}

function streamOf({ body, fault }: SimulatedAnswer): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const whole = typeof body === 'string' ? [body] : [...body];
  const text = whole.join('');
  const chunks = fault === 'cut' ? [text.slice(0, Math.floor(text.length / 2))] : whole;
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk !== undefined) controller.enqueue(encoder.encode(chunk));
      else if (fault === 'cut')
        controller.error(networkError('terminated', 'UND_ERR_SOCKET', 'other side closed'));
      else controller.close();
    },
  });
}

/**
 * Makes a `fetch` for a world: requests go to the provider whose `baseUrl` has the host that is asked, delays and hangs
 * are waited for on `clock`, an abort signal is honoured. Nothing ever leaves the process: an unknown host is an error.
 */
export function inProcessFetch(world: SimulatedWorld, clock: TimerClock): FetchLike {
  return async (input, init) => {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const url = new URL(request.url);
    const provider = providerAt(world, url);
    const simulated = await requestOf(request, url);
    signal.throwIfAborted();
    const answer = provider.answer(simulated, clock.now());
    if (answer.delayMs > 0) await pause(clock, answer.delayMs, signal);
    if (answer.fault === 'hang') await pause(clock, undefined, signal);
    if (answer.fault === 'reset') throw networkError('fetch failed', 'ECONNRESET', 'read ECONNRESET');
    const body = STATUSES_WITHOUT_BODY.has(answer.status) ? null : streamOf(answer);
    return new Response(body, { status: answer.status, headers: { ...answer.headers } });
  };
}
