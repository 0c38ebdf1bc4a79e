/** What ends an attempt before its answer: its time is up, or the caller walks away. */

import type { Clock, StopSignal } from '../ports.ts';

/** How long an attempt may take. */
export interface Timeouts {
  /** Until the first content. */
  readonly firstMs: number;
  /** Between two contents. */
  readonly idleMs: number;
  /** For either, however many signs of life there are meanwhile: they prove the connection alive, not the model. */
  readonly capMs: number;
  /** Epoch ms at which the attempt ends in any case. */
  readonly deadline: number;
}

/** A signal for one attempt. Leaves neither a timer nor a listener behind once `end` was called. */
export class AttemptTimer implements StopSignal {
  aborted = false;
  reason: unknown;
  timedOut = false;
  readonly #clock: Clock;
  readonly #timeouts: Timeouts;
  readonly #listeners = new Set<() => void>();
  readonly #caller: AbortSignal | undefined;
  #limitMs: number;
  #dueAt: number;
  #capAt: number;
  /** Epoch ms since when the consumer, and not the provider, is what is waited for. */
  #pausedAt: number | undefined;
  /** Epoch ms at which the timer fires; infinite where there is none. */
  #armedFor: number;
  #cancelTimer: () => void;

  constructor(clock: Clock, timeouts: Timeouts, caller: AbortSignal | undefined) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#caller = caller;
    const now = clock.now();
    this.#limitMs = timeouts.firstMs;
    this.#dueAt = Math.min(now + timeouts.firstMs, timeouts.deadline);
    this.#capAt = now + timeouts.capMs;
    this.#armedFor = this.#dueAt;
    // Not through #arm: a field that is set there would count as unset.
    this.#cancelTimer = clock.after(this.#dueAt - now, this.#onTime);
    if (caller?.aborted === true) this.#onAbort();
    else caller?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get callerLeft(): boolean {
    return this.#caller?.aborted === true;
  }

  /** How long has been waited in vain when the time is up. */
  get waitedMs(): number {
    return this.#limitMs;
  }

  /** Content has come: the next may take its own time. */
  progress(): void {
    const now = this.#clock.now();
    this.#limitMs = this.#timeouts.idleMs;
    this.#dueAt = now + this.#limitMs;
    this.#capAt = now + this.#timeouts.capMs;
    if (this.#dueAt < this.#armedFor) this.#arm(now, Math.min(this.#limitMs, this.#timeouts.deadline - now));
  }

  /** A sign of life has come: the limit begins anew, within its cap. */
  alive(): void {
    this.#dueAt = Math.max(this.#dueAt, Math.min(this.#clock.now() + this.#limitMs, this.#capAt));
  }

  /** Nothing more has to come: what still does is waited for no longer than `ms`. */
  expectEnd(ms: number): void {
    const now = this.#clock.now();
    this.#dueAt = now + ms;
    this.#arm(now, ms);
  }

  /** From now on it is the consumer who is waited for. */
  pause(): void {
    this.#pausedAt = this.#clock.now();
  }

  /** From now on it is the provider again; the consumer's time does not count. */
  resume(): void {
    if (this.#pausedAt === undefined) return;
    const now = this.#clock.now();
    const pausedMs = now - this.#pausedAt;
    this.#pausedAt = undefined;
    this.#dueAt += pausedMs;
    this.#capAt += pausedMs;
    const dueAt = Math.min(this.#dueAt, this.#timeouts.deadline);
    if (dueAt < this.#armedFor && !this.aborted) this.#arm(now, dueAt - now);
  }

  /** A consumer who is waited for is waited for without a timer. */
  rest(): void {
    if (this.#pausedAt !== undefined) this.#arm(this.#pausedAt, Number.POSITIVE_INFINITY);
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

  /**
   * The timer is not moved with every part: it looks how things stand when it fires. It is not set for a consumer who
   * takes his time, or who never comes back: it would keep the process alive.
   */
  readonly #onTime = (): void => {
    const now = this.#clock.now();
    const dueAt = this.#pausedAt === undefined ? this.#dueAt : Number.POSITIVE_INFINITY;
    const leftMs = Math.min(dueAt, this.#timeouts.deadline) - now;
    if (leftMs > 0) {
      this.#arm(now, leftMs);
      return;
    }
    this.timedOut = true;
    this.#abort(new Error('the attempt ran out of time'));
  };

  #arm(now: number, delayMs: number): void {
    this.#cancelTimer();
    this.#armedFor = now + delayMs;
    if (delayMs < Number.POSITIVE_INFINITY) this.#cancelTimer = this.#clock.after(delayMs, this.#onTime);
  }

  #abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#cancelTimer();
    for (const listener of this.#listeners) listener();
  }
}
