/** Endpoints that close with their test, and a client that sends exactly what it is given. */

import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type Gateway, type GatewayOptions, startGateway } from '../../src/gateway/index.ts';
import type { FreeLLM } from '../../src/index.ts';

/** Starts an endpoint on a free port. */
export async function gatewayOver(llm: FreeLLM, options: GatewayOptions = {}): Promise<Gateway> {
  const gateway = await startGateway(llm, { port: 0, graceMs: 0, ...options });
  onTestFinished(() => gateway.close());
  return gateway;
}

/** Headers are sent unchanged, `host` and `origin` included. */
export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** Sends a request. The body of the response is still unread. */
export function send(
  gateway: Gateway,
  { path = '/', method, headers, body, signal }: Sent,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port: gateway.port,
        host: '127.0.0.1',
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { ...(body === undefined ? {} : JSON_TYPE), ...headers },
        agent: false,
        ...(signal === undefined ? {} : { signal }),
      },
      resolve,
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

export interface Received {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request and reads the whole response. */
export async function ask(gateway: Gateway, sent: Sent): Promise<Received> {
  const message = await send(gateway, sent);
  return { status: message.statusCode, headers: message.headers, text: await text(message) };
}

/** The body of a chat request. */
export function chat(more: object = {}): string {
  return JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], ...more });
}

export const CHAT = '/v1/chat/completions';

/** One event of a provider's stream. */
export function delta(content: string, finishReason: string | null = null): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finishReason }] })}\n\n`;
}

/** The text in the events of a stream. */
export function textIn(events: string): string {
  return [...events.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('');
}
