import type * as undiciModule from 'undici';
import { EventEmitter } from 'node:events';
import { ConfigError, closedError } from '../errors.ts';
import type { Headers, HttpRequest, HttpResponse, StopSignal, Transport } from '../ports.ts';
import { ConnectionAttempts } from './connection-attempts.ts';
import { decodedBody } from './decoded-body.ts';

type Undici = typeof undiciModule;
type Dispatcher = undiciModule.Dispatcher;

/** What freelm needs of an undici dispatcher, whichever copy of undici it comes from. */
export interface DispatcherLike {
  dispatch(options: object, handler: object): boolean;
}

/** undici is slow to load, so it is loaded with the first request. */
let loading: Promise<Undici> | undefined;

function load(): Promise<Undici> {
  loading ??= import('undici');
  return loading;
}

const KEEP_ALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 30_000;
/** Requests to these hosts bypass the proxy. */
const LOOPBACK = ['localhost', '127.0.0.1', '::1', '[::1]'];

type Environment = Readonly<Record<string, string | undefined>>;

/** The value of a variable in lower or upper case; undefined if empty. */
function variable(env: Environment, name: string): string | undefined {
  return [env[name], env[name.toUpperCase()]].map((text) => text?.trim()).find((text) => text);
}

/** The URL of a proxy. Without a protocol it is an HTTP proxy, as in other tools. */
function proxyFrom(env: Environment, name: string): string | undefined {
  const text = variable(env, name);
  return text === undefined || text.includes('://') ? text : `http://${text}`;
}

interface AgentOptions {
  readonly env: Environment;
  readonly connecting: ConnectionAttempts;
  /** Background connections do not keep the process alive. */
  readonly background: boolean;
}

function agentFor(undici: Undici, { env, connecting, background }: AgentOptions): Dispatcher {
  // The engine bounds every attempt itself, from connecting to the end of the body.
  const options = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: connecting.watch(undici.buildConnector({ timeout: CONNECT_TIMEOUT_MS }), background),
  };
  const httpProxy = proxyFrom(env, 'http_proxy');
  const httpsProxy = proxyFrom(env, 'https_proxy');
  const exceptions = variable(env, 'no_proxy');
  if ((httpProxy === undefined && httpsProxy === undefined) || exceptions === '*')
    return new undici.Agent(options);
  return new undici.EnvHttpProxyAgent({
    ...options,
    // Not undefined: undici would read the variables of the process.
    httpProxy: httpProxy ?? '',
    httpsProxy: httpsProxy ?? '',
    noProxy: [exceptions ?? '', ...LOOPBACK].join(','),
  });
}

function isDispatcher(value: unknown): value is Dispatcher {
  return (
    typeof value === 'object' && value !== null && 'dispatch' in value && typeof value.dispatch === 'function'
  );
}

function readHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
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
  readonly #agents = new Map<boolean, Dispatcher>();
  readonly #connecting = new ConnectionAttempts();
  #undici: Undici | undefined;
  #closed = false;

  constructor(dispatcher: Dispatcher | undefined, env: Environment) {
    this.#dispatcher = dispatcher;
    this.#env = env;
  }

  async send(request: HttpRequest, stop: StopSignal): Promise<HttpResponse> {
    this.#undici ??= await load();
    if (this.#closed) throw closedError();
    if (stop.aborted) throw stop.reason;
    return this.#dispatch(this.#undici, request, stop);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#agents.values()];
    this.#agents.clear();
    const ended = open.map((agent) => agent.destroy(closedError()));
    this.#connecting.close();
    await Promise.all(ended);
  }

  #agent(undici: Undici, background: boolean): Dispatcher {
    if (this.#dispatcher !== undefined) return this.#dispatcher;
    let agent = this.#agents.get(background);
    if (agent === undefined) {
      agent = agentFor(undici, { env: this.#env, connecting: this.#connecting, background });
      this.#agents.set(background, agent);
    }
    return agent;
  }

  #dispatch(undici: Undici, request: HttpRequest, stop: StopSignal): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#connecting.remove(request);
      };
      // undici accepts an emitter as a signal, which costs a tenth of an `AbortSignal`.
      const signal = new EventEmitter();
      stop.addEventListener('abort', () => {
        signal.emit('abort');
        // undici ignores the signal while it connects.
        // oxlint-disable-next-line prefer-promise-reject-errors -- the reason is the caller's own
        reject(stop.reason);
        settle();
      });
      const { method, body = null, background = false } = request;
      const headers = { 'accept-encoding': 'identity', ...request.headers };
      const dispatcher = this.#agent(undici, background);
      this.#connecting.add(request);
      undici
        .request(request.url, { method, headers, body, signal, dispatcher })
        .then((answer) => {
          const received = readHeaders(answer.headers);
          resolve({
            status: answer.statusCode,
            headers: received,
            body: decodedBody(received, answer.body),
          });
          return settle();
        })
        .catch((error: unknown) => {
          reject(error);
          settle();
        });
    });
  }
}

/**
 * The default transport: undici's `request()` with keep-alive and the proxy variables. It does not follow redirects.
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
