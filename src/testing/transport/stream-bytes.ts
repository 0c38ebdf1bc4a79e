/** Yields the bytes of a stream as they fall due on a clock. */

import type { StreamBody } from '../exchange.ts';
import type { TimerClock } from '../virtual-clock.ts';

/** Waits on a clock. An `undefined` delay never ends. Rejects with the signal's reason on abort. */
export function pause(clock: TimerClock, delayMs: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let cancel: (() => void) | undefined;
    const stop = (): void => {
      cancel?.();
      reject(signal.reason);
    };
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    if (delayMs === undefined) return;
    cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
  });
}

/**
 * Yields each piece after its delay, which starts when the consumer asks for the piece. After a stream that hangs, it
 * waits until the abort. Rejects with the signal's reason on abort. The caller has to handle `ends: 'reset'`.
 */
export async function* streamBytes(
  { pieces, ends }: StreamBody,
  clock: TimerClock,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  for (const { bytes, delayMs } of pieces) {
    signal.throwIfAborted();
    if (delayMs > 0) await pause(clock, delayMs, signal);
    yield bytes;
  }
  if (ends === 'hang') await pause(clock, undefined, signal);
}
