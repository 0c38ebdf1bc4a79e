/** Tiny HTTP servers on 127.0.0.1 whose every answer a test decides, and what they saw. */

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { text as readText } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A request as it came. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, repeated ones included. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export type Handler = (request: Seen, response: ServerResponse) => void;

export interface TestServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly Seen[];
  /** How many connections were ever made. */
  readonly connections: number;
  /** How many are open now. */
  readonly open: number;
  /** How many were closed. */
  readonly closed: number;
}

/** Turns the event loop, without a timer, until something is so; the test's own time limit ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server says no port');
  return address.port;
}

/** Counts a server's connections, and ends them all with the test that started it. */
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

/** Starts a server that is stopped when the test ends. */
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

/** A server that takes connections and keeps silent; `onSocket` may break that silence. */
export function serveTcp(
  onSocket: (socket: Socket) => void = (socket) => socket.resume(),
): Promise<TestServer> {
  return track(createTcpServer(onSocket), []);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON body of a request; an empty object where it has none. */
export function bodyOf({ body }: Seen): Readonly<Record<string, unknown>> {
  const value: unknown = body === '' ? {} : JSON.parse(body);
  if (isObject(value)) return value;
  throw new Error(`no JSON object was posted: ${body.slice(0, 200)}`);
}

/** The bodies of all posts, in order. */
export function posted({ requests }: TestServer): readonly Readonly<Record<string, unknown>>[] {
  return requests.filter(({ method }) => method === 'POST').map(bodyOf);
}

/** An answer in JSON. */
export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** A plain good answer of chat/completions. */
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

/** Takes every request and never answers. */
export const hangs: Handler = () => undefined;

/** What keeps this process alive, by kind. */
export function alive(kind: string): number {
  return process.getActiveResourcesInfo().filter((name) => name === kind).length;
}
