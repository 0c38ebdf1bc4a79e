/** A pool as an HTTP endpoint that speaks OpenAI's protocol. */

import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { isIPv6, Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorResponse, errorWordsFor, HttpError } from '../http-error.ts';
import type { Clock, FreeLLM } from '../index.ts';
import { AccessPolicy } from './access-policy.ts';
import { BodyBudget, BodyLease } from './body-budget.ts';
import { Connections } from './connections.ts';
import { corsHeaders, preflight } from './cors.ts';
import { Exchange, PoolUse } from './exchange.ts';
import { Metrics } from './metrics.ts';
import { checkToken, type GatewayOptions, type Settings, settingsOf } from './options.ts';
import { pageResponder, statusPage } from './page.ts';
import { refusalIn } from './refusal.ts';
import { CallNotes } from './request-reports.ts';
import { type Context, headersOf, respond } from './routes.ts';
import { send } from './send.ts';
import { refuseUnreadable } from './unreadable-request.ts';
import { StatusBoard } from './status.ts';

/** A listening endpoint. */
export interface Gateway extends AsyncDisposable {
  /** The address, e.g. `http://127.0.0.1:4141`. The base URL for clients is `${url}/v1`. */
  readonly url: string;
  readonly port: number;
  /**
   * Serves the requests that come from now on from another pool. Requests under way stay with theirs. Resolves when none of
   * them is left; the earlier pool can be closed then.
   */
  use(llm: FreeLLM): Promise<void>;
  /**
   * Stops accepting connections, waits up to `graceMs` for running responses, and then aborts them. A connection without a
   * request stays open for half a second, because a request may be on its way.
   */
  close(): Promise<void>;
}

/** How long a connection without a request stays open after the endpoint was told to close. */
const IDLE_GRACE_MS = 500;

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

/** The part of the clock that measures spans. */
type SpanClock = Pick<Clock, 'monotonicMs'>;

const REAL_CLOCK: SpanClock = { monotonicMs: () => performance.now() };

class GatewayServer implements Gateway {
  readonly #context: Context;
  readonly #nowMs: () => number;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #budget: BodyBudget;
  readonly #calls = new CallNotes();
  readonly #metrics = new Metrics();
  readonly #pending = new Map<IncomingMessage, Exchange>();
  readonly #responses = new WeakMap<IncomingMessage, ServerResponse>();
  #pool: PoolUse;
  #unsubscribe: () => void;
  #port = 0;
  #closed: Promise<void> | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(llm: FreeLLM, settings: Settings, clock: SpanClock) {
    this.#nowMs = () => clock.monotonicMs();
    this.#connections = new Connections(settings);
    this.#budget = new BodyBudget(settings.maxMemoryBytes, this.#nowMs);
    this.#pool = new PoolUse(llm);
    this.#unsubscribe = this.#follow(llm);
    this.#context = {
      settings,
      policy: new AccessPolicy(settings),
      board: new StatusBoard(llm, { nowMs: this.#nowMs, routeNow: () => this.#calls.route }),
      page: pageResponder(statusPage()),
      isClosing: () => this.#closed !== undefined,
      metrics: (pool) =>
        this.#metrics.text(pool, {
          requests: this.#pending.size,
          connections: this.#connections.size,
          bodyBytes: this.#budget.heldBytes,
        }),
    };
    this.#server = createServer(timeoutsOf(settings), (message, response) => {
      void this.#serve(message, response);
    });
    this.#server.timeout = settings.idleTimeoutMs;
    this.#server.on('timeout', (socket: Socket) => {
      this.#onSilence(socket);
    });
    this.#server.on('clientError', (error, socket) => {
      // A response that has begun cannot turn into another one.
      if (!socket.writable || this.#hasBegunResponse(socket)) socket.destroy();
      else refuseUnreadable(error, socket);
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
    const { settings } = this.#context;
    const { port, host, fd } = settings;
    try {
      this.#server.listen(fd === undefined ? { port, host } : { fd });
      await once(this.#server, 'listening');
    } catch (error) {
      this.#stopFollowing();
      throw error;
    }
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    if (fd !== undefined) await this.#checkPassedSocket();
    return this;
  }

  /** The address of a socket that was passed is known only now. */
  async #checkPassedSocket(): Promise<void> {
    const { token } = this.#context.settings;
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) return;
    try {
      checkToken(token, address.address, []);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async use(llm: FreeLLM): Promise<void> {
    const earlier = this.#pool;
    const unsubscribe = this.#unsubscribe;
    const stop = this.#context.board.follow(llm);
    this.#pool = new PoolUse(llm);
    this.#unsubscribe = this.#follow(llm);
    await earlier.idle();
    unsubscribe();
    stop();
  }

  close(): Promise<void> {
    this.#closed ??= this.#drain();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #follow(llm: FreeLLM): () => void {
    return llm.subscribe((event) => {
      this.#calls.note(event);
      this.#metrics.noteEvent(event);
    });
  }

  #stopFollowing(): void {
    this.#unsubscribe();
    this.#calls.close();
    this.#context.board.close();
  }

  async #drain(): Promise<void> {
    const ended = once(this.#server, 'close');
    // The HTTP server's own close() would close connections over which a request may be on its way.
    NetServer.prototype.close.call(this.#server);
    this.#closeIdleSoon();
    const timer = setTimeout(() => {
      for (const { controller } of this.#pending.values())
        controller.abort(new Error('the endpoint was closed'));
      this.#server.closeAllConnections();
    }, this.#context.settings.graceMs);
    await ended;
    clearTimeout(this.#idleTimer);
    clearTimeout(timer);
    this.#server.close();
    this.#stopFollowing();
  }

  #closeIdleSoon(): void {
    const delayMs = Math.min(this.#context.settings.graceMs, IDLE_GRACE_MS);
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#connections.closeIdle(), delayMs);
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

  #hasBegunResponse(socket: Duplex): boolean {
    return [...this.#pending.keys()].some(
      (message) => message.socket === socket && this.#responses.get(message)?.headersSent === true,
    );
  }

  #begin(message: IncomingMessage): Exchange {
    const exchange = new Exchange({
      message,
      nowMs: this.#nowMs,
      pool: this.#pool,
      lease: new BodyLease(this.#budget),
      endOnConnection: this.#connections.begin(message.socket),
    });
    this.#pending.set(message, exchange);
    return exchange;
  }

  #end(message: IncomingMessage): void {
    const exchange = this.#pending.get(message);
    this.#pending.delete(message);
    exchange?.end();
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = this.#begin(message);
    this.#responses.set(message, response);
    response.once('close', () => {
      const report = exchange.report(response);
      this.#metrics.noteRequest(report);
      this.#context.settings.onRequest?.(report);
      this.#end(message);
      if (!response.writableFinished) exchange.controller.abort(new Error('the client disconnected'));
      // A closed endpoint does not keep connections open, even if a response announced keep-alive before.
      if (this.#closed !== undefined) this.#closeIdleSoon();
    });
    try {
      await this.#respond(message, response, exchange);
    } catch {
      // Either the client has disconnected, or the response has begun and cannot report the error any more.
      response.destroy();
    }
  }

  async #respond(message: IncomingMessage, to: ServerResponse, exchange: Exchange): Promise<void> {
    const { policy, board } = this.#context;
    const headers: Record<string, string> = {};
    let response: Response;
    try {
      policy.checkHost(message.headers);
      const origin = policy.checkOrigin(message.headers);
      if (origin !== undefined) Object.assign(headers, corsHeaders(origin));
      this.#connections.check(message.socket);
      response =
        message.method === 'OPTIONS'
          ? preflight(message, origin)
          : await this.#calls.during(exchange.note, () =>
              respond(this.#context, {
                message,
                llm: exchange.pool.llm,
                signal: exchange.controller.signal,
                lease: exchange.lease,
              }),
            );
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      response = errorResponse(error.init, errorWordsFor(exchange.path, headersOf(message)));
    }
    if (response.status >= 400) {
      const refusal = await refusalIn(response);
      exchange.code = refusal.code;
      if (exchange.isForCall && exchange.note.call === undefined && policy.hasToken(message.headers))
        board.refuse(refusal, exchange.route);
    }
    exchange.responseId = response.headers.get('x-request-id') ?? exchange.id;
    headers['x-request-id'] = exchange.responseId;
    // Checked last, because the endpoint may have been closed meanwhile.
    if (this.#closed !== undefined) headers['connection'] = 'close';
    await send(response, to, headers, exchange.lease);
  }
}

/**
 * Serves `llm` over HTTP: OpenAI's routes at `/v1`, `/health`, `/live`, `/metrics`, and a status page at `/`. Closing the
 * endpoint does not close the pool.
 * @throws ConfigError naming the option. If the endpoint cannot listen, it throws the system's error with its `code`.
 * @param clock - Replaced in tests.
 */
export async function startGateway(
  llm: FreeLLM,
  options: GatewayOptions = {},
  clock: SpanClock = REAL_CLOCK,
): Promise<Gateway> {
  return new GatewayServer(llm, settingsOf(options), clock).listen();
}
