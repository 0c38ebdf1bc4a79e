import type { IncomingMessage } from 'node:http';
import { HttpError } from '../http-error.ts';
import type { BodyLease } from './body-budget.ts';

function tooLarge(maxBytes: number): HttpError {
  return new HttpError({
    status: 413,
    code: 'request_too_large',
    message: `The request is longer than ${maxBytes} bytes.`,
  });
}

/**
 * Reads the body of a request. If it is refused, its rest is still received and thrown away: most clients read the
 * response only after they have sent everything, and lose it if the connection is closed earlier.
 * @param lease - Counts the bytes. The caller releases it.
 * @throws HttpError as soon as the body turns out to be longer than `maxBytes`, or has to give way.
 */
export function readText(message: IncomingMessage, maxBytes: number, lease: BodyLease): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const stop = (): void => {
      message.off('data', onData).off('end', onEnd).off('close', onClose);
    };
    const fail = (error: unknown): void => {
      stop();
      lease.release();
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
      fail(new Error('the client disconnected'));
    };
    if (Number(message.headers['content-length'] ?? 0) > maxBytes) {
      fail(tooLarge(maxBytes));
      return;
    }
    lease.begin(fail);
    message.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}
