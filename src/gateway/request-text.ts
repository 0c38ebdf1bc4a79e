/** The body of a request, up to a bound. */

import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/**
 * What is left of the body is read and thrown away: most clients look for an answer only once all is sent, and to one
 * that is hung up on meanwhile, the answer is lost.
 */
function tooLarge(message: IncomingMessage, maxBytes: number): HttpError {
  message.resume();
  return new HttpError({
    status: 413,
    code: 'request_too_large',
    message: `The request is longer than ${maxBytes} bytes.`,
  });
}

/** @throws Denial when the body is longer than `maxBytes`, as soon as that is known. */
export async function readText(message: IncomingMessage, maxBytes: number): Promise<string> {
  if (Number(message.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(message, maxBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  // The answer goes over the same socket: leaving the loop must not destroy it.
  const body: AsyncIterable<Buffer> = message.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(message, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
