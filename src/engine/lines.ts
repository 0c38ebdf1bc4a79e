/** Finds the next route of a call, or a place in a line for it. */

import type { Clock } from '../ports.ts';
import type { Call } from './call.ts';
import { Line, type Served } from './line.ts';
import { andThen, type Maybe, type Turns } from './turns.ts';

/** Told when a call begins to wait: until when, in epoch ms, if nothing changes. */
export type OnWait = (call: Call<unknown>, until: number) => void;

export class Lines {
  readonly #turns: Turns;
  readonly #clock: Clock;
  readonly #onWait: OnWait;
  readonly #lines = new Map<string, Line>();
  #closed: { readonly reason: unknown } | undefined;

  constructor(turns: Turns, clock: Clock, onWait: OnWait) {
    this.#turns = turns;
    this.#clock = clock;
    this.#onWait = onWait;
  }

  /** The next route of a call, booked, or why there is none; waits in line where the call may wait, or comes back. */
  next(call: Call<unknown>): Maybe<Served> {
    if (this.#closed !== undefined) throw this.#closed.reason;
    const line = this.#lines.get(call.line);
    // Whoever waits goes first; only then is what is left looked at.
    return line === undefined
      ? this.#decideOrJoin(call)
      : andThen(line.serve(), () => this.#decideOrJoin(call));
  }

  /** The records have changed: somebody may not have to wait any longer. */
  poke(): void {
    for (const line of this.#lines.values()) void line.serve();
  }

  /** Nobody is served any more: all who wait are sent away with `reason`. */
  close(reason: unknown): void {
    this.#closed = { reason };
    for (const line of this.#lines.values()) line.close(reason);
  }

  #decideOrJoin(call: Call<unknown>): Maybe<Served> {
    const leftMs = call.maxWaitMs - call.waitedMs;
    if (leftMs <= 0) {
      // One that failed comes back after a pause.
      return andThen(this.#turns.decide(call, 0), (turn) =>
        turn.kind === 'wait' ? this.#join(call, turn.until, true) : turn,
      );
    }
    const waitUntil = Math.min(this.#clock.now() + leftMs, call.deadline);
    const line = this.#lines.get(call.line);
    if (line !== undefined && call.tries.length === 0) return line.join(call, waitUntil);
    return andThen(this.#turns.decide(call, waitUntil), (turn) => {
      if (turn.kind !== 'wait') return turn;
      this.#onWait(call, turn.until);
      return this.#join(call, waitUntil);
    });
  }

  #join(call: Call<unknown>, waitUntil: number, pauses = false): Promise<Served> {
    // It may have been closed while the store was asked, or by whoever was told that the call waits.
    if (this.#closed !== undefined) throw this.#closed.reason;
    return this.#lineOf(call.line).join(call, waitUntil, pauses);
  }

  #lineOf(name: string): Line {
    let line = this.#lines.get(name);
    if (line === undefined) {
      const made = new Line(this.#turns, this.#clock, () => {
        if (this.#lines.get(name) === made) this.#lines.delete(name);
      });
      line = made;
      this.#lines.set(name, line);
    }
    return line;
  }
}
