/**
 * Ends an attempt when its time is up or its caller aborts.
 *
 *   state    | event                | next    | effect
 *   ---------+----------------------+---------+---------------------------------------------------
 *   reading  | progress()  content  | reading | limit = idleMs, starts anew; cap starts anew
 *   reading  | alive()  keep-alive  | reading | limit starts anew, but never beyond the cap
 *   reading  | expectEnd(ms)        | reading | limit = ms, starts anew
 *   reading  | pause()              | paused  | the limit stands still
 *   reading  | limit reached        | ended   | `timedOut`; listeners are called
 *   paused   | resume()             | reading | the limit runs on, later by the length of the pause
 *   reading, | deadline reached     | ended   | `timedOut`; listeners are called
 *   paused   | caller aborts        | ended   | `callerLeft`; listeners are called
 *            | end()                | ended   | timer and listener are removed; no listener is called
 *
 * An attempt starts in `reading` with limit = firstMs and cap = capMs.
 */

import { onAbort } from '../abort.ts';
import type { Clock, StopSignal } from '../ports.ts';

/** How long an attempt may take. */
export interface Timeouts {
  /** The longest wait for the first content. */
  readonly firstMs: number;
  /** The longest gap between two pieces of content. */
  readonly idleMs: number;
  /** The longest wait for content while keep-alives arrive. They prove that the connection works, not the model. */
  readonly capMs: number;
  /** Monotonic ms at which the attempt must end. */
  readonly deadline: number;
}

/** A stop signal for one attempt. After `end`, no timer and no listener is left. spec 14.4 */
export class AttemptTimer implements StopSignal {
  aborted = false;
  reason: unknown;
  timedOut = false;
  readonly #clock: Clock;
  readonly #timeouts: Timeouts;
  #listeners: readonly (() => void)[] = [];
  readonly #caller: AbortSignal | undefined;
  #cancelAbort: (() => void) | undefined;
  #limitMs: number;
  #dueAt: number;
  #capAt: number;
  /** Monotonic ms since when the consumer is busy; undefined while the timer waits for the provider. */
  #pausedAt: number | undefined;
  /** Monotonic ms at which the clock's timer fires; Infinity while there is none. */
  #armedFor: number;
  #cancelTimer: () => void;

  /** @param now - Monotonic ms at which the attempt started. */
  constructor(clock: Clock, timeouts: Timeouts, caller: AbortSignal | undefined, now: number) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#caller = caller;
    this.#limitMs = timeouts.firstMs;
    this.#dueAt = Math.min(now + timeouts.firstMs, timeouts.deadline);
    this.#capAt = now + timeouts.capMs;
    this.#armedFor = this.#dueAt;
    // This does not call #arm, because TypeScript would then consider #cancelTimer unset.
    this.#cancelTimer = clock.after(this.#dueAt - now, this.#onTime);
    if (caller?.aborted === true) this.#onAbort();
    else this.#cancelAbort = caller && onAbort(caller, this.#onAbort);
  }

  get callerLeft(): boolean {
    return this.#caller?.aborted === true;
  }

  /** The limit that is running, in milliseconds. */
  get limitMs(): number {
    return this.#limitMs;
  }

  /** Content has arrived. */
  progress(): void {
    const now = this.#clock.monotonicMs();
    this.#limitMs = this.#timeouts.idleMs;
    this.#dueAt = now + this.#limitMs;
    this.#capAt = now + this.#timeouts.capMs;
    if (this.#dueAt < this.#armedFor) this.#arm(now, Math.min(this.#limitMs, this.#timeouts.deadline - now));
  }

  /** A keep-alive has arrived. */
  alive(): void {
    this.#dueAt = Math.max(this.#dueAt, Math.min(this.#clock.monotonicMs() + this.#limitMs, this.#capAt));
  }

  /** The answer is complete. The end of its body may take another `ms`. */
  expectEnd(ms: number): void {
    const now = this.#clock.monotonicMs();
    this.#dueAt = now + ms;
    this.#arm(now, ms);
  }

  /** The consumer is busy with what has arrived. */
  pause(): void {
    this.#pausedAt = this.#clock.monotonicMs();
  }

  /** The consumer wants more. */
  resume(): void {
    if (this.#pausedAt === undefined) return;
    const now = this.#clock.monotonicMs();
    const pausedMs = now - this.#pausedAt;
    this.#pausedAt = undefined;
    this.#dueAt += pausedMs;
    this.#capAt += pausedMs;
    const dueAt = Math.min(this.#dueAt, this.#timeouts.deadline);
    if (dueAt < this.#armedFor && !this.aborted) this.#arm(now, dueAt - now);
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = [...this.#listeners, listener];
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  end(): void {
    this.#cancelTimer();
    this.#cancelAbort?.();
  }

  readonly #onAbort = (): void => {
    this.#abort(this.#caller?.reason);
  };

  /**
   * Parts do not move the clock's timer. If it fires early, it is set again for the time that is left. No timer runs
   * for the limit of a paused attempt: if the consumer never resumed, it would keep the process alive.
   */
  readonly #onTime = (): void => {
    const now = this.#clock.monotonicMs();
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
