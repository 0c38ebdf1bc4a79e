/** Compresses bodies, as the header `Content-Encoding` of an answer says. */

import { Readable, type Transform } from 'node:stream';
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib';

/** Flushes after each piece, so that a stream arrives in time. */
const ENCODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGzip({ flush: constants.Z_SYNC_FLUSH }),
  deflate: () => createDeflate({ flush: constants.Z_SYNC_FLUSH }),
  br: () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
};

/** The bytes in the given encoding, or as they are. */
export function encoded(
  bytes: AsyncIterable<Uint8Array>,
  encoding: string | undefined,
): AsyncIterable<Uint8Array> {
  const encoder = ENCODERS[encoding ?? '']?.();
  if (encoder === undefined) return bytes;
  const source = Readable.from(bytes, { objectMode: false });
  source.on('error', (error) => encoder.destroy(error));
  return source.pipe(encoder);
}
