import type { Clock, StateStore } from '../ports.ts';

/** A clock that shows the store's time, so that machines whose clocks differ agree about the moments in shared records. spec 2.7 */
export function storeClock(clock: Clock, store: StateStore | undefined): Clock {
  if (store === undefined) return clock;
  const offsetMs = (): number => {
    const { clockOffsetMs } = store;
    return clockOffsetMs !== undefined && Number.isFinite(clockOffsetMs) ? clockOffsetMs : 0;
  };
  return {
    now: () => clock.now() + offsetMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, callback, background) => clock.after(delayMs, callback, background),
    yieldIfBusy: () => clock.yieldIfBusy?.(),
  };
}
