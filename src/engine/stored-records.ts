/**
 * Reads and changes the records in a store, by compare-and-swap. A change that loses a race is repeated. spec 2.4, 2.11
 */

import { EMPTY_ACCOUNT } from '../core/records/account.ts';
import { type ProviderRecord, readProviderRecord } from '../core/records/provider.ts';
import type { Reservation, Reserved, RouteRecords } from '../core/ledger/reserve.ts';
import { type Outcome, settle } from '../core/ledger/settle.ts';
import type { PoolAccount, Stage } from '../core/pool.ts';
import type { Target } from '../core/routing/question.ts';
import type { Clock, StateStore, Versioned } from '../ports.ts';
import type { Rewrite } from './new-keys.ts';
import { racePauseMs } from './races.ts';
import { idsOf, indexed, type RecordIds, Snapshot } from './snapshot.ts';

/** A value from a store in memory, or a promise from any other store. */
export type Maybe<T> = T | Promise<T>;

/** Continues with a value at once if it is not a promise, so a store in memory costs no promise. */
export function andThen<T, U>(value: Maybe<T>, next: (value: T) => Maybe<U>): Maybe<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** A record as last read. */
interface Seen extends Versioned {
  /** Epoch ms. */
  readonly at: number;
}

/** The outcome of a reservation whose request was not sent. */
export const NOT_SENT: Outcome = { kind: 'aborted', sent: false };

/** The records of some stages. */
interface View {
  readonly ids: RecordIds;
  /** As they were read last. */
  last: Snapshot | undefined;
}

const UNSEEN: Seen = { version: 0, value: undefined, at: 0 };

/** A change of the records of a route. It may be called several times, and must have no other effects. */
export type Change = (records: RouteRecords, now: number) => RouteRecords;

/** Called when the provider's record of a change is stored. */
type OnStored = (before: ProviderRecord, after: ProviderRecord) => void;

export class StoredRecords {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #views = new WeakMap<readonly Stage[], View>();
  /** The ids of the records of an account's routes. */
  readonly #routeIds = new WeakMap<PoolAccount, RecordIds>();
  /** The last known records of a store that answers with promises. */
  readonly #seen = new Map<string, Seen>();

  constructor(store: StateStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
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

  /** Reads the records of some stages. If none has changed, the snapshot is the last one, so what follows from it is known. */
  snapshot(stages: readonly Stage[]): Maybe<Snapshot> {
    const view = this.#viewOf(stages);
    return andThen(this.#read(view.ids.all), (read) => {
      if (view.last?.consistsOf(read) !== true) view.last = new Snapshot(view.ids, read);
      return view.last;
    });
  }

  #viewOf(stages: readonly Stage[]): View {
    let view = this.#views.get(stages);
    if (view === undefined) {
      view = { ids: idsOf(stages), last: undefined };
      this.#views.set(stages, view);
    }
    return view;
  }

  /** The records as last seen, without waiting for the store. */
  known(stages: readonly Stage[]): Snapshot {
    const snapshot = this.snapshot(stages);
    if (!(snapshot instanceof Promise)) return snapshot;
    const { ids } = this.#viewOf(stages);
    const seen = ids.all.map((id) => this.#seen.get(id) ?? UNSEEN);
    return new Snapshot(ids, seen, Math.min(...seen.map(({ at }) => at)));
  }

  /** Tries again after a lost race, after a random pause if need be, so that no process loses every time. spec 2.11 */
  afterRace<T>(races: number, again: () => Maybe<T>): Maybe<T> {
    const pauseMs = racePauseMs(races);
    if (pauseMs === 0) return again();
    return new Promise<void>((resolve) => void this.#clock.after(pauseMs, resolve)).then(again);
  }

  /** Changes single records, one after the other. */
  rewriteAll([first, ...others]: readonly Rewrite[]): Maybe<void> {
    if (first === undefined) return undefined;
    return andThen(this.rewrite(first.id, first.change), () => this.rewriteAll(others));
  }

  /** Changes one record by itself. If `change` returns what it was given, nothing is stored. */
  rewrite(id: string, change: (value: unknown) => unknown, races = 0): Maybe<void> {
    return andThen(this.#read([id]), ([record]) => {
      const next = change(record?.value);
      if (next === record?.value) return undefined;
      return andThen(this.#swap(id, record?.version ?? 0, next), (done) =>
        done ? undefined : this.afterRace(races, () => this.rewrite(id, change, races + 1)),
      );
    });
  }

  /** Changes the records of a route. The provider's record is stored before the account's. */
  update(target: Target, change: Change, onStored: OnStored = () => {}): Maybe<void> {
    return this.#update(target, change, onStored, undefined, 0);
  }

  /**
   * @param before - The provider's record before the change, if its part is stored already and only the account is left.
   * @param races - How many races it has lost.
   */
  #update(
    target: Target,
    change: Change,
    onStored: OnStored,
    before: ProviderRecord | undefined,
    races: number,
  ): Maybe<void> {
    const ids = this.#idsOf(target);
    const again = (stored?: ProviderRecord): Maybe<void> =>
      this.afterRace(races, () => this.#update(target, change, onStored, stored, races + 1));
    return andThen(this.#read(ids.all), (read) => {
      const snapshot = new Snapshot(ids, read);
      const provider = before ?? snapshot.provider(target.provider);
      const records = { provider, account: snapshot.account(target.account) };
      const next = change(records, this.#clock.now());
      const providerDone =
        before === undefined
          ? this.#swapChanged(snapshot, target.provider.recordId, records.provider, next.provider)
          : true;
      return andThen(providerDone, (done) => {
        if (!done) return again();
        if (before === undefined) onStored(provider, next.provider);
        return andThen(
          this.#swapChanged(snapshot, target.account.recordId, records.account, next.account),
          (accountDone) => (accountDone ? undefined : again(provider)),
        );
      });
    });
  }

  #idsOf({ provider, account }: Target): RecordIds {
    let ids = this.#routeIds.get(account);
    if (ids === undefined) {
      ids = indexed([provider.recordId, account.recordId]);
      this.#routeIds.set(account, ids);
    }
    return ids;
  }

  /** Writes a record if it has changed. spec 5.10 */
  #swapChanged<Stored>(snapshot: Snapshot, id: string, before: Stored, after: Stored): Maybe<boolean> {
    return after === before || this.#swap(id, snapshot.versionOf(id), after);
  }

  /** Stores both records of a reservation, or neither. */
  commit(snapshot: Snapshot, before: RouteRecords, after: Reserved): Maybe<boolean> {
    const { reservation } = after;
    const { target } = reservation;
    return andThen(
      this.#swapChanged(snapshot, target.provider.recordId, before.provider, after.provider),
      (providerDone) => {
        if (!providerDone) return false;
        return andThen(
          this.#swapChanged(snapshot, target.account.recordId, before.account, after.account),
          (accountDone) => {
            if (accountDone || after.provider === before.provider) return accountDone;
            const id = target.provider.recordId;
            const reverted = this.#swap(id, snapshot.versionOf(id) + 1, before.provider);
            return andThen(reverted, (done) =>
              andThen(done ? undefined : this.#release(reservation), () => false),
            );
          },
        );
      },
    );
  }

  /** Releases the probes of a reservation in the provider's record, which another process has changed meanwhile. */
  #release(reservation: Reservation): Maybe<void> {
    return this.rewrite(reservation.target.provider.recordId, (value) => {
      const records = { provider: readProviderRecord(value), account: EMPTY_ACCOUNT };
      return settle(records, reservation, NOT_SENT, this.#clock.now()).provider;
    });
  }
}
