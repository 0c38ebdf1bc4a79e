/** A clock that stands still until it is told to go on: a day of timers in a second. */

/** Time with timers. The library's `Clock` is one; so is {@link VirtualClock}. */
export interface TimerClock {
  /** Epoch ms. */
  now(): number;
  /** Calls `callback` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Lets everything that is already due in this process happen: promise callbacks, and what they start. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A clock in the hands of a test. */
export class VirtualClock implements TimerClock {
  #now: number;
  #timers: Timer[] = [];

  /** @param now - epoch ms */
  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), callback };
    // Behind those of the same moment: timers of one moment fire in the order in which they were set.
    const behind = this.#timers.findIndex(({ at }) => at > timer.at);
    this.#timers.splice(behind === -1 ? this.#timers.length : behind, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Goes on by `ms`, timer by timer; what a timer sets in motion happens before the next one fires. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    while (this.#fireNext(until)) await settle();
    this.#now = until;
  }

  /**
   * Goes on, timer by timer, until the promise is settled, and hands on how it was.
   * @throws Error when no timer is left and the promise still waits.
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
        throw new Error('The promise waits, but no timer is set on this clock: it can never be settled.');
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
    next.callback();
    return true;
  }
}
