import type * as undiciModule from 'undici';
import { ConfigError, closedError } from '../errors.ts';
import type { Headers, HttpRequest, HttpResponse, StopSignal, Transport } from '../ports.ts';
import { ConnectionAttempts } from './connection-attempts.ts';
import { Exchange } from './exchange.ts';
import { type FetchLike, fetchTransport } from './fetch.ts';
import { proxiesFrom } from './proxies.ts';
import { hadReceived, isClosedByPeer, localFault, messageOf } from './thrown.ts';
import { turnEnd } from './turn-end.ts';

type Undici = typeof undiciModule;
type Dispatcher = undiciModule.Dispatcher;

/** The part of an undici dispatcher that freelm needs, from any copy of undici. */
export interface DispatcherLike {
  dispatch(options: object, handler: object): boolean;
}

/** undici is slow to load. The first request loads it. */
let loading: Promise<Undici> | undefined;

/** The part of the runtime's WebAssembly that undici needs. */
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };
/** The smallest WebAssembly module. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** @throws Error if undici cannot send in this runtime. */
function checkUndici({ Agent }: Undici): void {
  // Bun replaces undici with a module of its own, whose agents do nothing.
  if (!isDispatcher(Agent.prototype)) throw new Error('this runtime replaces it, and its agents cannot send');
  // undici compiles its HTTP parser at the first request, which Workers do not allow.
  Reflect.construct(WebAssembly.Module, [EMPTY_MODULE]);
}

/** @throws ConfigError if undici is missing, or cannot send in this runtime. */
export function loadUndici(): Promise<Undici> {
  loading ??= import('undici')
    .then((undici) => {
      checkUndici(undici);
      return undici;
    })
    .catch((error: unknown) => {
      throw new ConfigError(
        `The package undici cannot be used: ${messageOf(error)}. Install it, or let your bundler include it or leave it external. Or pass options.fetch, which does not need it.`,
      );
    });
  return loading;
}

/** The runtime's own `fetch`. Workers require that it is called without an object. */
const runtimeFetch: FetchLike = (url, init) => fetch(url, init);

const KEEP_ALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 30_000;
/** Requests to these hosts bypass the proxy. */
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

const NO_COMPRESSION = { 'accept-encoding': 'identity' };
/** How many URLs are remembered in parts. */
const MAX_DESTINATIONS = 1000;

/** The destination of a request: its URL in parts. */
interface Destination {
  readonly origin: string;
  readonly path: string;
  /** Whether the request bypasses the proxy. */
  readonly direct: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The kinds of agents. Each is made when it is first needed. */
interface AgentKind {
  /** Connections do not keep the process alive. */
  readonly background: boolean;
  /** Requests go out directly, whatever the proxy variables say. */
  readonly direct: boolean;
  /** Every request has a connection of its own. */
  readonly fresh: boolean;
}

interface AgentOptions extends AgentKind {
  readonly env: Environment;
  readonly connecting: ConnectionAttempts;
}

function agentFor(undici: Undici, { env, connecting, background, direct, fresh }: AgentOptions): Dispatcher {
  const options = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: connecting.watch(undici.buildConnector({ timeout: CONNECT_TIMEOUT_MS }), background),
    ...(fresh && { pipelining: 0 }),
  };
  const proxies = direct ? undefined : proxiesFrom(env);
  return proxies === undefined
    ? new undici.Agent(options)
    : new undici.EnvHttpProxyAgent({ ...options, ...proxies });
}

function isDispatcher(value: unknown): value is Dispatcher {
  return (
    typeof value === 'object' && value !== null && 'dispatch' in value && typeof value.dispatch === 'function'
  );
}

export function readHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const read: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) read[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return read;
}

export interface UndiciOptions {
  /** The user's own dispatcher, which is not closed with the transport. */
  readonly dispatcher?: DispatcherLike | undefined;
  /** The source of the proxy variables. */
  readonly env: Environment;
}

class UndiciTransport implements Transport {
  readonly #dispatcher: Dispatcher | undefined;
  readonly #env: Environment;
  readonly #agents = new Map<number, Dispatcher>();
  readonly #destinations = new Map<string, Destination>();
  readonly #lists = new WeakMap<Headers, string[]>();
  readonly #connecting = new ConnectionAttempts();
  #undici: Undici | undefined;
  #substitute: Transport | undefined;
  #closed = false;

  constructor(dispatcher: Dispatcher | undefined, env: Environment) {
    this.#dispatcher = dispatcher;
    this.#env = env;
  }

  async send(request: HttpRequest, stop: StopSignal): Promise<HttpResponse> {
    if (this.#undici === undefined && this.#substitute === undefined) await this.#load();
    if (this.#closed) throw closedError();
    if (stop.aborted) throw stop.reason;
    if (this.#substitute !== undefined) return this.#substitute.send(request, stop);
    const undici = this.#undici ?? (await loadUndici());
    try {
      const response = await this.#dispatch(undici, request, stop, false);
      const others = turnEnd(this.#connecting.isPending);
      if (others !== undefined) await others;
      return response;
    } catch (error) {
      if (stop.aborted || this.#closed || !this.#isStale(error)) throw error;
      // spec 7.15
      return this.#dispatch(undici, request, stop, true);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#agents.values()];
    this.#agents.clear();
    const ended = open.map((agent) => agent.destroy(closedError()));
    this.#connecting.close();
    await Promise.all([...ended, this.#substitute?.close()]);
  }

  /** Loads undici. If it cannot be used, `fetch` takes its place, unless that would bypass a dispatcher or a proxy. */
  // spec 7.14
  async #load(): Promise<void> {
    try {
      this.#undici = await loadUndici();
    } catch (error) {
      if (this.#dispatcher !== undefined || proxiesFrom(this.#env) !== undefined) throw error;
      this.#substitute ??= fetchTransport(runtimeFetch);
    }
  }

  #isStale(error: unknown): boolean {
    return isClosedByPeer(error) && (this.#connecting.hadAnswered(error) || hadReceived(error));
  }

  #destination(url: string): Destination {
    let known = this.#destinations.get(url);
    if (known === undefined) {
      const { origin, pathname, search, hostname } = new URL(url);
      known = { origin, path: pathname + search, direct: LOOPBACK.has(hostname) };
      if (this.#destinations.size >= MAX_DESTINATIONS) this.#destinations.clear();
      this.#destinations.set(url, known);
    }
    return known;
  }

  #agent(undici: Undici, { background = false }: HttpRequest, direct: boolean, fresh: boolean): Dispatcher {
    const index = Number(background) + 2 * Number(direct) + 4 * Number(fresh);
    let agent = this.#agents.get(index);
    if (agent === undefined) {
      agent = agentFor(undici, { env: this.#env, connecting: this.#connecting, background, direct, fresh });
      this.#agents.set(index, agent);
    }
    return agent;
  }

  #optionsFor(
    undici: Undici,
    dispatcher: Dispatcher,
    request: HttpRequest,
    { origin, path }: Destination,
  ): undiciModule.Dispatcher.DispatchOptions {
    const { method, headers: given } = request;
    const body = request.body ?? null;
    // A proxy agent, or the user's dispatcher, may add headers to them.
    const headers = (): Record<string, string> => ({ ...NO_COMPRESSION, ...given });
    if (dispatcher === this.#dispatcher) return { origin, path, method, body, headers: headers() };
    const sent = dispatcher instanceof undici.Agent ? this.#listOf(given) : headers();
    // The engine bounds every attempt itself, from connecting to the end of the body.
    return { origin, path, method, body, headers: sent, headersTimeout: 0, bodyTimeout: 0 };
  }

  /** Names and values in turn, as undici reads them fastest. All requests of a key have the same headers. */
  #listOf(headers: Headers): string[] {
    let list = this.#lists.get(headers);
    if (list === undefined) {
      list = Object.entries({ ...NO_COMPRESSION, ...headers }).flat();
      this.#lists.set(headers, list);
    }
    return list;
  }

  #dispatch(undici: Undici, request: HttpRequest, stop: StopSignal, fresh: boolean): Promise<HttpResponse> {
    const own = this.#dispatcher;
    const source = own === undefined ? 'The request' : 'options.dispatcher';
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#connecting.remove(request);
      };
      const exchange = new Exchange({
        read: (raw) => readHeaders(undici.util.parseHeaders(raw)),
        answered: (response) => {
          resolve(response);
          settle();
        },
        failed: (error) => {
          reject(this.#closed ? error : (localFault(error, source) ?? error));
          settle();
        },
      });
      stop.addEventListener('abort', () => {
        // oxlint-disable-next-line prefer-promise-reject-errors -- the reason is the caller's own
        reject(stop.reason);
        settle();
        exchange.stop(stop.reason);
      });
      const destination = this.#destination(request.url);
      const dispatcher = own ?? this.#agent(undici, request, destination.direct, fresh);
      this.#connecting.add(request);
      try {
        dispatcher.dispatch(this.#optionsFor(undici, dispatcher, request, destination), exchange);
      } catch (error) {
        exchange.onError(error);
      }
    });
  }
}

/**
 * The default transport: undici with keep-alive and the proxy variables, or the runtime's `fetch` where undici
 * cannot be used. It does not follow redirects.
 * @throws ConfigError if `dispatcher` is no undici dispatcher.
 */
export function undiciTransport({ dispatcher, env }: UndiciOptions): Transport {
  if (dispatcher !== undefined && !isDispatcher(dispatcher)) {
    throw new ConfigError(
      'options.dispatcher is not an undici Dispatcher. Pass e.g. new Agent() or new ProxyAgent(url) of undici 7.',
    );
  }
  return new UndiciTransport(dispatcher, env);
}
