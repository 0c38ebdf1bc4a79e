/** A real HTTP server on 127.0.0.1 over the rules of one provider. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { SimulatedAnswer, SimulatedRequest, SimulatedStream } from '../exchange.ts';
import { streamBytes, pause } from './stream-bytes.ts';
import type { TimerClock } from '../virtual-clock.ts';

/** Answers one request; the world's rules at the world's time. */
export type RequestHandler = (request: SimulatedRequest) => SimulatedAnswer;

/** A server that listens. */
export interface ProviderServer {
  readonly port: number;
  /** Ends every connection and timer; resolves when the port is free. */
  close(): Promise<void>;
}

const realTime: TimerClock = {
  now: Date.now,
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};

function headersOf(message: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  }
  return headers;
}

/**
 * Resolves when the system has taken the bytes: while the socket is full, nothing more is made. Bytes that it never
 * takes are given up when the client goes away.
 */
function write(response: ServerResponse, bytes: Uint8Array, gone: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(gone.reason);
    };
    gone.addEventListener('abort', stop, { once: true });
    response.write(bytes, (error) => {
      gone.removeEventListener('abort', stop);
      if (error) reject(error);
      else resolve();
    });
  });
}

async function sendStream(
  stream: SimulatedStream,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  response.flushHeaders();
  for await (const bytes of streamBytes(stream, realTime, gone)) await write(response, bytes, gone);
  if (stream.ends === 'reset') response.socket?.resetAndDestroy();
  else response.end();
}

async function send(answer: SimulatedAnswer, response: ServerResponse, gone: AbortSignal): Promise<void> {
  const { status, headers, body, fault } = answer;
  if (fault === 'hang') return;
  if (fault === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  if (typeof body !== 'string') {
    response.writeHead(status, headers);
    await sendStream(body, response, gone);
    return;
  }
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  // Destroyed only once the half is on its way: the client must see a body that breaks off, not no body.
  if (fault === 'cut') response.write(body.slice(0, Math.floor(body.length / 2)), () => response.destroy());
  else response.end(body);
}

async function handle(
  message: IncomingMessage,
  response: ServerResponse,
  handler: RequestHandler,
): Promise<void> {
  const body = await text(message);
  const { method = 'GET', url = '/' } = message;
  const answer = handler({ method, path: url, headers: headersOf(message), body });
  const gone = new AbortController();
  const leave = (): void => {
    if (response.writableFinished) return;
    gone.abort();
    if (typeof answer.body !== 'string') answer.body.abandon();
  };
  if (response.closed) {
    leave();
    return;
  }
  response.once('close', leave);
  if (answer.delayMs > 0) await pause(realTime, answer.delayMs, gone.signal);
  await send(answer, response, gone.signal);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('The server listens, but says no port.'));
    });
  });
}

/** Starts a server on a port that the system chooses. */
export async function startProviderServer(handler: RequestHandler): Promise<ProviderServer> {
  const server = createServer((message, response) => {
    handle(message, response, handler).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      if (response.closed || response.destroyed || (message.destroyed && !message.complete)) return;
      // Only the user's own `reply` can throw; a test must see that, not a hang.
      response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' });
      response.end(`The world could not answer: ${String(error)}`);
    });
  });
  const port = await listen(server);
  return {
    port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => {
          if (error === undefined) resolve();
          else reject(error);
        });
        server.closeAllConnections();
      }),
  };
}
