/** The body of a request, up to a bound. */

import type { IncomingMessage } from 'node:http';
import { Denial } from './denial.ts';

/** What is left of the body is not read: the connection ends with the answer. */
function tooLarge(maxBytes: number): Denial {
  return new Denial({
    status: 413,
    code: 'request_too_large',
    message: `The request is longer than ${maxBytes} bytes.`,
    headers: { connection: 'close' },
  });
}

/** @throws Denial when the body is longer than `maxBytes`, as soon as that is known. */
export async function readText(message: IncomingMessage, maxBytes: number): Promise<string> {
  if (Number(message.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  // The answer goes over the same socket: leaving the loop must not destroy it.
  const body: AsyncIterable<Buffer> = message.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
