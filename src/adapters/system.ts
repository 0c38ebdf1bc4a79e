/** The real clock, and names that nobody else has. */

import type { Clock } from '../ports.ts';

/** Time as the system tells it. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, callback, background) => {
    const timer = setTimeout(callback, delayMs);
    if (background === true) timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/** A name that no other thing has. */
export function randomId(): string {
  return crypto.randomUUID().replaceAll('-', '');
}
