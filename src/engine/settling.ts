/**
 * Collects outcomes of attempts that wait for their turn. Outcomes that change the same records are stored together.
 * spec 2.11
 */

import type { Reservation, RouteRecords } from '../core/ledger/reserve.ts';
import { type Outcome, settle, withCost } from '../core/ledger/settle.ts';
import { type Maybe, NOT_SENT } from './stored-records.ts';

/** An attempt that has ended. */
export interface Ended {
  readonly reservation: Reservation;
  readonly outcome: Outcome;
  /** The price that its answer stated. */
  readonly cost: number | undefined;
}

interface Batch {
  readonly attempts: Ended[];
  stored: Maybe<void>;
}

export class Settling {
  /** The batches that wait, by model and account. */
  readonly #waiting = new Map<string, Batch>();

  /**
   * Adds an attempt to the batch that waits for the same records, or to a new one.
   * @param store - Stores a batch. When its turn comes, it calls `take` for the attempts.
   */
  add(attempt: Ended, store: (take: () => readonly Ended[]) => Maybe<void>): Maybe<void> {
    const { account, route } = attempt.reservation.target;
    const key = `${route.model} ${account.recordId}`;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.attempts.push(attempt);
      return waiting.stored;
    }
    const batch: Batch = { attempts: [attempt], stored: undefined };
    this.#waiting.set(key, batch);
    batch.stored = store(() => {
      this.#waiting.delete(key);
      return batch.attempts;
    });
    return batch.stored;
  }
}

/** The records after some attempts ended. */
export function withOutcomes(records: RouteRecords, attempts: readonly Ended[], now: number): RouteRecords {
  return attempts.reduce((before, { reservation, outcome, cost }) => {
    const after = settle(before, reservation, outcome, now);
    return cost === undefined && outcome.kind !== 'success'
      ? after
      : withCost(after, reservation.target, cost);
  }, records);
}

/** The records after the requests of some reservations were not sent. */
export function withNotSent(
  records: RouteRecords,
  reservations: readonly Reservation[],
  now: number,
): RouteRecords {
  return reservations.reduce((before, reservation) => settle(before, reservation, NOT_SENT, now), records);
}
