/** The default transport: undici's `request()` with keep-alive, the proxy variables honoured. */

import { EventEmitter } from 'node:events';
import type * as undiciModule from 'undici';
import { ConfigError } from '../errors.ts';
import type { Headers, HttpRequest, HttpResponse, StopSignal, Transport } from '../ports.ts';
import { closedError } from './closed-error.ts';
import { Connecting } from './connecting.ts';

type Undici = typeof undiciModule;
type Dispatcher = undiciModule.Dispatcher;

/** What freelm needs of an undici dispatcher, whichever copy of undici it comes from. */
export interface DispatcherLike {
  dispatch(options: object, handler: object): boolean;
}

/** undici takes long to load, so it is loaded with the first request. */
let loading: Promise<Undici> | undefined;

function load(): Promise<Undici> {
  loading ??= import('undici');
  return loading;
}

const KEEP_ALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 30_000;
/** Requests to this machine never take the proxy. */
const LOOPBACK = ['localhost', '127.0.0.1', '::1', '[::1]'];

type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable counts as none. */
function variable(env: Environment, name: string): string | undefined {
  return [env[name], env[name.toUpperCase()]].map((text) => text?.trim()).find((text) => text);
}

/** The URL of a proxy; as other tools do, one without a protocol is taken for an HTTP proxy. */
function proxyFrom(env: Environment, name: string): string | undefined {
  const text = variable(env, name);
  return text === undefined || text.includes('://') ? text : `http://${text}`;
}

/** How an agent is made. */
interface AgentOptions {
  readonly env: Environment;
  readonly connecting: Connecting;
  /** What runs beside the calls must not keep the process alive. */
  readonly background: boolean;
}

function agentFor(undici: Undici, { env, connecting, background }: AgentOptions): Dispatcher {
  // The engine bounds every attempt itself, connecting, headers and body together.
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
    // Empty instead of undefined, which would let undici read the process's own variables.
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

/** What the transport is made with. */
export interface UndiciOptions {
  /** A dispatcher of the user's own; it is not closed with the transport. */
  readonly dispatcher?: DispatcherLike | undefined;
  /** Where the proxy variables are read. */
  readonly env: Environment;
}

/**
 * Makes the default transport. Redirects are not followed.
 * @throws ConfigError when `dispatcher` is none.
 */
export function undiciTransport({ dispatcher, env }: UndiciOptions): Transport {
  if (dispatcher !== undefined && !isDispatcher(dispatcher)) {
    throw new ConfigError(
      'options.dispatcher is not an undici Dispatcher. Pass e.g. new Agent() or new ProxyAgent(url) of undici 7.',
    );
  }
  let undici: Undici | undefined;
  let closed = false;
  const agents = new Map<boolean, Dispatcher>();
  const connecting = new Connecting();
  /** Requests whose answer has not begun. */
  const waiting = new Set<HttpRequest>();

  function agent(loaded: Undici, background: boolean): Dispatcher {
    if (isDispatcher(dispatcher)) return dispatcher;
    let own = agents.get(background);
    if (own === undefined) {
      own = agentFor(loaded, { env, connecting, background });
      agents.set(background, own);
    }
    return own;
  }

  function leave(request: HttpRequest): void {
    waiting.delete(request);
    if (!connecting.any) return;
    const { origin } = new URL(request.url);
    if ([...waiting].some(({ url }) => new URL(url).origin === origin)) return;
    connecting.giveUp(origin);
  }

  function dispatch(loaded: Undici, request: HttpRequest, stop: StopSignal): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      // undici takes an emitter for a signal; it costs a tenth of an `AbortSignal`.
      const signal = new EventEmitter();
      const { method, headers, body = null, background } = request;
      stop.addEventListener('abort', () => {
        signal.emit('abort');
        // undici does not listen to it while it connects.
        // oxlint-disable-next-line prefer-promise-reject-errors -- the reason is whatever the caller gave
        reject(stop.reason);
        leave(request);
      });
      waiting.add(request);
      loaded
        .request(request.url, { method, headers, body, signal, dispatcher: agent(loaded, background === true) })
        .then(
          (answer) => {
            leave(request);
            resolve({ status: answer.statusCode, headers: readHeaders(answer.headers), body: answer.body });
          },
          (error: unknown) => {
            leave(request);
            reject(error);
          },
        );
    });
  }

  return {
    async send(request: HttpRequest, stop: StopSignal): Promise<HttpResponse> {
      undici ??= await load();
      if (closed) throw closedError();
      if (stop.aborted) throw stop.reason;
      return dispatch(undici, request, stop);
    },
    async close(): Promise<void> {
      closed = true;
      const open = [...agents.values()];
      agents.clear();
      const ended = open.map((own) => own.destroy(closedError()));
      connecting.giveUp();
      await Promise.all(ended);
    },
  };
}
