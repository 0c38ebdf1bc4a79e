/** An HTTP server on 127.0.0.1 for one simulated provider. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { firstHalf, type SimulatedAnswer, type SimulatedRequest, type SimulatedStream } from '../exchange.ts';
import { encoded } from './encoded.ts';
import { streamBytes, pause } from './stream-bytes.ts';
import type { TimerClock } from '../virtual-clock.ts';

export type RequestHandler = (request: SimulatedRequest) => SimulatedAnswer;

export interface ProviderServer {
  readonly port: number;
  /** Ends all connections and timers. Resolves when the port is free. */
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
 * Resolves when the operating system has accepted the bytes, so that a full socket pauses the stream. Rejects when the
 * client disconnects.
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
  encoding: string | undefined,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  response.flushHeaders();
  const bytes = encoded(streamBytes(stream, realTime, gone), encoding);
  for await (const piece of bytes) await write(response, piece, gone);
  if (stream.ends === 'reset') response.socket?.resetAndDestroy();
  else response.end();
}

function inOnePiece(body: string): SimulatedStream {
  const piece = { bytes: new TextEncoder().encode(body), delayMs: 0 };
  return { pieces: [piece], ends: 'close', abandon: () => {} };
}

async function send(answer: SimulatedAnswer, response: ServerResponse, gone: AbortSignal): Promise<void> {
  const { status, headers, body, fault } = answer;
  if (fault === 'hang') return;
  if (fault === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const encoding = headers['Content-Encoding'];
  if (typeof body !== 'string' || encoding !== undefined) {
    response.writeHead(status, headers);
    await sendStream(typeof body === 'string' ? inOnePiece(body) : body, encoding, response, gone);
    return;
  }
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  // Destroys the socket after the write, because the client must receive half of the body first.
  if (fault === 'cut') response.write(firstHalf(body), () => response.destroy());
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
  const onClose = (): void => {
    if (response.writableFinished) return;
    gone.abort();
    if (typeof answer.body !== 'string') answer.body.abandon();
  };
  if (response.closed) {
    onClose();
    return;
  }
  response.once('close', onClose);
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
      else reject(new Error('The server has no port.'));
    });
  });
}

/** Starts a server on a free port. */
export async function startProviderServer(handler: RequestHandler): Promise<ProviderServer> {
  const server = createServer((message, response) => {
    handle(message, response, handler).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      if (response.closed || response.destroyed || (message.destroyed && !message.complete)) return;
      // Only a custom `reply` can throw. Answers 500, so that the test fails instead of hanging.
      response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' });
      response.end(`The reply function failed: ${String(error)}`);
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
