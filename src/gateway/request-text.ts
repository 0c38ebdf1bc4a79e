import type { IncomingMessage } from 'node:http';
import { HttpError } from '../http-error.ts';

/**
 * Drains the rest of the body. Most clients read the response only after they have sent everything, and lose it if the
 * connection is closed earlier.
 */
function tooLarge(message: IncomingMessage, maxBytes: number): HttpError {
  message.resume();
  return new HttpError({
    status: 413,
    code: 'request_too_large',
    message: `The request is longer than ${maxBytes} bytes.`,
  });
}

/**
 * Reads the body of a request.
 * @throws HttpError as soon as the body turns out to be longer than `maxBytes`.
 */
export async function readText(message: IncomingMessage, maxBytes: number): Promise<string> {
  if (Number(message.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(message, maxBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  // The response needs the same socket, so leaving the loop early must not destroy it.
  const body: AsyncIterable<Buffer> = message.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(message, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
