/** A `fetch` that reaches a simulated world without sockets, on whatever time its clock tells. */

import type { SimulatedAnswer, SimulatedRequest, SimulatedStream } from '../exchange.ts';
import { streamBytes, pause } from './stream-bytes.ts';
import type { ProviderSimulator } from '../provider-simulator.ts';
import type { SimulatedWorld } from '../simulated-world.ts';
import type { TimerClock } from '../virtual-clock.ts';

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

/** Every body is a stream; one that is cut breaks off in its middle. */
function streamOf({ body, fault }: SimulatedAnswer): SimulatedStream {
  if (typeof body !== 'string') return body;
  const text = fault === 'cut' ? body.slice(0, Math.floor(body.length / 2)) : body;
  const pieces = text === '' ? [] : [{ bytes: new TextEncoder().encode(text), delayMs: 0 }];
  return { pieces, ends: fault === 'cut' ? 'reset' : 'close', abandon: () => {} };
}

function brokenConnection({ fault }: SimulatedAnswer): TypeError {
  return fault === 'cut'
    ? networkError('terminated', 'UND_ERR_SOCKET', 'other side closed')
    : networkError('terminated', 'ECONNRESET', 'read ECONNRESET');
}

/** A body that is made only as far as it is read, and given up when the reader goes away or the signal says so. */
function bodyOf(
  answer: SimulatedAnswer,
  clock: TimerClock,
  gone: AbortController,
): ReadableStream<Uint8Array> {
  const stream = streamOf(answer);
  const bytes = streamBytes(stream, clock, gone.signal);
  return new ReadableStream(
    {
      start(controller) {
        gone.signal.addEventListener('abort', () => {
          controller.error(gone.signal.reason);
          void bytes.return(undefined);
        });
      },
      async pull(controller) {
        const { done, value } = await bytes.next();
        if (done !== true) controller.enqueue(value);
        else if (stream.ends === 'reset') controller.error(brokenConnection(answer));
        else controller.close();
      },
      cancel(reason) {
        gone.abort(reason);
      },
    },
    { highWaterMark: 0 },
  );
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
    const gone = new AbortController();
    signal.addEventListener('abort', () => {
      gone.abort(signal.reason);
    });
    gone.signal.addEventListener('abort', () => {
      if (typeof answer.body !== 'string') answer.body.abandon();
    });
    if (answer.delayMs > 0) await pause(clock, answer.delayMs, signal);
    if (answer.fault === 'hang') await pause(clock, undefined, signal);
    if (answer.fault === 'reset') throw networkError('fetch failed', 'ECONNRESET', 'read ECONNRESET');
    const body = STATUSES_WITHOUT_BODY.has(answer.status) ? null : bodyOf(answer, clock, gone);
    return new Response(body, { status: answer.status, headers: { ...answer.headers } });
  };
}
