/** The default transport: undici's `request()` with keep-alive, the proxy variables honoured. */

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type * as undiciModule from 'undici';
import { ConfigError } from '../errors.ts';
import type { Headers, HttpRequest, HttpResponse, StopSignal, Transport } from '../ports.ts';

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
/** Requests to this machine never take the proxy. */
const LOOPBACK = ['localhost', '127.0.0.1', '::1', '[::1]'];

function proxied(env: Readonly<Record<string, string | undefined>>): boolean {
  return ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => (env[name] ?? '') !== '');
}

function agentFor(
  undici: Undici,
  env: Readonly<Record<string, string | undefined>>,
  background: boolean,
): Dispatcher {
  // The engine bounds every attempt itself, connecting, headers and body together.
  const options = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 30_000 },
  };
  if (proxied(env)) {
    const noProxy = [env['no_proxy'] ?? env['NO_PROXY'] ?? '', ...LOOPBACK]
      .filter((host) => host !== '')
      .join(',');
    return new undici.EnvHttpProxyAgent({ ...options, noProxy });
  }
  if (!background) return new undici.Agent(options);
  const connect = undici.buildConnector({ timeout: 30_000 });
  return new undici.Agent({
    ...options,
    // What runs beside the calls must not keep the process alive.
    connect: (target, done) => {
      connect(target, (error, socket) => {
        if (error !== null) {
          done(error, null);
          return;
        }
        socket.unref();
        done(null, socket satisfies Socket);
      });
    },
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

/** undici takes an emitter for a signal; it costs a tenth of an `AbortSignal`. */
function emitterOf(stop: StopSignal): EventEmitter {
  const emitter = new EventEmitter();
  stop.addEventListener('abort', () => emitter.emit('abort'));
  return emitter;
}

/** What the transport is made with. */
export interface UndiciOptions {
  /** A dispatcher of the user's own; it is not closed with the transport. */
  readonly dispatcher?: DispatcherLike | undefined;
  /** Where the proxy variables are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
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
  const agents = new Map<boolean, Dispatcher>();

  function agent(loaded: Undici, background: boolean): Dispatcher {
    if (isDispatcher(dispatcher)) return dispatcher;
    let own = agents.get(background);
    if (own === undefined) {
      own = agentFor(loaded, env, background);
      agents.set(background, own);
    }
    return own;
  }

  return {
    async send(request: HttpRequest, stop: StopSignal): Promise<HttpResponse> {
      undici ??= await load();
      if (stop.aborted) throw stop.reason;
      const signal = emitterOf(stop);
      const { statusCode, headers, body } = await undici.request(request.url, {
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        signal,
        dispatcher: agent(undici, request.background === true),
      });
      return { status: statusCode, headers: readHeaders(headers), body };
    },
    async close(): Promise<void> {
      const open = [...agents.values()];
      agents.clear();
      await Promise.all(open.map((own) => own.destroy()));
    },
  };
}
