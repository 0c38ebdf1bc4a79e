/** A pool as an HTTP endpoint that speaks OpenAI's protocol. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { FreeLLM } from '../index.ts';
import { HttpError } from './http-error.ts';
import { AccessPolicy } from './access-policy.ts';
import { pageAnswer } from './page/response.ts';
import { statusPage } from './page/page.ts';
import { type GatewayOptions, type Settings, settingsOf } from './options.ts';
import { answer, type Context } from './routes.ts';
import { send } from './send.ts';
import { StatusBoard } from './status.ts';

/** An endpoint that listens. */
export interface Gateway extends AsyncDisposable {
  /** Where it is, e.g. `http://127.0.0.1:4141`; its base URL for clients is `${url}/v1`. */
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, lets answers under way end for at most `graceMs`, and then breaks them off. */
  close(): Promise<void>;
}

/**
 * Whoever sends a request more slowly than this is not waited for. A connection is kept for longer than clients keep
 * theirs: of two who let go at the same moment, one would lose a request.
 */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 2000,
};

/** Where to call on this machine what listens at every address. */
const EVERYWHERE: Readonly<Record<string, string>> = {
  '': '127.0.0.1',
  '0.0.0.0': '127.0.0.1',
  '::': '::1',
};

/** Headers by which a page of an allowed origin may read an answer. */
function sharedWith(origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers':
      'x-freelm-provider, x-freelm-model, x-freelm-attempts, x-request-id, retry-after, x-should-retry',
    vary: 'origin',
  };
}

/** A browser asks before it sends a page's request: only those of allowed origins hear yes. */
function preflight({ headers }: IncomingMessage, origin: string | undefined): Response {
  if (origin === undefined) {
    const message = 'OPTIONS is for pages of allowed origins.';
    throw new HttpError({
      status: 405,
      code: 'method_not_allowed',
      message,
      headers: { allow: 'GET, POST' },
    });
  }
  const wanted = headers['access-control-request-headers'];
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, POST',
      'access-control-max-age': '600',
      ...(wanted === undefined ? {} : { 'access-control-allow-headers': wanted }),
    },
  });
}

class GatewayServer implements Gateway {
  readonly #house: Context;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #underWay = new Map<IncomingMessage, AbortController>();
  #port = 0;
  #closed: Promise<void> | undefined;

  constructor(llm: FreeLLM, settings: Settings) {
    const page = pageAnswer(statusPage());
    this.#house = { llm, settings, door: new AccessPolicy(settings), board: new StatusBoard(llm), page };
    this.#server = createServer(TIMEOUTS, (message, response) => {
      void this.#serve(message, response);
    });
    this.#server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#leave(socket));
    });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    const { host } = this.#house.settings;
    const name = EVERYWHERE[host] ?? host;
    return `http://${isIPv6(name) ? `[${name}]` : name}:${this.#port}`;
  }

  async listen(): Promise<this> {
    const { settings, board } = this.#house;
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
    this.#closeUnused();
    const timer = setTimeout(() => {
      for (const controller of this.#underWay.values())
        controller.abort(new Error('the endpoint was closed'));
      this.#server.closeAllConnections();
    }, this.#house.settings.graceMs);
    await ended;
    clearTimeout(timer);
    this.#house.board.close();
  }

  /** Of connections without an answer under way, Node closes only those that had one: browsers open some in advance. */
  #closeUnused(): void {
    const used = new Set([...this.#underWay.keys()].map(({ socket }) => socket));
    for (const socket of this.#connections) if (!used.has(socket)) socket.destroy();
  }

  /** Of an answer that stands in line behind another one on its connection, Node does not say that it is in vain. */
  #leave(left: Socket): void {
    this.#connections.delete(left);
    for (const [message, controller] of this.#underWay) {
      if (message.socket !== left) continue;
      this.#underWay.delete(message);
      controller.abort(new Error('the client left'));
    }
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const controller = new AbortController();
    this.#underWay.set(message, controller);
    response.once('close', () => {
      this.#underWay.delete(message);
      if (!response.writableFinished) controller.abort(new Error('the client left'));
      // A connection that was promised to be kept is not, once the endpoint is closed.
      if (this.#closed !== undefined) setImmediate(() => this.#closeUnused());
    });
    try {
      await this.#answer(message, response, controller.signal);
    } catch {
      // The client has left, or the answer broke off: there is nobody, or no way, to tell.
      response.destroy();
    }
  }

  async #answer(message: IncomingMessage, response: ServerResponse, gone: AbortSignal): Promise<void> {
    const { door } = this.#house;
    const more: Record<string, string> = this.#closed === undefined ? {} : { connection: 'close' };
    let answered: Response;
    try {
      door.checkHost(message.headers);
      const origin = door.checkOrigin(message.headers);
      if (origin !== undefined) Object.assign(more, sharedWith(origin));
      answered =
        message.method === 'OPTIONS' ? preflight(message, origin) : await answer(this.#house, message, gone);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      answered = error.toResponse();
    }
    await send(answered, response, more);
  }
}

/**
 * Serves `llm` over HTTP: OpenAI's routes at `/v1`, `/health`, and a status page at `/`. The pool is not closed with it.
 * @throws ConfigError naming the option; the system's error, with its `code`, when it cannot listen.
 */
export async function startGateway(llm: FreeLLM, options: GatewayOptions = {}): Promise<Gateway> {
  return new GatewayServer(llm, settingsOf(options)).listen();
}
