import type { ServerResponse } from 'node:http';
import type { BodyLease } from './body-budget.ts';
import { pipeline } from 'node:stream/promises';

/** Responses must not be cached, sniffed or embedded by other pages. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};

/** The types of streamed answers: events, and lines of JSON. */
const STREAMED = /^(?:text\/event-stream|application\/x-ndjson)\b/;

/**
 * Sends a response. A streamed answer goes out part by part and is not read while the socket is full. Every other body is
 * sent at once, with its length, and counts until the client has read it.
 */
export async function send(
  response: Response,
  to: ServerResponse,
  extraHeaders: Readonly<Record<string, string>>,
  lease: BodyLease,
): Promise<void> {
  const { status, body } = response;
  const headers = { ...SECURITY_HEADERS, ...extraHeaders, ...Object.fromEntries(response.headers) };
  if (body === null) {
    to.writeHead(status, headers).end();
  } else if (STREAMED.test(response.headers.get('content-type') ?? '')) {
    to.writeHead(status, headers).flushHeaders();
    await pipeline(body, to);
  } else {
    const bytes = Buffer.from(await response.arrayBuffer());
    lease.hold(bytes.length);
    to.writeHead(status, { ...headers, 'content-length': bytes.length }).end(bytes);
  }
}
