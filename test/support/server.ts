/** HTTP servers on 127.0.0.1 with scripted answers and a record of requests. */

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { text as readText } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A recorded request. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Alternating names and values, including repeated headers. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export type Handler = (request: Seen, response: ServerResponse) => void;

export interface TestServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly Seen[];
  /** The number of connections so far. */
  readonly connections: number;
  /** The number of open connections. */
  readonly open: number;
  /** The number of closed connections. */
  readonly closed: number;
}

/** Turns of the event loop in which something of this process comes about, as a rule. */
const TURNS = 500;

/**
 * Runs the event loop until the condition holds. The timeout of the test bounds it. It rests between later turns, because
 * another process needs the processor to make the condition hold.
 */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) await (turn < TURNS ? setImmediate() : setTimeout(2));
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server says no port');
  return address.port;
}

/** Counts the connections of a server, and closes them after the test. */
export async function track(server: Server, requests: readonly Seen[]): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listen(server);
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    get closed() {
      return connections - sockets.size;
    },
  };
}

/** Starts a server that stops after the test. */
export async function serve(handler: Handler): Promise<TestServer> {
  const requests: Seen[] = [];
  const receive = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers, rawHeaders } = message;
    const seen = { method, url, headers, rawHeaders, body: await readText(message) };
    requests.push(seen);
    handler(seen, response);
  };
  return track(
    createServer((message, response) => {
      receive(message, response).catch(() => response.destroy());
    }),
    requests,
  );
}

/** A server that accepts connections and sends nothing. `onSocket` can send something. */
export function serveTcp(
  onSocket: (socket: Socket) => void = (socket) => socket.resume(),
): Promise<TestServer> {
  return track(createTcpServer(onSocket), []);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON body of a request. An empty object if there is none. */
export function bodyOf({ body }: Seen): Readonly<Record<string, unknown>> {
  const value: unknown = body === '' ? {} : JSON.parse(body);
  if (isObject(value)) return value;
  throw new Error(`no JSON object was posted: ${body.slice(0, 200)}`);
}

/** The bodies of all POST requests, in order. */
export function posted({ requests }: TestServer): readonly Readonly<Record<string, unknown>>[] {
  return requests.filter(({ method }) => method === 'POST').map(bodyOf);
}

/** An answer in JSON. */
export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** A successful answer of chat/completions. */
export function completion(text: string): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  };
}

/** Answers every chat with `text`. */
export function says(text: string): Handler {
  return (_request, response) => {
    json(response, completion(text));
  };
}

/** Accepts all requests and never answers. */
export const hangs: Handler = () => undefined;

/** What keeps this process alive, by kind. */
export function alive(kind: string): number {
  return process.getActiveResourcesInfo().filter((name) => name === kind).length;
}
