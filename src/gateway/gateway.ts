/** A pool as an HTTP endpoint that speaks OpenAI's protocol. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { errorResponse, HttpError } from '../http-error.ts';
import type { FreeLLM } from '../index.ts';
import { AccessPolicy } from './access-policy.ts';
import { type GatewayOptions, type Settings, settingsOf } from './options.ts';
import { pageResponder, statusPage } from './page.ts';
import { type Context, respond } from './routes.ts';
import { send } from './send.ts';
import { StatusBoard } from './status.ts';

/** A listening endpoint. */
export interface Gateway extends AsyncDisposable {
  /** The address, e.g. `http://127.0.0.1:4141`. The base URL for clients is `${url}/v1`. */
  readonly url: string;
  readonly port: number;
  /** Stops accepting requests, waits up to `graceMs` for running responses, and then aborts them. */
  close(): Promise<void>;
}

/**
 * In ms. Requests that arrive more slowly are cut off. `keepAliveTimeout` is longer than the usual timeout of clients: if
 * both sides closed a connection at the same moment, a request could be lost.
 */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 2000,
};

/** Where this machine reaches an endpoint that listens on all addresses. */
const LOCAL_ADDRESSES: Readonly<Record<string, string>> = {
  '': '127.0.0.1',
  '0.0.0.0': '127.0.0.1',
  '::': '::1',
};

/** The headers that let pages of an allowed origin read a response. */
function corsHeaders(origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers':
      'x-freelm-provider, x-freelm-model, x-freelm-attempts, x-request-id, retry-after, x-should-retry',
    vary: 'origin',
  };
}

/** Answers a browser's preflight request. */
function preflight({ headers }: IncomingMessage, origin: string | undefined): Response {
  if (origin === undefined) {
    throw new HttpError({
      status: 405,
      code: 'method_not_allowed',
      message: 'OPTIONS is only for pages of allowed origins.',
      headers: { allow: 'GET, POST' },
    });
  }
  const requested = headers['access-control-request-headers'];
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, POST',
      'access-control-max-age': '600',
      ...(requested === undefined ? {} : { 'access-control-allow-headers': requested }),
    },
  });
}

class GatewayServer implements Gateway {
  readonly #context: Context;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  /** The requests without a complete response, each with the controller that aborts its call. */
  readonly #pending = new Map<IncomingMessage, AbortController>();
  #port = 0;
  #closed: Promise<void> | undefined;

  constructor(llm: FreeLLM, settings: Settings) {
    const page = pageResponder(statusPage());
    const policy = new AccessPolicy(settings);
    this.#context = { llm, settings, policy, board: new StatusBoard(llm), page };
    this.#server = createServer(TIMEOUTS, (message, response) => {
      void this.#serve(message, response);
    });
    this.#server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#onDisconnect(socket));
    });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    const { host } = this.#context.settings;
    const name = LOCAL_ADDRESSES[host] ?? host;
    return `http://${isIPv6(name) ? `[${name}]` : name}:${this.#port}`;
  }

  async listen(): Promise<this> {
    const { settings, board } = this.#context;
    try {
      this.#server.listen(settings.port, settings.host);
      await once(this.#server, 'listening');
    } catch (error) {
      board.close();
      throw error;
    }
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    return this;
  }

  close(): Promise<void> {
    this.#closed ??= this.#drain();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(): Promise<void> {
    const ended = once(this.#server, 'close');
    this.#server.close();
    this.#closeIdleConnections();
    const timer = setTimeout(() => {
      for (const controller of this.#pending.values()) controller.abort(new Error('the endpoint was closed'));
      this.#server.closeAllConnections();
    }, this.#context.settings.graceMs);
    await ended;
    clearTimeout(timer);
    this.#context.board.close();
  }

  /** Node's own method spares connections that have not carried a request yet, and browsers open some in advance. */
  #closeIdleConnections(): void {
    const busy = new Set([...this.#pending.keys()].map(({ socket }) => socket));
    for (const socket of this.#connections) if (!busy.has(socket)) socket.destroy();
  }

  /** Node emits no event for a pipelined request whose client disconnected before its turn. */
  #onDisconnect(socket: Socket): void {
    this.#connections.delete(socket);
    for (const [message, controller] of this.#pending) {
      if (message.socket !== socket) continue;
      this.#pending.delete(message);
      controller.abort(new Error('the client disconnected'));
    }
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const controller = new AbortController();
    this.#pending.set(message, controller);
    response.once('close', () => {
      this.#pending.delete(message);
      if (!response.writableFinished) controller.abort(new Error('the client disconnected'));
      // A closed endpoint does not keep connections open, even if a response announced keep-alive before.
      if (this.#closed !== undefined) setImmediate(() => this.#closeIdleConnections());
    });
    try {
      await this.#respond(message, response, controller.signal);
    } catch {
      // Either the client has disconnected, or the response has begun and cannot report the error any more.
      response.destroy();
    }
  }

  async #respond(message: IncomingMessage, to: ServerResponse, signal: AbortSignal): Promise<void> {
    const { policy } = this.#context;
    const headers: Record<string, string> = this.#closed === undefined ? {} : { connection: 'close' };
    let response: Response;
    try {
      policy.checkHost(message.headers);
      const origin = policy.checkOrigin(message.headers);
      if (origin !== undefined) Object.assign(headers, corsHeaders(origin));
      response =
        message.method === 'OPTIONS'
          ? preflight(message, origin)
          : await respond(this.#context, message, signal);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      response = errorResponse(error.init);
    }
    await send(response, to, headers);
  }
}

/**
 * Serves `llm` over HTTP: OpenAI's routes at `/v1`, `/health`, and a status page at `/`. Closing the endpoint does not
 * close the pool.
 * @throws ConfigError naming the option. If the endpoint cannot listen, it throws the system's error with its `code`.
 */
export async function startGateway(llm: FreeLLM, options: GatewayOptions = {}): Promise<Gateway> {
  return new GatewayServer(llm, settingsOf(options)).listen();
}
