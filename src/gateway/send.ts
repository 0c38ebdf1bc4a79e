/** Sends an answer at the pace of whoever receives it. */

import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** What every answer says: it is for its reader alone, and no other page may embed it. */
const ALWAYS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * A stream goes out part by part: nothing is taken of it while the socket is full. Everything else is sent at once,
 * with its length.
 */
export async function send(
  response: Response,
  to: ServerResponse,
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const { status, headers, body } = response;
  const said = { ...ALWAYS, ...more, ...Object.fromEntries(headers) };
  if (body === null) {
    to.writeHead(status, said).end();
  } else if (headers.get('content-type')?.startsWith('text/event-stream') === true) {
    to.writeHead(status, said).flushHeaders();
    await pipeline(body, to);
  } else {
    const bytes = Buffer.from(await response.arrayBuffer());
    to.writeHead(status, { ...said, 'content-length': bytes.length }).end(bytes);
  }
}
