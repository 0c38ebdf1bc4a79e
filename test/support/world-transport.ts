/** A transport to a simulated world in virtual time. Records requests, and simulates network conditions. */

import type { HttpRequest, HttpResponse, StopSignal, Transport } from '../../src/ports.ts';
import type {
  ProviderSimulator,
  SimulatedAnswer,
  SimulatedCall,
  SimulatedStream,
  SimulatedWorld,
  VirtualClock,
} from '../../src/testing.ts';

/** One chat request that arrived. */
export interface Sent {
  /** Epoch ms of its arrival. */
  readonly at: number;
  readonly provider: string;
  readonly key: string;
  readonly model: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** The call in the world's log. `undefined` if the test answered the request. */
  readonly noted?: SimulatedCall | undefined;
}

/** An answer that a test provides. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Network conditions for chat requests. */
export interface NetworkConditions {
  /** The delay of a request, in milliseconds. */
  readonly delayMs?: (() => number) | undefined;
  /** The delay of its answer, in milliseconds. */
  readonly answerDelayMs?: (() => number) | undefined;
  /** `connect`: the request never arrives. `body`: the answer stops midway. Both last until the caller gives up. */
  readonly stalls?: 'connect' | 'body' | undefined;
  /** Returns an answer to use instead of the world's. The world then does not receive the request. */
  readonly answer?: ((sent: Sent) => Reply | undefined) | undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function readJson(text = '{}'): Readonly<Record<string, unknown>> {
  const json: unknown = JSON.parse(text);
  return isObject(json) ? json : {};
}

function systemError(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

export class WorldTransport implements Transport {
  /** Chat requests in the order of their arrival. */
  readonly sent: Sent[] = [];
  network: NetworkConditions = {};
  /** The number of unfinished requests and bodies, which would be open sockets. */
  open = 0;
  readonly #world: SimulatedWorld;
  readonly #clock: VirtualClock;
  readonly #aheadMs: number;

  constructor(world: SimulatedWorld, clock: VirtualClock) {
    this.#world = world;
    this.#clock = clock;
    this.#aheadMs = clock.now() - clock.monotonicMs();
  }

  /** The time at the providers, epoch ms. It goes on as before if the pool's clock is set. */
  #now(): number {
    return this.#aheadMs + this.#clock.monotonicMs();
  }

  async send(request: HttpRequest, stop: StopSignal): Promise<HttpResponse> {
    if (stop.aborted) throw stop.reason;
    const {
      stalls,
      delayMs,
      answerDelayMs = () => 0,
    }: NetworkConditions = request.method === 'POST' ? this.network : {};
    this.open += 1;
    try {
      if (delayMs !== undefined) await this.#pause(delayMs(), stop);
      if (stalls === 'connect') await this.#pause(undefined, stop);
      const answer = this.#ask(request);
      const answerMs = answer.delayMs + answerDelayMs();
      if (answerMs > 0) await this.#pause(answerMs, stop);
      if (answer.fault === 'hang') await this.#pause(undefined, stop);
      if (answer.fault === 'reset') throw systemError('read ECONNRESET', 'ECONNRESET');
      const headers = Object.fromEntries(
        Object.entries(answer.headers)
          .map(([name, value]): [string, string] => [name.toLowerCase(), value])
          // A transport decompresses bodies. This one is never sent compressed ones.
          .filter(([name]) => name !== 'content-encoding'),
      );
      if (typeof answer.body !== 'string')
        return { status: answer.status, headers, body: this.#stream(answer.body, stop) };
      const ends = answer.fault === 'cut' ? 'cut' : stalls;
      return { status: answer.status, headers, body: this.#body(answer.body, ends, stop) };
    } finally {
      this.open -= 1;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #providerAt(host: string): ProviderSimulator {
    const provider = this.#world.providers.find(({ baseUrl }) => new URL(baseUrl).host === host);
    if (provider === undefined) throw systemError(`getaddrinfo ENOTFOUND ${host}`, 'ENOTFOUND');
    return provider;
  }

  #ask({ method, url, headers, body = '' }: HttpRequest): SimulatedAnswer {
    const { host, pathname, search } = new URL(url);
    const provider = this.#providerAt(host);
    const at = this.#now();
    if (method === 'POST') {
      const json = readJson(body);
      const key = (headers['authorization'] ?? '').replace('Bearer ', '');
      const sent: Sent = { at, provider: provider.name, key, model: String(json['model']), body: json };
      const own = this.network.answer?.(sent);
      if (own !== undefined) {
        this.sent.push(sent);
        return { ...own, headers: {}, delayMs: 0 };
      }
      const answer = provider.answer({ method, path: pathname + search, headers, body }, at);
      this.sent.push({ ...sent, noted: this.#world.calls.at(-1) });
      return answer;
    }
    return provider.answer({ method, path: pathname + search, headers, body }, at);
  }

  async *#body(text: string, ends: string | undefined, stop: StopSignal): AsyncGenerator<Uint8Array> {
    this.open += 1;
    try {
      const whole = ends === undefined;
      yield new TextEncoder().encode(whole ? text : text.slice(0, Math.floor(text.length / 2)));
      if (ends === 'cut') throw systemError('other side closed', 'UND_ERR_SOCKET');
      if (!whole) await this.#pause(undefined, stop);
    } finally {
      this.open -= 1;
    }
  }

  async *#stream(stream: SimulatedStream, stop: StopSignal): AsyncGenerator<Uint8Array> {
    this.open += 1;
    try {
      for (const { bytes, delayMs } of stream.pieces) {
        if (delayMs > 0) await this.#pause(delayMs, stop);
        yield bytes;
      }
      if (stream.ends === 'reset') throw systemError('other side closed', 'UND_ERR_SOCKET');
      if (stream.ends === 'hang') await this.#pause(undefined, stop);
    } finally {
      stream.abandon();
      this.open -= 1;
    }
  }

  /** Waits on the virtual clock, for ever if `undefined`. Rejects with the signal's reason. */
  #pause(delayMs: number | undefined, stop: StopSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        cancel?.();
        // oxlint-disable-next-line prefer-promise-reject-errors -- as every transport does
        reject(stop.reason);
      };
      const cancel =
        delayMs === undefined
          ? undefined
          : this.#clock.after(delayMs, () => {
              stop.removeEventListener('abort', onAbort);
              resolve();
            });
      if (stop.aborted) onAbort();
      else stop.addEventListener('abort', onAbort);
    });
  }
}
