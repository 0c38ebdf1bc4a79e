import type { Clock } from '../ports.ts';

/** How long the process may be busy before long work gives way, in ms. */
const BUSY_MS = 40;
/** For so long after a turn of the event loop, the process is not busy, in ms. To look for each turn would cost more. */
const FRESH_MS = 5;
/** When the process became busy, in monotonic ms; undefined if no turn of the event loop is awaited. */
let busySince: number | undefined;
/** When the last awaited turn of the event loop came, in monotonic ms. */
let turnedAt = Number.NEGATIVE_INFINITY;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Shared by all work of the process, because many short pieces of work in one turn delay timers, too. */
function yieldIfBusy(): Promise<void> | undefined {
  const nowMs = performance.now();
  if (busySince !== undefined) return nowMs - busySince < BUSY_MS ? undefined : nextTurn();
  if (nowMs - turnedAt < FRESH_MS) return undefined;
  busySince = nowMs;
  setImmediate(() => {
    busySince = undefined;
    turnedAt = performance.now();
  });
  return undefined;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  // Whole milliseconds, because people read the measured spans.
  monotonicMs: () => Math.floor(performance.now()),
  after: (delayMs, callback, background) => {
    const timer = setTimeout(callback, delayMs);
    if (background === true) timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
  yieldIfBusy,
};

/** A random number from 0 to below 1. */
export function randomShare(): number {
  return Math.random();
}

/** A random id of 32 hexadecimal digits. */
export function randomId(): string {
  return crypto.randomUUID().replaceAll('-', '');
}
