/** Lets a stream flow: its bytes as they fall due, on whatever time a clock tells. */

import type { StreamBody } from '../exchange.ts';
import type { TimerClock } from '../virtual-clock.ts';

/** Waits on the clock; rejects with the signal's reason. `undefined` waits for ever. */
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
 * The bytes of a stream, each piece waited for only when it is asked for; after a stream that hangs, nothing for ever.
 * Rejects with the signal's reason. A broken connection is left to the caller: here it looks like an end.
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
