/** Reads a whole body as text, up to a bound. */

/** The body is longer than is believable for an answer. */
export class BodyTooLargeError extends Error {
  static override readonly name: string = 'BodyTooLargeError';
}

/**
 * Reads `body` to its end as UTF-8.
 * @throws BodyTooLargeError beyond `maxBytes`; what is left of the body is then not read.
 */
export async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BodyTooLargeError(`the answer is longer than ${maxBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
