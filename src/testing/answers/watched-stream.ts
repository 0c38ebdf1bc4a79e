import type { SimulatedStream, StreamBody, StreamPiece } from '../exchange.ts';

/**
 * Calls `onAbandoned` if the client disconnects before the last piece is handed out. A client that disconnects later, e.g.
 * after it has read `[DONE]`, has received everything.
 */
export function watched({ pieces, ends }: StreamBody, onAbandoned: () => void): SimulatedStream {
  let open = true;
  function* watch(): Generator<StreamPiece> {
    let held: StreamPiece | undefined;
    for (const piece of pieces) {
      if (held !== undefined) yield held;
      held = piece;
    }
    open = false;
    if (held !== undefined) yield held;
  }
  return {
    pieces: watch(),
    ends,
    abandon: () => {
      if (open) onAbandoned();
      open = false;
    },
  };
}
