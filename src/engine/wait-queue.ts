/** One line of calls that wait for the same routes: first come first served, one timer for them all. */

import type { Clock } from '../ports.ts';
import type { Call } from './call.ts';
import { type Grant, type Ledger, andThen, type Maybe } from './ledger.ts';

/** What a call gets in the end: it never has to wait by itself. */
export type Served = Exclude<Grant, { kind: 'wait' }>;

interface Waiter {
  readonly call: Call<unknown>;
  /** Epoch ms at which it stops waiting. */
  readonly waitUntil: number;
  /** Whether nothing is of use to it before. */
  readonly pauses: boolean;
  readonly resolve: (served: Served) => void;
  readonly reject: (reason: unknown) => void;
}

/** One walk along the line. */
interface Round {
  readonly waiters: readonly Waiter[];
  next: number;
  /** The earliest moment at which somebody's time comes, epoch ms. */
  until: number;
  blocked: Blocked | undefined;
}

/** When a call that has not failed yet has to wait, so has everyone who asks no less: who has failed may use no more. */
interface Blocked {
  /** Epoch ms. */
  readonly until: number;
  /** The length of the shortest of their requests: what is too long for one model may be waiting for another. */
  readonly size: number;
}

/** Whether asking for a waiter would be in vain, and waiting is not. */
function isBehind({ call, waitUntil }: Waiter, blocked: Blocked | undefined): boolean {
  return blocked !== undefined && call.needs.size >= blocked.size && waitUntil >= blocked.until;
}

export class WaitQueue {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #onEmpty: () => void;
  readonly #waiters = new Set<Waiter>();
  #cancelTimer: (() => void) | undefined;
  /** What the last round found. */
  #blocked: Blocked | undefined;
  /** A store that answers later is being asked; whoever comes meanwhile asks for another round. */
  #serving: Promise<void> | undefined;
  #again = false;

  constructor(ledger: Ledger, clock: Clock, onEmpty: () => void) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#onEmpty = onEmpty;
  }

  /**
   * Lines a call up until `waitUntil`, epoch ms; one that `pauses` is served then and not before. Rejects with the signal's
   * reason when the call is aborted.
   */
  join(call: Call<unknown>, waitUntil: number, pauses = false): Promise<Served> {
    return new Promise((resolve, reject) => {
      const since = this.#clock.now();
      const leave = (): void => {
        call.waitedMs += Math.max(0, this.#clock.now() - since);
        call.signal?.removeEventListener('abort', onAbort);
        this.#remove(waiter);
      };
      const onAbort = (): void => {
        waiter.reject(call.signal?.reason);
      };
      const waiter: Waiter = {
        call,
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
      // It may have been aborted while the store was asked, or by whoever was told that it waits.
      if (call.signal?.aborted === true) {
        onAbort();
        return;
      }
      call.signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      // Whoever joins behind others is served with them.
      if (!isBehind(waiter, this.#blocked)) void this.serve();
    });
  }

  /** Sends everybody away. */
  close(reason: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(reason);
  }

  /** Serves the line from its head until everybody left in it has to wait. A promise while the store is being asked. */
  serve(): Promise<void> | undefined {
    if (this.#serving !== undefined) {
      this.#again = true;
      return this.#serving.then(() => this.#serving);
    }
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#again = false;
    const walk = this.#walk({
      waiters: [...this.#waiters],
      next: 0,
      until: Number.POSITIVE_INFINITY,
      blocked: undefined,
    });
    if (walk !== undefined) this.#serving = walk;
    return walk;
  }

  #walk(round: Round): Promise<void> | undefined {
    while (round.next < round.waiters.length) {
      const waiter = round.waiters[round.next];
      round.next += 1;
      if (waiter === undefined || !this.#waiters.has(waiter)) continue;
      const expired = waiter.waitUntil <= this.#clock.now();
      if (!expired) round.until = Math.min(round.until, waiter.waitUntil);
      if (!expired && (waiter.pauses || isBehind(waiter, round.blocked))) continue;
      try {
        const turn = this.#ledger.reserveNext(waiter.call, expired ? 0 : waiter.waitUntil);
        if (turn instanceof Promise) return this.#walkOn(round, waiter, turn);
        this.#hand(waiter, turn, round);
      } catch (error) {
        waiter.reject(error);
      }
    }
    this.#rest(round);
    return undefined;
  }

  /** Goes on with a walk when a store that answers later has answered. */
  async #walkOn(round: Round, waiter: Waiter, turn: Promise<Grant>): Promise<void> {
    try {
      this.#hand(waiter, await turn, round);
    } catch (error) {
      waiter.reject(error);
    }
    await this.#walk(round);
  }

  /** Hands a waiter its turn, or notes until when it has to wait. */
  #hand(waiter: Waiter, turn: Grant, round: Round): void {
    if (!this.#waiters.has(waiter)) {
      // It walked away while the store was being asked: what was booked for it is free again.
      if (turn.kind === 'attempt')
        void this.#ledger.settle(turn.reservation, { kind: 'abandoned', sent: false });
      return;
    }
    if (turn.kind !== 'wait') {
      waiter.resolve(turn);
      return;
    }
    round.until = Math.min(round.until, turn.until);
    if (waiter.call.failedAttempts.length > 0) return;
    const { until, size } = round.blocked ?? { until: turn.until, size: waiter.call.needs.size };
    round.blocked = {
      until: Math.min(until, turn.until),
      size: Math.min(size, waiter.call.needs.size),
    };
  }

  /** Everybody left has to wait: one timer for the first of them whose time comes. */
  #rest({ until, blocked }: Round): void {
    this.#serving = undefined;
    this.#blocked = blocked;
    if (this.#waiters.size === 0) return;
    if (this.#again) {
      void this.serve();
      return;
    }
    this.#cancelTimer = this.#clock.after(Math.max(0, until - this.#clock.now()), () => void this.serve());
  }

  #remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#onEmpty();
  }
}

/** Told when a call begins to wait: until when, in epoch ms, if nothing changes. */
export type OnWait = (call: Call<unknown>, until: number) => void;

export class WaitQueues {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #onWait: OnWait;
  readonly #lines = new Map<string, WaitQueue>();
  #closed: { readonly reason: unknown } | undefined;

  constructor(ledger: Ledger, clock: Clock, onWait: OnWait) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#onWait = onWait;
  }

  /** The next route of a call, booked, or why there is none; waits in line where the call may wait, or comes back. */
  next(call: Call<unknown>): Maybe<Served> {
    if (this.#closed !== undefined) throw this.#closed.reason;
    const line = this.#lines.get(call.queueKey);
    // Whoever waits goes first; only then is what is left looked at.
    return line === undefined
      ? this.#decideOrJoin(call)
      : andThen(line.serve(), () => this.#decideOrJoin(call));
  }

  /** The records have changed: somebody may not have to wait any longer. */
  wake(): void {
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
      return andThen(this.#ledger.reserveNext(call, 0), (turn) =>
        turn.kind === 'wait' ? this.#join(call, turn.until, true) : turn,
      );
    }
    const waitUntil = Math.min(this.#clock.now() + leftMs, call.deadline);
    const line = this.#lines.get(call.queueKey);
    if (line !== undefined && call.failedAttempts.length === 0) return line.join(call, waitUntil);
    return andThen(this.#ledger.reserveNext(call, waitUntil), (turn) => {
      if (turn.kind !== 'wait') return turn;
      this.#onWait(call, turn.until);
      return this.#join(call, waitUntil);
    });
  }

  #join(call: Call<unknown>, waitUntil: number, pauses = false): Promise<Served> {
    // It may have been closed while the store was asked, or by whoever was told that the call waits.
    if (this.#closed !== undefined) throw this.#closed.reason;
    return this.#lineOf(call.queueKey).join(call, waitUntil, pauses);
  }

  #lineOf(name: string): WaitQueue {
    let line = this.#lines.get(name);
    if (line === undefined) {
      const made = new WaitQueue(this.#ledger, this.#clock, () => {
        if (this.#lines.get(name) === made) this.#lines.delete(name);
      });
      line = made;
      this.#lines.set(name, line);
    }
    return line;
  }
}
