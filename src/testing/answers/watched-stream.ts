/** Knows whether everything of a stream was sent before its reader went away. */

import type { SimulatedStream, StreamBody, StreamPiece } from '../exchange.ts';

/**
 * Calls `onAbandoned` at most once, when the reader goes away before it was handed the last piece: whoever leaves after
 * that, say at the sight of `[DONE]`, left nothing behind.
 */
export function watched({ pieces, ends }: StreamBody, onAbandoned: () => void): SimulatedStream {
  let open = true;
  function* handOut(): Generator<StreamPiece> {
    let held: StreamPiece | undefined;
    for (const piece of pieces) {
      if (held !== undefined) yield held;
      held = piece;
    }
    open = false;
    if (held !== undefined) yield held;
  }
  return {
    pieces: handOut(),
    ends,
    abandon: () => {
      if (open) onAbandoned();
      open = false;
    },
  };
}
