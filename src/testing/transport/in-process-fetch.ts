import { firstHalf, type SimulatedAnswer, type SimulatedRequest, type SimulatedStream } from '../exchange.ts';
import { streamBytes, pause } from './stream-bytes.ts';
import type { ProviderSimulator } from '../provider-simulator.ts';
import type { SimulatedWorld } from '../simulated-world.ts';
import type { TimerClock } from '../virtual-clock.ts';

/** The signature of `fetch`. */
export type FetchLike = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

const STATUSES_WITHOUT_BODY = new Set([204, 205, 304]);

/** An error like those of Node's `fetch`: a `TypeError` whose cause is the system error. */
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
    `No provider of this world is at ${url.host}. Use one of ${known}, or set the baseUrl of a provider.`,
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

/** Converts a string body to a stream, and applies the fault `cut`. */
function streamOf({ body, fault }: SimulatedAnswer): SimulatedStream {
  if (typeof body !== 'string') return body;
  const text = fault === 'cut' ? firstHalf(body) : body;
  const pieces = text === '' ? [] : [{ bytes: new TextEncoder().encode(text), delayMs: 0 }];
  return { pieces, ends: fault === 'cut' ? 'reset' : 'close', abandon: () => {} };
}

function brokenConnection({ fault }: SimulatedAnswer): TypeError {
  return fault === 'cut'
    ? networkError('terminated', 'UND_ERR_SOCKET', 'other side closed')
    : networkError('terminated', 'ECONNRESET', 'read ECONNRESET');
}

/** A lazy body that ends when the reader cancels it or the signal aborts. */
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
 * Returns a `fetch` that sends requests to the provider whose `baseUrl` has the same host. Delays run on `clock`. Nothing
 * leaves the process: a request to an unknown host fails. The body is never compressed: `fetch` decompresses bodies.
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
