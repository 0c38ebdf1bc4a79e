export class BodyTooLargeError extends Error {
  static override readonly name: string = 'BodyTooLargeError';
}

const decoder = new TextDecoder();

/** The bytes of some chunks, which are `length` together. */
export function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/**
 * Reads a body to its end as UTF-8.
 * @throws BodyTooLargeError if the body exceeds `maxBytes`; the rest of it is not read.
 */
export async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new BodyTooLargeError(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const [first] = chunks;
  return decoder.decode(chunks.length === 1 ? first : concat(chunks, length));
}
