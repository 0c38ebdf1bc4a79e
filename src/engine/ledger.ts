/** Reads records, decides, books and settles. One operation runs at a time, so that no decision is made on stale records. */

import { newlyMerged } from '../core/records/shared-accounts.ts';
import { isTooLate, nextDelayMs, withDelay } from '../core/ledger/delay.ts';
import { type Reservation, reserve, type RouteRecords } from '../core/ledger/reserve.ts';
import type { Decision, Target } from '../core/routing/question.ts';
import { rejectionsOf } from '../core/routing/exclusion.ts';
import { plan } from '../core/routing/plan.ts';
import type { PoolProvider, Stage } from '../core/pool.ts';
import { dislikeOf } from '../core/records/dislikes.ts';
import {
  billsAll,
  knownOf,
  type ModelRecord,
  newBill,
  type ProviderRecord,
  withModel,
  withPrice,
} from '../core/records/provider.ts';
import type { ReportedQuota } from '../core/limits/limit.ts';
import { type Outcome, settle, withCost } from '../core/ledger/settle.ts';
import { withReportedQuotas } from '../core/ledger/settle-limits.ts';
import type { Clock, StateStore, Versioned } from '../ports.ts';
import type { Call } from './call.ts';
import { instantOf, toWall } from './instant.ts';
import type { AttemptPlan } from './operation.ts';
import { racePauseMs } from './races.ts';
import { idsOf, indexed, type RecordIds, Snapshot } from './snapshot.ts';

/** A route whose quota is booked. */
export interface Booked extends AttemptPlan {
  readonly kind: 'attempt';
  readonly reservation: Reservation;
}

/** A booked route, or why there is none. */
export type Grant = Booked | Exclude<Decision, { kind: 'attempt' }>;

/** A value from a store in memory, or a promise from any other store. */
export type Maybe<T> = T | Promise<T>;

/** Continues with a value at once if it is there. A store in memory then costs no promise. */
export function andThen<T, U>(value: Maybe<T>, next: (value: T) => Maybe<U>): Maybe<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** A record as last read. */
interface Seen extends Versioned {
  /** Epoch ms. */
  readonly at: number;
}

const UNSEEN: Seen = { version: 0, value: undefined, at: 0 };

type Change = (records: RouteRecords, now: number) => RouteRecords;

/** Called when a model turns out to cost money. `isWhole`: all models of the provider are closed. */
type BillListener = (provider: PoolProvider, model: string, amount: number, isWhole: boolean) => void;

export class Ledger {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #ids = new WeakMap<readonly Stage[], RecordIds>();
  /** The last known records of a store that answers with promises. */
  readonly #seen = new Map<string, Seen>();
  /** Called when accounts turn out to be the same one. */
  readonly #onMerge: (target: Target, merged: readonly string[]) => void;
  readonly #onBill: BillListener;
  /** How many reservations of each account are not settled yet and may free quota, by record id. */
  readonly #open = new Map<string, number>();
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
    this.#store = store;
    this.#clock = clock;
    this.#onMerge = onMerge;
    this.#onBill = onBill;
  }

  /** How often a queue must ask again, because other processes change the records. Undefined: never. */
  get pollMs(): number | undefined {
    const { pollMs } = this.#store;
    return pollMs === undefined || !(pollMs > 0) ? undefined : pollMs;
  }

  #read(ids: readonly string[]): Maybe<readonly Versioned[]> {
    const read = this.#store.read(ids);
    if (!(read instanceof Promise)) return read;
    return read.then((records) => {
      for (const [index, id] of ids.entries()) {
        const record = records[index];
        if (record !== undefined) this.#see(id, record);
      }
      return records;
    });
  }

  #see(id: string, { version, value }: Versioned): void {
    this.#seen.set(id, { version, value, at: this.#clock.now() });
  }

  #swap(id: string, expectedVersion: number, next: unknown): Maybe<boolean> {
    const swapped = this.#store.swap(id, expectedVersion, next);
    if (!(swapped instanceof Promise)) return swapped;
    return swapped.then((done) => {
      if (done) this.#see(id, { version: expectedVersion + 1, value: next });
      return done;
    });
  }

  /** Reads the records of some stages. */
  snapshot(stages: readonly Stage[]): Maybe<Snapshot> {
    const ids = this.#idsOf(stages);
    return andThen(this.#read(ids.all), (read) => new Snapshot(ids, read));
  }

  #idsOf(stages: readonly Stage[]): RecordIds {
    let ids = this.#ids.get(stages);
    if (ids === undefined) {
      ids = idsOf(stages);
      this.#ids.set(stages, ids);
    }
    return ids;
  }

  /** The records as last seen, without waiting for the store. */
  known(stages: readonly Stage[]): Snapshot {
    const snapshot = this.snapshot(stages);
    if (!(snapshot instanceof Promise)) return snapshot;
    const ids = this.#idsOf(stages);
    const seen = ids.all.map((id) => this.#seen.get(id) ?? UNSEEN);
    return new Snapshot(ids, seen, Math.min(...seen.map(({ at }) => at)));
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
      const { reservation, ...next } = withDelay(
        reserve(records, target, call.needs, call.attemptTimeoutMs, now),
        expectedMs,
        now,
      );
      const again = (): Maybe<Grant> =>
        this.#afterRace(races, () => this.#tryReserve(call, waitUntil, races + 1));
      return andThen(this.#commit(snapshot, records, next, target), (done) => {
        if (!done) return again();
        const delayMs = this.#clock.monotonicMs() - instant.monotonicMs;
        this.#expectedDelayMs = nextDelayMs(expectedMs, delayMs);
        if (isTooLate(expectedMs, delayMs)) return andThen(this.#takeBack(reservation), again);
        this.#count(reservation, 1);
        const known = knownOf(records.provider, target.route.model, now);
        const { maxTokens } = reservation;
        const { features } = call.needs;
        const plain =
          rejectionsOf(call.failedAttempts).length > 0 ||
          (features !== undefined && dislikeOf(known, features, now) !== undefined);
        return { kind: 'attempt', target, reservation, alternatives, known, plain, maxTokens };
      });
    });
  }

  /** Refunds a reservation whose request was not sent. */
  #takeBack(reservation: Reservation): Maybe<void> {
    return this.#update(reservation.target, (records, now) =>
      settle(records, reservation, { kind: 'aborted', sent: false }, now),
    );
  }

  /** Tries again after a lost race, sooner or later, so that none of several processes loses every time. spec 2.11 */
  #afterRace<T>(races: number, again: () => Maybe<T>): Maybe<T> {
    const pauseMs = racePauseMs(races);
    if (pauseMs === 0) return again();
    return new Promise<void>((resolve) => void this.#clock.after(pauseMs, resolve)).then(again);
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
    return this.#inTurn(() => this.#rewrite(id, change));
  }

  #rewrite(id: string, change: (value: unknown) => unknown, races = 0): Maybe<void> {
    return andThen(this.#read([id]), ([record]) => {
      const next = change(record?.value);
      if (next === record?.value) return undefined;
      return andThen(this.#swap(id, record?.version ?? 0, next), (done) =>
        done ? undefined : this.#afterRace(races, () => this.#rewrite(id, change, races + 1)),
      );
    });
  }

  /**
   * Changes the records of a route, and starts over if another process changed one of them first. The provider's record is
   * stored before the account's.
   * @param before - The provider's record before the change, if its part is stored already and only the account is left.
   * @param races - How many races it has lost.
   */
  #update(target: Target, change: Change, before?: ProviderRecord, races = 0): Maybe<void> {
    const ids = indexed([target.provider.recordId, target.account.recordId]);
    const again = (stored?: ProviderRecord): Maybe<void> =>
      this.#afterRace(races, () => this.#update(target, change, stored, races + 1));
    return andThen(this.#read(ids.all), (read) => {
      const snapshot = new Snapshot(ids, read);
      const provider = before ?? snapshot.provider(target.provider);
      const records = { provider, account: snapshot.account(target.account) };
      const next = change(records, this.#clock.now());
      const providerDone = before === undefined ? this.#swapProvider(snapshot, records, next, target) : true;
      return andThen(providerDone, (done) => {
        if (!done) return again();
        const merged = before === undefined ? newlyMerged(provider, next.provider) : [];
        if (merged.length > 0) this.#onMerge(target, merged);
        const { model } = target.route;
        const bill = before === undefined ? newBill(provider, next.provider, model) : undefined;
        if (bill !== undefined) this.#onBill(target.provider, model, bill, billsAll(next.provider));
        return andThen(this.#swapAccount(snapshot, records, next, target), (accountDone) =>
          accountDone ? undefined : again(provider),
        );
      });
    });
  }

  #swapProvider(
    snapshot: Snapshot,
    before: RouteRecords,
    after: RouteRecords,
    target: Target,
  ): Maybe<boolean> {
    if (after.provider === before.provider) return true;
    const id = target.provider.recordId;
    return this.#swap(id, snapshot.versionOf(id), after.provider);
  }

  #swapAccount(
    snapshot: Snapshot,
    before: RouteRecords,
    after: RouteRecords,
    target: Target,
  ): Maybe<boolean> {
    if (after.account === before.account) return true;
    const id = target.account.recordId;
    return this.#swap(id, snapshot.versionOf(id), after.account);
  }

  /** Stores both records of a reservation, or neither. */
  #commit(snapshot: Snapshot, before: RouteRecords, after: RouteRecords, target: Target): Maybe<boolean> {
    return andThen(this.#swapProvider(snapshot, before, after, target), (providerDone) => {
      if (!providerDone) return false;
      return andThen(this.#swapAccount(snapshot, before, after, target), (accountDone) => {
        if (accountDone || after.provider === before.provider) return accountDone;
        const id = target.provider.recordId;
        return andThen(this.#swap(id, snapshot.versionOf(id) + 1, before.provider), () => false);
      });
    });
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
