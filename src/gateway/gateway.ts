/** A pool as an HTTP endpoint that speaks OpenAI's protocol. */

import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { errorResponse, HttpError } from '../http-error.ts';
import type { FreeLLM } from '../index.ts';
import { AccessPolicy } from './access-policy.ts';
import { BodyBudget, BodyLease } from './body-budget.ts';
import { Connections } from './connections.ts';
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

/** How often Node looks for connections whose request arrives too slowly, at most. */
const MAX_CHECK_INTERVAL_MS = 2000;

function timeoutsOf({ headersTimeoutMs, requestTimeoutMs, idleTimeoutMs }: Settings): ServerOptions {
  return {
    // Node refuses one that is longer than the other.
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, headersTimeoutMs, requestTimeoutMs),
  };
}

/** Where this machine reaches an endpoint that listens on all addresses. */
const LOCAL_ADDRESSES: ReadonlyMap<string, string> = new Map([
  ['', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

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

/** A request without a complete response. */
interface Exchange {
  /** Aborts its call. */
  readonly controller: AbortController;
  readonly lease: BodyLease;
  /** Notes that it is over. */
  end(): void;
}

class GatewayServer implements Gateway {
  readonly #context: Context;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #budget: BodyBudget;
  readonly #pending = new Map<IncomingMessage, Exchange>();
  #port = 0;
  #closed: Promise<void> | undefined;

  constructor(llm: FreeLLM, settings: Settings) {
    const page = pageResponder(statusPage());
    const policy = new AccessPolicy(settings);
    this.#context = { llm, settings, policy, board: new StatusBoard(llm), page };
    this.#connections = new Connections(settings);
    this.#budget = new BodyBudget(settings.maxMemoryBytes, () => performance.now());
    this.#server = createServer(timeoutsOf(settings), (message, response) => {
      void this.#serve(message, response);
    });
    this.#server.timeout = settings.idleTimeoutMs;
    this.#server.on('timeout', (socket: Socket) => {
      this.#onSilence(socket);
    });
    this.#server.on('connection', (socket) => {
      socket.once('close', () => this.#onDisconnect(socket));
      this.#connections.add(socket);
    });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    const { host } = this.#context.settings;
    const name = LOCAL_ADDRESSES.get(host) ?? host;
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
    this.#connections.closeIdle();
    const timer = setTimeout(() => {
      for (const { controller } of this.#pending.values())
        controller.abort(new Error('the endpoint was closed'));
      this.#server.closeAllConnections();
    }, this.#context.settings.graceMs);
    await ended;
    clearTimeout(timer);
    this.#context.board.close();
  }

  /** Nothing went over a connection for a while. A call that waits for a provider may take longer. */
  #onSilence(socket: Socket): void {
    if (!this.#connections.isBusy(socket) || socket.writableLength > 0) socket.destroy();
  }

  /** Node emits no event for a pipelined request whose client disconnected before its turn. */
  #onDisconnect(socket: Socket): void {
    for (const [message, { controller }] of this.#pending) {
      if (message.socket !== socket) continue;
      this.#end(message);
      controller.abort(new Error('the client disconnected'));
    }
    this.#connections.remove(socket);
  }

  #begin(message: IncomingMessage): Exchange {
    const end = this.#connections.begin(message.socket);
    const exchange = { controller: new AbortController(), lease: new BodyLease(this.#budget), end };
    this.#pending.set(message, exchange);
    return exchange;
  }

  #end(message: IncomingMessage): void {
    const exchange = this.#pending.get(message);
    this.#pending.delete(message);
    exchange?.lease.release();
    exchange?.end();
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = this.#begin(message);
    response.once('close', () => {
      this.#end(message);
      if (!response.writableFinished) exchange.controller.abort(new Error('the client disconnected'));
      // A closed endpoint does not keep connections open, even if a response announced keep-alive before.
      if (this.#closed !== undefined) setImmediate(() => this.#connections.closeIdle());
    });
    try {
      await this.#respond(message, response, exchange);
    } catch {
      // Either the client has disconnected, or the response has begun and cannot report the error any more.
      response.destroy();
    }
  }

  async #respond(
    message: IncomingMessage,
    to: ServerResponse,
    { controller, lease }: Exchange,
  ): Promise<void> {
    const { policy } = this.#context;
    const headers: Record<string, string> = this.#closed === undefined ? {} : { connection: 'close' };
    let response: Response;
    try {
      policy.checkHost(message.headers);
      const origin = policy.checkOrigin(message.headers);
      if (origin !== undefined) Object.assign(headers, corsHeaders(origin));
      this.#connections.check(message.socket);
      const { signal } = controller;
      response =
        message.method === 'OPTIONS'
          ? preflight(message, origin)
          : await respond(this.#context, { message, signal, lease });
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      response = errorResponse(error.init);
    }
    await send(response, to, headers, lease);
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
