/** The queues of a pool: one for the calls that ask for the same models. */

import type { Clock } from '../ports.ts';
import type { Call } from './call.ts';
import { instantOf, toMonotonic, toWall } from './instant.ts';
import type { Ledger } from './ledger.ts';
import { andThen, type Maybe } from './stored-records.ts';
import { type Served, WaitQueue } from './wait-queue.ts';

/** Called when a call begins to wait. `until` is in epoch ms. */
export type OnWait = (call: Call<unknown>, until: number) => void;

export class WaitQueues {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #onWait: OnWait;
  readonly #queues = new Map<string, WaitQueue>();
  #closed: { readonly reason: unknown } | undefined;

  constructor(ledger: Ledger, clock: Clock, onWait: OnWait) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#onWait = onWait;
  }

  /** Reserves the next route of a call. Waits if the call may wait, or pauses before a retry. */
  next(call: Call<unknown>): Maybe<Served> {
    if (this.#closed !== undefined) throw this.#closed.reason;
    const queue = this.#queues.get(call.queueKey);
    // Calls that are already waiting go first.
    return queue === undefined
      ? this.#reserveOrJoin(call)
      : andThen(queue.serve(true), () => this.#reserveOrJoin(call));
  }

  /** Must be called when records have changed, since a waiting call may now be served. */
  wake(): void {
    for (const queue of this.#queues.values()) void queue.serve();
  }

  /** Rejects all calls that wait, and all that come later. */
  close(reason: unknown): void {
    this.#closed = { reason };
    for (const queue of this.#queues.values()) queue.close(reason);
  }

  #reserveOrJoin(call: Call<unknown>): Maybe<Served> {
    const leftMs = call.maxWaitMs - call.waitedMs;
    if (leftMs <= 0) {
      // A call that may not wait still pauses before it retries a route that failed.
      return andThen(this.#ledger.reserveNext(call, Number.NEGATIVE_INFINITY), (grant) =>
        grant.kind === 'wait'
          ? this.#join(call, toMonotonic(instantOf(this.#clock), grant.until), true)
          : grant,
      );
    }
    const waitUntil = Math.min(this.#clock.monotonicMs() + leftMs, call.deadline);
    const queue = call.failedAttempts.length === 0 ? this.#queues.get(call.queueKey) : undefined;
    const blockedUntil = queue?.blockedUntil(call, waitUntil);
    if (blockedUntil !== undefined) {
      this.#onWait(call, toWall(instantOf(this.#clock), blockedUntil));
      return this.#join(call, waitUntil);
    }
    return andThen(this.#ledger.reserveNext(call, waitUntil), (grant) => {
      if (grant.kind !== 'wait') return grant;
      this.#onWait(call, grant.until);
      return this.#join(call, waitUntil);
    });
  }

  #join(call: Call<unknown>, waitUntil: number, pauses = false): Promise<Served> {
    // The pool may have been closed while the store was asked, or by a listener of the `wait` event.
    if (this.#closed !== undefined) throw this.#closed.reason;
    return this.#queueOf(call.queueKey).join(call, waitUntil, pauses);
  }

  #queueOf(name: string): WaitQueue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      const made = new WaitQueue(this.#ledger, this.#clock, () => {
        if (this.#queues.get(name) === made) this.#queues.delete(name);
      });
      queue = made;
      this.#queues.set(name, queue);
    }
    return queue;
  }
}
