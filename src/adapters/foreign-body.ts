import { unlessAborted } from '../abort.ts';
import { ConfigError } from '../errors.ts';

/** A body that keeps the process busy for so long gives way once, so that timers and other calls run. */
const BUSY_MS = 250;

/** Notices when a loop has kept the process busy: promises alone let no timer run. */
class BusyWatch {
  #turned = true;
  #since = 0;

  /** A promise to wait for if the process was busy for too long. */
  next(): Promise<void> | undefined {
    const nowMs = performance.now();
    if (this.#turned) {
      this.#turned = false;
      this.#since = nowMs;
      setImmediate(() => {
        this.#turned = true;
      });
      return undefined;
    }
    return nowMs - this.#since < BUSY_MS ? undefined : new Promise((resolve) => void setImmediate(resolve));
  }
}

/** Closes an iterator that may do anything. Not awaited: a hanging body would block the reader that leaves it. */
function closeQuietly(pieces: AsyncIterator<unknown>): void {
  try {
    const closed: unknown = pieces.return?.();
    if (typeof closed === 'object' && closed !== null && 'then' in closed)
      Promise.resolve(closed).catch(() => undefined);
  } catch {
    // The answer does not depend on it.
  }
}

/** @throws ConfigError if a piece is neither bytes nor a text. */
function bytesOf(piece: unknown, source: string): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  if (typeof piece === 'string') return new TextEncoder().encode(piece);
  if (ArrayBuffer.isView(piece)) return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  throw new ConfigError(`${source} resolved with a body that yields ${typeof piece} instead of Uint8Array.`);
}

/**
 * The chunks of the body of a user's own `fetch` until `signal` aborts, whatever the body does.
 * @throws ConfigError if it yields anything but bytes or texts.
 */
export async function* foreignBody(
  body: AsyncIterable<unknown>,
  signal: AbortSignal,
  source: string,
  finish: () => void,
): AsyncGenerator<Uint8Array> {
  const watch = new BusyWatch();
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
      await watch.next();
    }
  } finally {
    finish();
    if (pieces !== undefined) closeQuietly(pieces);
  }
}
