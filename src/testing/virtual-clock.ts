/** A clock with timers. {@link VirtualClock} and the library's `Clock` implement it. */
export interface TimerClock {
  /** The wall clock, epoch ms. */
  now(): number;
  /** Calls `callback` once after `delayMs`. Returns a function that cancels the timer. */
  after(delayMs: number, callback: () => void): () => void;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Runs all pending promise callbacks, and those that they start. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** After so many steps of work in one moment, the work gives way to timers: it may have no end. */
const STEPS_PER_MOMENT = 10_000;

/** A clock that advances only when a test advances it, so that a day of timers runs in a second. */
export class VirtualClock implements TimerClock {
  readonly #startedAt: number;
  /** What the wall clock would show if it had never been set, epoch ms. */
  #now: number;
  /** How far the wall clock was set, ms. */
  #setByMs = 0;
  #timers: Timer[] = [];
  /** The steps of work since the last timer. */
  #steps = 0;

  /** @param now - epoch ms */
  constructor(now: number) {
    this.#startedAt = now;
    this.#now = now;
  }

  /** The wall clock, epoch ms. */
  now(): number {
    return this.#now + this.#setByMs;
  }

  /** Milliseconds since the clock was made, whatever the wall clock was set to. */
  monotonicMs(): number {
    return this.#now - this.#startedAt;
  }

  /** Sets the wall clock forwards by `byMs`, or backwards if it is negative. Timers and `monotonicMs()` do not notice. */
  setWallClock(byMs: number): void {
    this.#setByMs += byMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), callback };
    // Timers of the same time fire in the order in which they were set.
    const behind = this.#timers.findIndex(({ at }) => at > timer.at);
    this.#timers.splice(behind === -1 ? this.#timers.length : behind, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Long work calls this between its steps. Work that does not end in one moment gives way to the timers. */
  yieldIfBusy(): Promise<void> | undefined {
    this.#steps += 1;
    return this.#steps % STEPS_PER_MOMENT === 0 ? settle() : undefined;
  }

  /** The number of timers that are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Advances by `ms`. Promise callbacks that a timer starts run before the next timer fires. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    while (this.#fireNext(until)) await settle();
    this.#now = until;
  }

  /**
   * Advances, timer by timer, until the promise settles. Returns a promise with the same outcome.
   * @throws Error (as a rejection) if the promise is pending and no timer is left.
   */
  async run<Value>(promise: Promise<Value>): Promise<Value> {
    const state = { settled: false };
    const note = (): void => {
      state.settled = true;
    };
    promise.then(note, note);
    await settle();
    while (!state.settled) {
      if (!this.#fireNext(Infinity)) {
        throw new Error(
          'The promise is pending and this clock has no timer, so the promise can never settle.',
        );
      }
      await settle();
    }
    return promise;
  }

  #fireNext(until: number): boolean {
    const [next] = this.#timers;
    if (next === undefined || next.at > until) return false;
    this.#timers.shift();
    this.#now = next.at;
    this.#steps = 0;
    next.callback();
    return true;
  }
}
