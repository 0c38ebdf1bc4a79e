/** A real HTTP server on 127.0.0.1 over the rules of one provider. */

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { SimulatedAnswer, SimulatedRequest } from './exchange.ts';

/** Answers one request; the world's rules at the world's time. */
export type Answerer = (request: SimulatedRequest) => SimulatedAnswer;

/** A server that listens. */
export interface ProviderServer {
  readonly port: number;
  /** Ends every connection and timer; resolves when the port is free. */
  close(): Promise<void>;
}

function headersOf(message: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  }
  return headers;
}

function send(answer: SimulatedAnswer, response: ServerResponse): void {
  const { status, headers, body, fault } = answer;
  if (fault === 'hang') return;
  if (fault === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const chunks = typeof body === 'string' ? [body] : body;
  const whole = chunks.join('');
  if (fault === 'cut') {
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(whole) });
    // Destroyed only once the half is on its way: the client must see a body that breaks off, not no body.
    response.write(whole.slice(0, Math.floor(whole.length / 2)), () => response.destroy());
    return;
  }
  if (typeof body === 'string') {
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
    return;
  }
  response.writeHead(status, headers);
  for (const chunk of chunks) response.write(chunk);
  response.end();
}

async function handle(message: IncomingMessage, response: ServerResponse, answerer: Answerer): Promise<void> {
  const body = await text(message);
  const { method = 'GET', url = '/' } = message;
  const answer = answerer({ method, path: url, headers: headersOf(message), body });
  if (response.closed) return;
  if (answer.delayMs === 0) {
    send(answer, response);
    return;
  }
  const timer = setTimeout(() => {
    send(answer, response);
  }, answer.delayMs);
  response.once('close', () => {
    clearTimeout(timer);
  });
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
export async function startProviderServer(answerer: Answerer): Promise<ProviderServer> {
  const server = createServer((message, response) => {
    handle(message, response, answerer).catch((error: unknown) => {
      if (message.destroyed && !message.complete) return;
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
