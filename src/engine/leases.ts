/** The spares of this process, and for how long it keeps them. spec 2.11 */

import type { Reservation } from '../core/ledger/reserve.ts';
import { MAX_DELAY_MS } from '../core/limits/limit.ts';
import type { PoolAccount } from '../core/pool.ts';
import type { Target } from '../core/routing/question.ts';
import { SECOND_MS } from '../core/time.ts';
import type { Clock } from '../ports.ts';

/** How long spares are kept after their reservation was stored. */
const LEASE_MS = SECOND_MS;
/** The most spares that are reserved at once. */
const MAX_SPARES = 3;
/** After so many lost races, a reservation is known to contend with other processes. */
const RACES_BEFORE = 2;

/** How long in ms after a decision its spares may be used. `delayMs`: how long storing them takes. */
export function leaseMsAfter(delayMs: number): number {
  return Math.min(delayMs + LEASE_MS, MAX_DELAY_MS);
}

interface Lease {
  readonly spare: Reservation;
  /** Monotonic ms. */
  readonly untilMs: number;
}

export class Leases {
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  #leases: readonly Lease[] = [];
  #isClosed = false;
  #cancelTimer: (() => void) | undefined;
  /** When this process last reserved requests of an account, in monotonic ms, by record id. */
  readonly #reservedMs = new Map<string, readonly number[]>();

  /** @param onEnd - Called when the time of a spare has ended. */
  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  /** The spares that can be used now. */
  current(): readonly Reservation[] {
    if (this.#leases.length === 0) return [];
    const nowMs = this.#clock.monotonicMs();
    return this.#leases.flatMap(({ spare, untilMs }) => (nowMs < untilMs ? [spare] : []));
  }

  /**
   * How many spares a reservation that lost `races` races should make: as many as the process lately reserved of the
   * account, since it will soon need as many again.
   */
  wanted({ recordId }: PoolAccount, races: number): number {
    const has = this.#leases.some(({ spare }) => spare.target.account.recordId === recordId);
    if (races < RACES_BEFORE || has || this.#isClosed) return 0;
    const since = this.#clock.monotonicMs() - LEASE_MS;
    return (this.#reservedMs.get(recordId) ?? []).filter((atMs) => atMs > since).length;
  }

  /**
   * Notes a reservation of an account, and keeps the spares that it made.
   * @param untilMs - Monotonic ms.
   */
  add(account: PoolAccount, spares: readonly Reservation[], untilMs: number): void {
    this.#note(account);
    if (spares.length > 0) this.#keep([...this.#leases, ...spares.map((spare) => ({ spare, untilMs }))]);
  }

  /** Removes a spare because it is used. */
  use(used: Reservation): void {
    this.#note(used.target.account);
    this.#keep(this.#leases.filter(({ spare }) => spare !== used));
  }

  #note({ recordId }: PoolAccount): void {
    const earlier = this.#reservedMs.get(recordId) ?? [];
    this.#reservedMs.set(recordId, [...earlier, this.#clock.monotonicMs()].slice(-MAX_SPARES));
  }

  /** A route of each account that has spares. */
  targets(): readonly Target[] {
    return [
      ...new Map(this.#leases.map(({ spare: { target } }) => [target.account.recordId, target])).values(),
    ];
  }

  /** Removes and returns the spares of an account whose time has ended, or, with `all`, all of it. */
  end({ recordId }: PoolAccount, all: boolean = this.#isClosed): readonly Reservation[] {
    if (this.#leases.length === 0) return [];
    const nowMs = this.#clock.monotonicMs();
    const ended = this.#leases.filter(
      ({ spare, untilMs }) => spare.target.account.recordId === recordId && (all || untilMs <= nowMs),
    );
    this.#keep(this.#leases.filter((lease) => !ended.includes(lease)));
    return ended.map(({ spare }) => spare);
  }

  /** Ends the time of all spares, including those that are being stored. */
  close(): void {
    this.#isClosed = true;
  }

  #keep(leases: readonly Lease[]): void {
    this.#leases = leases;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const [first] = leases;
    if (first === undefined) return;
    const pauseMs = this.#isClosed ? 0 : Math.max(0, first.untilMs - this.#clock.monotonicMs());
    this.#cancelTimer = this.#clock.after(pauseMs, this.#onEnd, true);
  }
}
