/** Decides, books and settles. One operation runs at a time, so that no decision is made on stale records. */

import { newlyMerged } from '../core/records/shared-accounts.ts';
import { isTooLate, nextDelayMs, withDelay } from '../core/ledger/delay.ts';
import { withPlaces } from '../core/ledger/places.ts';
import { type Reservation, reserve } from '../core/ledger/reserve.ts';
import type { Decision, Target } from '../core/routing/question.ts';
import { rejectionsOf } from '../core/routing/exclusion.ts';
import { plan } from '../core/routing/plan.ts';
import type { PoolProvider, Stage } from '../core/pool.ts';
import { withKeyList } from '../core/records/key-list.ts';
import { dislikeOf } from '../core/records/dislikes.ts';
import {
  billsAll,
  knownOf,
  type ModelRecord,
  newBill,
  withModel,
  withPrice,
} from '../core/records/provider.ts';
import type { ReportedQuota } from '../core/limits/limit.ts';
import { type Outcome, settle, withCost } from '../core/ledger/settle.ts';
import { withReportedQuotas } from '../core/ledger/settle-limits.ts';
import type { Clock, StateStore } from '../ports.ts';
import { longestAttemptMs } from './attempt.ts';
import type { Call } from './call.ts';
import { instantOf, toWall } from './instant.ts';
import type { AttemptPlan } from './operation.ts';
import { Newcomers } from './newcomers.ts';
import type { Snapshot } from './snapshot.ts';
import { andThen, type Change, type Maybe, NOT_SENT, StoredRecords } from './stored-records.ts';

/** A route whose quota is booked. */
export interface Booked extends AttemptPlan {
  readonly kind: 'attempt';
  readonly reservation: Reservation;
}

/** A booked route, or why there is none. */
export type Grant = Booked | Exclude<Decision, { kind: 'attempt' }>;

/** Called when a model turns out to cost money. `isWhole`: all models of the provider are closed. */
type BillListener = (provider: PoolProvider, model: string, amount: number, isWhole: boolean) => void;

export class Ledger {
  readonly #records: StoredRecords;
  readonly #clock: Clock;
  /** Called when accounts turn out to be the same one. */
  readonly #onMerge: (target: Target, merged: readonly string[]) => void;
  readonly #onBill: BillListener;
  /** How many reservations of each account are not settled yet and may free quota, by record id. */
  readonly #open = new Map<string, number>();
  readonly #newcomers = new Newcomers();
  /** How long after a decision its reservation is stored, as far as the last ones show. */
  #expectedDelayMs = 0;
  /** The last operation while it is under way. A store in memory never leaves one pending. */
  #last: Promise<unknown> | undefined;

  constructor(
    store: StateStore,
    clock: Clock,
    onMerge: (target: Target, merged: readonly string[]) => void = () => {},
    onBill: BillListener = () => {},
  ) {
    this.#records = new StoredRecords(store, clock);
    this.#clock = clock;
    this.#onMerge = onMerge;
    this.#onBill = onBill;
  }

  /** How often a queue must ask again, because other processes change the records. Undefined: never. */
  get pollMs(): number | undefined {
    return this.#records.pollMs;
  }

  /** Reads the records of some stages. */
  snapshot(stages: readonly Stage[]): Maybe<Snapshot> {
    return this.#records.snapshot(stages);
  }

  /** The records as last seen, without waiting for the store. */
  known(stages: readonly Stage[]): Snapshot {
    return this.#records.known(stages);
  }

  /**
   * Decides what `call` does next. If that is an attempt, books its route.
   * @param waitUntil - Monotonic ms until which the call may wait for a route; -Infinity if it may not.
   */
  reserveNext(call: Call<unknown>, waitUntil: number): Maybe<Grant> {
    return this.#inTurn(() => this.#tryReserve(call, waitUntil, 0));
  }

  #tryReserve(call: Call<unknown>, waitUntil: number, races: number): Maybe<Grant> {
    return andThen(this.snapshot(call.stages), (snapshot) => {
      const rewrites = this.#newcomers.rewritesFor(call.stages, snapshot);
      if (rewrites.length > 0)
        return andThen(this.#records.rewriteAll(rewrites), () => this.#tryReserve(call, waitUntil, races));
      const instant = instantOf(this.#clock);
      const { now } = instant;
      const decision = plan({
        now,
        stages: call.stages,
        records: snapshot,
        preferences: call.preferences,
        needs: call.needs,
        failedAttempts: call.failedAttempts.map((failed) => ({
          ...failed,
          excludedUntil: toWall(instant, failed.excludedUntil),
        })),
        again: call.again,
        maxAttempts: call.maxAttempts,
        waitUntil: toWall(instant, waitUntil),
        mayBeFreed: ({ recordId }) => this.#open.has(recordId),
      });
      if (decision.kind !== 'attempt') return decision;
      const { target, alternatives } = decision;
      const records = {
        provider: snapshot.provider(target.provider),
        account: snapshot.account(target.account),
      };
      const expectedMs = this.#expectedDelayMs;
      const known = { ...records, provider: withKeyList(records.provider, target.provider) };
      const made = reserve(known, target, call.needs, call.attemptTimeoutMs, now);
      const places = withPlaces(made, longestAttemptMs(call, instant.monotonicMs), now);
      const reserved = withDelay(places, expectedMs, now);
      const { reservation } = reserved;
      const again = (): Maybe<Grant> =>
        this.#records.afterRace(races, () => this.#tryReserve(call, waitUntil, races + 1));
      return andThen(this.#records.commit(snapshot, records, reserved), (done) => {
        if (!done) return again();
        const delayMs = this.#clock.monotonicMs() - instant.monotonicMs;
        this.#expectedDelayMs = nextDelayMs(expectedMs, delayMs);
        if (isTooLate(expectedMs, delayMs)) return andThen(this.#takeBack(reservation), again);
        this.#count(reservation, 1);
        const model = knownOf(records.provider, target.route.model, now);
        const { maxTokens } = reservation;
        const { features } = call.needs;
        const plain =
          rejectionsOf(call.failedAttempts).length > 0 ||
          (features !== undefined && dislikeOf(model, features, now) !== undefined);
        return { kind: 'attempt', target, reservation, alternatives, known: model, plain, maxTokens };
      });
    });
  }

  /** Refunds a reservation whose request was not sent. */
  #takeBack(reservation: Reservation): Maybe<void> {
    return this.#update(reservation.target, (records, now) => settle(records, reservation, NOT_SENT, now));
  }

  /** Changes the records of a route, and tells what the change shows about accounts and prices. */
  #update(target: Target, change: Change): Maybe<void> {
    return this.#records.update(target, change, (before, after) => {
      const merged = newlyMerged(before, after);
      if (merged.length > 0) this.#onMerge(target, merged);
      const bill = newBill(before, after, target.route.model);
      if (bill !== undefined) this.#onBill(target.provider, target.route.model, bill, billsAll(after));
    });
  }

  #count({ target, mayFree }: Reservation, change: 1 | -1): void {
    if (!mayFree) return;
    const { recordId } = target.account;
    const open = (this.#open.get(recordId) ?? 0) + change;
    if (open > 0) this.#open.set(recordId, open);
    else this.#open.delete(recordId);
  }

  /** Changes what is known of a target's model. */
  noteModel(target: Target, change: (known: ModelRecord, now: number) => ModelRecord): Maybe<void> {
    const { model } = target.route;
    return this.#inTurn(() =>
      this.#update(target, ({ account, provider }, now) => ({
        account,
        provider: withModel(provider, model, (known) => change(known, now), now),
      })),
    );
  }

  /** Records the outcome of an attempt, and the price that its answer stated. */
  settle(reservation: Reservation, outcome: Outcome, cost?: number): Maybe<void> {
    const { target } = reservation;
    return this.#inTurn(() => {
      this.#count(reservation, -1);
      return this.#update(target, (records, now) => {
        const next = settle(records, reservation, outcome, now);
        return cost === undefined && outcome.kind !== 'success' ? next : withCost(next, target, cost);
      });
    });
  }

  /** Records that a list states a price for a model that was free. */
  notePrice(provider: PoolProvider, model: string, price: number): Maybe<void> {
    const [account] = provider.accounts;
    if (account === undefined) return undefined;
    const route = { provider: provider.name, account: account.id, keyId: '', model };
    return this.#inTurn(() =>
      this.#update({ route, provider, account, model: { id: model } }, (records) => ({
        ...records,
        provider: withPrice(records.provider, model, price),
      })),
    );
  }

  /** Records what the provider reported about an account outside of an attempt. */
  observe(target: Target, reported: readonly ReportedQuota[]): Maybe<void> {
    return this.#inTurn(() =>
      this.#update(target, (records, now) => ({
        ...records,
        account: withReportedQuotas(records.account, { target }, reported, now),
      })),
    );
  }

  /** Changes one record by itself. If `change` returns what it was given, nothing is stored. */
  rewrite(id: string, change: (value: unknown) => unknown): Maybe<void> {
    return this.#inTurn(() => this.#records.rewrite(id, change));
  }

  /** Runs an operation after those before it. */
  #inTurn<T>(operation: () => Maybe<T>): Maybe<T> {
    const result = this.#last === undefined ? operation() : this.#last.then(operation);
    if (!(result instanceof Promise)) return result;
    const done: Promise<unknown> = result.then(
      () => this.#finish(done),
      () => this.#finish(done),
    );
    this.#last = done;
    return result;
  }

  #finish(operation: Promise<unknown>): void {
    if (this.#last === operation) this.#last = undefined;
  }
}
