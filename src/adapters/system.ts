import type { Clock } from '../ports.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  // Whole milliseconds, since people read the spans that are measured by it.
  monotonicMs: () => Math.floor(performance.now()),
  after: (delayMs, callback, background) => {
    const timer = setTimeout(callback, delayMs);
    if (background === true) timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/** A random number from 0 to below 1. */
export function randomShare(): number {
  return Math.random();
}

/** A random id of 32 hexadecimal digits. */
export function randomId(): string {
  return crypto.randomUUID().replaceAll('-', '');
}
