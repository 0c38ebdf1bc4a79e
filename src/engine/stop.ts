/** What ends an attempt before its answer: its time is up, or the caller walks away. */

import type { Clock, StopSignal } from '../ports.ts';

/** A signal for one attempt. Leaves neither a timer nor a listener behind once `end` was called. */
export class Stop implements StopSignal {
  aborted = false;
  reason: unknown;
  timedOut = false;
  readonly #listeners = new Set<() => void>();
  readonly #caller: AbortSignal | undefined;
  readonly #cancelTimer: () => void;

  constructor(clock: Clock, budgetMs: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#cancelTimer = clock.after(budgetMs, () => {
      this.timedOut = true;
      this.#abort(new Error('the attempt ran out of time'));
    });
    if (caller?.aborted === true) this.#onAbort();
    else caller?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get callerLeft(): boolean {
    return this.#caller?.aborted === true;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  end(): void {
    this.#cancelTimer();
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#abort(this.#caller?.reason);
  };

  #abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.#listeners) listener();
  }
}
