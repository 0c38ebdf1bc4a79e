import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { HttpError } from '../http-error.ts';
import type { BodyLease } from './body-budget.ts';

function tooLarge(maxBytes: number): HttpError {
  return new HttpError({
    status: 413,
    code: 'request_too_large',
    message: `The request is longer than ${maxBytes} bytes.`,
  });
}

/** How bodies may be packed. */
const ENCODINGS: ReadonlyMap<string, (() => Transform) | undefined> = new Map([
  ['identity', undefined],
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/** @throws HttpError if the body is packed in a way that is not known. */
function unpackerOf({ headers }: IncomingMessage): Transform | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (ENCODINGS.has(encoding)) return ENCODINGS.get(encoding)?.();
  throw new HttpError({
    status: 415,
    code: 'unsupported_encoding',
    message: `Send the body as it is, or packed by gzip, deflate or br, not as ${encoding}.`,
  });
}

function unreadable(): HttpError {
  return new HttpError({
    status: 400,
    code: 'bad_encoding',
    message: 'The body of the request cannot be unpacked. Its content-encoding may be wrong.',
  });
}

/**
 * Reads the body of a request. If it is refused, its rest is still received and thrown away: most clients read the
 * response only after they have sent everything, and lose it if the connection is closed earlier.
 * @param maxBytes - Counts after the body was unpacked, so that a small one cannot fill the memory.
 * @param lease - Counts the bytes. The caller releases it.
 * @throws HttpError as soon as the body turns out to be longer than `maxBytes`, cannot be unpacked, or has to give way.
 */
export function readText(message: IncomingMessage, maxBytes: number, lease: BodyLease): Promise<string> {
  return new Promise((resolve, reject) => {
    const unpacker = unpackerOf(message);
    const source = unpacker ?? message;
    const chunks: Buffer[] = [];
    let length = 0;
    let isOver = false;
    const stop = (): void => {
      isOver = true;
      source.off('data', onData).off('end', onEnd);
      message.off('close', onClose);
    };
    const fail = (error: unknown): void => {
      stop();
      lease.release();
      message.unpipe();
      unpacker?.destroy();
      message.resume();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      try {
        if (length > maxBytes) throw tooLarge(maxBytes);
        lease.grow(chunk.length);
      } catch (error) {
        fail(error);
        return;
      }
      chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      lease.complete();
      resolve(Buffer.concat(chunks).toString('utf8'));
    };
    const onClose = (): void => {
      // A body that has arrived may still be unpacked.
      if (!message.complete) fail(new Error('the client disconnected'));
    };
    if (Number(message.headers['content-length'] ?? 0) > maxBytes) {
      fail(tooLarge(maxBytes));
      return;
    }
    lease.begin(fail);
    source.on('data', onData).on('end', onEnd);
    message.on('close', onClose);
    if (unpacker === undefined) return;
    unpacker.on('error', () => {
      if (!isOver) fail(unreadable());
    });
    message.pipe(unpacker);
  });
}
