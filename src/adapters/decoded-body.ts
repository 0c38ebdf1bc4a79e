/**
 * Decompresses bodies. Every request asks for `identity`, but some servers and proxies compress anyway
 * (RFC 9110, 12.5.3).
 */

import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import type { Headers } from '../ports.ts';

const GZIP_MAGIC = 0x1f;
/** The first byte of the zlib format with the window size that every encoder uses. */
const ZLIB_MAGIC = 0x78;
/** How JSON and server-sent events begin. */
const PLAIN_START: ReadonlySet<string> = new Set(['{', '[', 'd', ':', ' ', '\n']);

/** The decoder for a body that begins with the byte `first`; undefined if the body is plain. */
function decoderFor(coding: string, first: number): Transform | undefined {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      // A proxy that decompressed a body may have left its header in place.
      return first === GZIP_MAGIC ? createGunzip() : undefined;
    case 'deflate':
      if (first === ZLIB_MAGIC) return createInflate();
      // By the standard, this is the zlib format, but some servers send the bare deflate format.
      return PLAIN_START.has(String.fromCodePoint(first)) ? undefined : createInflateRaw();
    case 'br':
      return createBrotliDecompress();
    default:
      return undefined;
  }
}

/** Resolves when a stream is readable, has ended or has failed. */
function change(source: Readable): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'error', 'close'] as const;
    const settle = (): void => {
      for (const event of events) source.off(event, settle);
      resolve();
    };
    for (const event of events) source.once(event, settle);
  });
}

/** The first byte of a stream, which stays in it; undefined if the stream is empty or has failed. */
async function peek(source: Readable): Promise<number | undefined> {
  for (;;) {
    const chunk: unknown = source.read();
    if (chunk instanceof Uint8Array) {
      source.unshift(chunk);
      return chunk[0];
    }
    if (source.destroyed || source.readableEnded) return undefined;
    await change(source);
  }
}

async function* decoded(
  source: AsyncIterable<Uint8Array>,
  codings: readonly string[],
): AsyncGenerator<Uint8Array> {
  let stream = Readable.from(source, { objectMode: false });
  for (const coding of codings) {
    const first = await peek(stream);
    const decoder = first === undefined ? undefined : decoderFor(coding, first);
    if (decoder === undefined) continue;
    // The pipeline passes errors on in both directions; the reader of the decoder sees them.
    pipeline(stream, decoder, () => undefined);
    stream = decoder;
  }
  const chunks: AsyncIterable<Uint8Array> = stream;
  yield* chunks;
}

/** The body without its content coding. An unknown coding is left as it is. Decodes no faster than the body is read. */
export function decodedBody(headers: Headers, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const header = headers['content-encoding'];
  if (header === undefined) return body;
  const codings = header.toLowerCase().split(',');
  // The last coding applied is removed first.
  return decoded(body, codings.map((coding) => coding.trim()).toReversed());
}
