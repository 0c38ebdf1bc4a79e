/**
 * A queue of calls that wait for the same routes: first come, first served, with one timer for all.
 *
 *   state   | event                              | next    | effect
 *   --------+------------------------------------+---------+-----------------------------------------------
 *   (none)  | join                               | serving | a round starts
 *   idle    | join, behind calls that ask no more| idle    | the call is served in the next round
 *   idle    | a call comes                       | serving | a round starts; it may end at a call that waits for what all do
 *   idle    | join otherwise; wake; timer        | serving | the timer is cleared; a round starts
 *           |                                    |         | (in a shared store, the timer is at most one poll away)
 *   serving | the store answers with a promise   | serving | the round goes on when it is there
 *   serving | join; wake                         | serving | another round follows this one
 *   serving | the round ends, calls are left     | idle    | the timer is set for the earliest moment
 *   any     | abort; close                        | same    | the call is rejected and leaves
 *   any     | the last call leaves               | (none)  | the timer is cleared; the queue is dropped
 *
 * A round asks the ledger for each call from the head on. A call leaves if it gets a reserved route or a reason to give
 * up. Otherwise it has to wait. The round skips calls behind a waiting one if they need at least as much.
 */

import { onAbort } from '../abort.ts';
import { excludedForGood } from '../core/routing/exclusion.ts';
import type { Clock } from '../ports.ts';
import type { Call } from './call.ts';
import { instantOf, toMonotonic } from './instant.ts';
import type { Grant, Ledger } from './ledger.ts';
import type { Blocked } from './line.ts';
import { addBlocked, type BlockedLines, blockedUntil, type InLine, Lines, NO_LINES } from './lines.ts';

/** The final result for a call. */
export type Served = Exclude<Grant, { kind: 'wait' }>;

interface Waiter extends InLine {
  readonly call: Call<unknown>;
  /** A call that may wait no longer stays for the pause before it retries a route. */
  waitUntil: number;
  readonly resolve: (served: Served) => void;
  readonly reject: (reason: unknown) => void;
}

/** One round along the queue. */
interface Round {
  /** The order of the call that was looked at last. */
  order: number;
  /** The earliest moment at which a call may be served, monotonic ms. */
  until: number;
  readonly blocked: Map<string, Blocked>;
  /** What the last round found, if this one ends as soon as all calls are known to wait. */
  readonly last: Rest | undefined;
}

/** What a round finds about the calls that are left. */
interface Rest {
  /** Monotonic ms at which all of them must be looked at again. */
  readonly dueAt: number;
  readonly blocked: BlockedLines;
}

/** What a call needs, as far as it decides how long it waits. */
function demandOf({ needs, failedAttempts }: Call<unknown>): Pick<InLine, 'excluded' | 'size'> {
  return { excluded: excludedForGood(failedAttempts), size: needs.size };
}

export class WaitQueue {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #onEmpty: () => void;
  readonly #waiters = new Lines<Waiter>();
  #arrivals = 0;
  #cancelTimer: (() => void) | undefined;
  /** What the last round found, if a call had to wait. */
  #last: Rest | undefined;
  /** The round under way, if the store answers with promises. */
  #serving: Promise<void> | undefined;
  /** Whether another round must follow. */
  #again = false;

  constructor(ledger: Ledger, clock: Clock, onEmpty: () => void) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#onEmpty = onEmpty;
  }

  /**
   * Queues a call until `waitUntil`, monotonic ms. With `pauses`, it is served then and not before. Rejects with the
   * signal's reason if the call is aborted.
   */
  join(call: Call<unknown>, waitUntil: number, pauses = false): Promise<Served> {
    return new Promise((resolve, reject) => {
      const since = this.#clock.monotonicMs();
      const leave = (): void => {
        call.waitedMs += this.#clock.monotonicMs() - since;
        cancelAbort?.();
        this.#remove(waiter);
      };
      let cancelAbort: (() => void) | undefined;
      const abandon = (): void => {
        waiter.reject(call.signal?.reason);
      };
      this.#arrivals += 1;
      const waiter: Waiter = {
        call,
        order: this.#arrivals,
        ...demandOf(call),
        waitUntil,
        pauses,
        resolve: (served) => {
          leave();
          resolve(served);
        },
        reject: (reason) => {
          leave();
          // oxlint-disable-next-line prefer-promise-reject-errors -- the reason is the caller's own, whatever it is
          reject(reason);
        },
      };
      // The call may have been aborted while the store was asked, or by a listener of the `wait` event.
      if (call.signal?.aborted === true) {
        abandon();
        return;
      }
      cancelAbort = call.signal && onAbort(call.signal, abandon);
      this.#waiters.add(waiter);
      if (blockedUntil(this.#last?.blocked ?? NO_LINES, waiter) === undefined) void this.serve();
    });
  }

  /** Until when a call has to wait behind the others, monotonic ms. Undefined if the ledger must be asked for it. */
  blockedUntil(call: Call<unknown>, waitUntil: number): number | undefined {
    return blockedUntil(this.#last?.blocked ?? NO_LINES, { ...demandOf(call), waitUntil });
  }

  /** Rejects all calls. */
  close(reason: unknown): void {
    for (const waiter of this.#waiters.all()) waiter.reject(reason);
  }

  /**
   * Serves the queue from its head until all calls left have to wait. Returns a promise while the store is asked.
   * @param briefly - Whether the round ends at the first call that has to wait for what all wait for, because this process has
   * changed no record since the last round.
   */
  serve(briefly = false): Promise<void> | undefined {
    if (this.#serving !== undefined) {
      this.#again = true;
      return this.#serving.then(() => this.#serving);
    }
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#again = false;
    const isDue = (this.#last?.dueAt ?? 0) <= this.#clock.monotonicMs();
    const round = this.#run({
      order: 0,
      until: Number.POSITIVE_INFINITY,
      blocked: new Map(),
      last: briefly && !isDue ? this.#last : undefined,
    });
    if (round !== undefined) this.#serving = round;
    return round;
  }

  #run(round: Round): Promise<void> | undefined {
    const now = this.#clock.monotonicMs();
    for (;;) {
      if (round.last !== undefined && round.blocked.has('')) break;
      const waiter = this.#waiters.next(round.order, now, round.blocked);
      if (waiter === undefined) break;
      round.order = waiter.order;
      const waitUntil = waiter.waitUntil <= now ? Number.NEGATIVE_INFINITY : waiter.waitUntil;
      try {
        const grant = this.#ledger.reserveNext(waiter.call, waitUntil);
        if (grant instanceof Promise) return this.#continue(round, waiter, grant);
        this.#hand(waiter, grant, round);
      } catch (error) {
        waiter.reject(error);
      }
    }
    this.#rest(round);
    return undefined;
  }

  /** Continues a round when the store has answered. */
  async #continue(round: Round, waiter: Waiter, grant: Promise<Grant>): Promise<void> {
    try {
      this.#hand(waiter, await grant, round);
    } catch (error) {
      waiter.reject(error);
    }
    await this.#run(round);
  }

  /** Passes a call its grant, or notes until when it has to wait. */
  #hand(waiter: Waiter, grant: Grant, round: Round): void {
    if (!this.#waiters.has(waiter)) {
      // The call left while the store was asked, so its reservation is refunded.
      if (grant.kind === 'attempt')
        void this.#ledger.settle(grant.reservation, { kind: 'aborted', sent: false });
      return;
    }
    if (grant.kind !== 'wait') {
      waiter.resolve(grant);
      return;
    }
    const instant = instantOf(this.#clock);
    const until = toMonotonic(instant, grant.until);
    if (waiter.waitUntil <= instant.monotonicMs) {
      waiter.waitUntil = until;
      this.#waiters.change(waiter);
      return;
    }
    round.until = Math.min(round.until, until);
    const { othersUntil = grant.until } = grant;
    if (othersUntil <= instant.now) return;
    const blocked = { size: waiter.size, until: toMonotonic(instant, othersUntil) };
    round.until = Math.min(round.until, blocked.until);
    addBlocked(round.blocked, waiter.excluded, blocked);
  }

  /** All calls left have to wait: sets the timer for the first of them. spec 2.9 */
  #rest({ until, blocked, last }: Round): void {
    const { pollMs = Number.POSITIVE_INFINITY } = this.#ledger;
    const now = this.#clock.monotonicMs();
    let dueAt = Math.min(until, this.#waiters.dueAt, now + pollMs);
    this.#serving = undefined;
    this.#last = undefined;
    if (blocked.size > 0) {
      // The calls behind were not looked at in a brief round, so what the last round found still holds for them.
      if (last !== undefined) dueAt = Math.min(dueAt, last.dueAt);
      for (const [excluded, found] of last?.blocked ?? NO_LINES) addBlocked(blocked, excluded, found);
      this.#last = { dueAt, blocked };
    }
    if (this.#waiters.isEmpty) return;
    if (this.#again) {
      void this.serve();
      return;
    }
    this.#cancelTimer = this.#clock.after(Math.max(0, dueAt - now), () => void this.serve());
  }

  #remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (!this.#waiters.isEmpty) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#onEmpty();
  }
}
