import { unlessAborted } from '../abort.ts';
import { ConfigError } from '../errors.ts';
import type { Clock } from '../ports.ts';

/** Closes an iterator that may do anything. Not awaited: a hanging body would block the reader that leaves it. */
function closeQuietly(pieces: AsyncIterator<unknown>): void {
  try {
    const closed: unknown = pieces.return?.();
    if (typeof closed === 'object' && closed !== null && 'then' in closed)
      Promise.resolve(closed).catch(() => undefined);
  } catch {
    // The answer does not depend on closing.
  }
}

/** Whether a body can be read in pieces. */
export function isIterable(body: unknown): body is AsyncIterable<unknown> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

/** Cancels the body of a response that arrives after `signal` has aborted. Ignores any other result. */
export function cancelLate(response: Promise<{ readonly body: unknown }>, signal: AbortSignal): void {
  const cancel = ({ body }: { readonly body: unknown }): void => {
    if (signal.aborted && isIterable(body)) closeQuietly(body[Symbol.asyncIterator]());
  };
  response.then(cancel).catch(() => undefined);
}

/** @throws ConfigError if a piece is neither bytes nor a text. */
function bytesOf(piece: unknown, source: string): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  if (typeof piece === 'string') return new TextEncoder().encode(piece);
  if (ArrayBuffer.isView(piece)) return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  throw new ConfigError(`${source} resolved with a body that yields ${typeof piece} instead of Uint8Array.`);
}

/** How a foreign body is read. */
interface Reading {
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'yieldIfBusy'>;
  /** The source of the body, for error messages. */
  readonly source: string;
  /** Called when nothing more is read. */
  readonly finish: () => void;
}

/**
 * Yields the chunks of the body of a user's own `fetch`. Stops when `signal` aborts, even if the body hangs.
 * @throws ConfigError if it yields anything other than bytes or texts.
 */
export async function* foreignBody(
  body: AsyncIterable<unknown>,
  { signal, clock, source, finish }: Reading,
): AsyncGenerator<Uint8Array> {
  let pieces: AsyncIterator<unknown> | undefined;
  try {
    pieces = body[Symbol.asyncIterator]();
    for (;;) {
      const next = await unlessAborted(Promise.resolve(pieces.next()), signal);
      if (next.done === true) {
        pieces = undefined;
        return;
      }
      yield bytesOf(next.value, source);
      // While only promises settle, no timer can run.
      await clock.yieldIfBusy?.();
    }
  } finally {
    finish();
    if (pieces !== undefined) closeQuietly(pieces);
  }
}
