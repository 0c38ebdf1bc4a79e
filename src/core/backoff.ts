/** How long to stay away after the n-th failure in a row. */

/** Doubles from `baseMs` with every earlier trip, up to `maxMs`. */
export function backoffMs(baseMs: number, trips: number, maxMs: number): number {
  return Math.min(baseMs * 2 ** Math.min(trips, 40), maxMs);
}
