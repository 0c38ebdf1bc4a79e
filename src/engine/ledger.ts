/** Reads the records, decides, books and learns: one turn at a time, so that nobody decides on stale numbers. */

import { type AccountRecord, readAccountRecord } from '../core/records/account.ts';
import { newlyMerged } from '../core/records/shared-accounts.ts';
import { type Reservation, reserve, type RouteRecords } from '../core/ledger/reserve.ts';
import type { Decision, Target, Records } from '../core/routing/question.ts';
import { plan } from '../core/routing/plan.ts';
import type { PoolAccount, PoolProvider, Stage } from '../core/pool.ts';
import {
  knownOf,
  type ModelRecord,
  type ProviderRecord,
  readProviderRecord,
} from '../core/records/provider.ts';
import type { ReportedQuota } from '../core/limits/limit.ts';
import { type Outcome, settle } from '../core/ledger/settle.ts';
import { withReportedQuotas } from '../core/ledger/settle-limits.ts';
import type { Clock, StateStore, Versioned } from '../ports.ts';
import type { Call } from './call.ts';

/** A route that was booked, or why there is none. */
export type Grant =
  | {
      readonly kind: 'attempt';
      readonly target: Target;
      readonly reservation: Reservation;
      readonly alternatives: boolean;
      /** What is known of the route's model. */
      readonly known: ModelRecord;
      /** The most tokens that the answer may have, to be sent where the caller says nothing. */
      readonly maxTokens: number | undefined;
    }
  | Exclude<Decision, { kind: 'attempt' }>;

/** A value, or a promise of it where the store is not in memory. */
export type Maybe<T> = T | Promise<T>;

/** Goes on with a value at once, or when it is there: a store in memory costs no promise. */
export function andThen<T, U>(value: Maybe<T>, next: (value: T) => Maybe<U>): Maybe<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Records as they were read, with their versions. */
export class Snapshot implements Records {
  readonly #ids: Ids;
  readonly #read: readonly Versioned[];

  constructor(ids: Ids, read: readonly Versioned[]) {
    this.#ids = ids;
    this.#read = read;
  }

  provider(provider: PoolProvider): ProviderRecord {
    return readProviderRecord(this.#at(provider.recordId)?.value);
  }

  account(account: PoolAccount): AccountRecord {
    return readAccountRecord(this.#at(account.recordId)?.value);
  }

  versionOf(id: string): number {
    return this.#at(id)?.version ?? 0;
  }

  #at(id: string): Versioned | undefined {
    const place = this.#ids.places.get(id);
    return place === undefined ? undefined : this.#read[place];
  }
}

/** The ids of some records, and the place of each among them. */
interface Ids {
  readonly all: readonly string[];
  readonly places: ReadonlyMap<string, number>;
}

function placed(ids: Iterable<string>): Ids {
  const all = [...ids];
  return { all, places: new Map(all.map((id, place) => [id, place])) };
}

function idsOf(stages: readonly Stage[]): Ids {
  const ids = new Set<string>();
  for (const stage of stages) {
    for (const { provider } of stage) {
      ids.add(provider.recordId);
      for (const account of provider.accounts) ids.add(account.recordId);
    }
  }
  return placed(ids);
}

/** What the records become. */
type Lesson = (records: RouteRecords, now: number) => RouteRecords;

/** How often a booking is tried anew when another process keeps being faster, before it is put down to chance. */
const MAX_RACES = 50;

/** What a call does that was never fast enough: another try, if it may wait. */
function lostRaces(now: number, waitUntil: number): Exclude<Decision, { kind: 'attempt' }> {
  const until = now + 1;
  return now < waitUntil ? { kind: 'wait', until } : { kind: 'give-up', reason: 'exhausted', readyAt: until };
}

export class Ledger {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #ids = new WeakMap<readonly Stage[], Ids>();
  /** What a store that answers later last said. */
  readonly #seen = new Map<string, Versioned>();
  /** Told of accounts that turned out to be one. */
  readonly #onMerge: (target: Target, merged: readonly string[]) => void;
  /** The last turn, while one is under way; a store in memory never leaves one behind. */
  #last: Promise<unknown> | undefined;

  constructor(
    store: StateStore,
    clock: Clock,
    onMerge: (target: Target, merged: readonly string[]) => void = () => {},
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#onMerge = onMerge;
  }

  #read(ids: readonly string[]): Maybe<readonly Versioned[]> {
    const read = this.#store.read(ids);
    if (!(read instanceof Promise)) return read;
    return read.then((records) => {
      for (const [index, id] of ids.entries()) {
        const record = records[index];
        if (record !== undefined) this.#seen.set(id, record);
      }
      return records;
    });
  }

  #swap(id: string, expectedVersion: number, next: unknown): Maybe<boolean> {
    const swapped = this.#store.swap(id, expectedVersion, next);
    if (!(swapped instanceof Promise)) return swapped;
    return swapped.then((done) => {
      if (done) this.#seen.set(id, { version: expectedVersion + 1, value: next });
      return done;
    });
  }

  /** Reads the records behind some stages. */
  snapshot(stages: readonly Stage[]): Maybe<Snapshot> {
    const ids = this.#idsOf(stages);
    return andThen(this.#read(ids.all), (read) => new Snapshot(ids, read));
  }

  #idsOf(stages: readonly Stage[]): Ids {
    let ids = this.#ids.get(stages);
    if (ids === undefined) {
      ids = idsOf(stages);
      this.#ids.set(stages, ids);
    }
    return ids;
  }

  /** The records as they were last seen, at once: what looking at the pool is read off. */
  known(stages: readonly Stage[]): Snapshot {
    const snapshot = this.snapshot(stages);
    if (!(snapshot instanceof Promise)) return snapshot;
    const ids = this.#idsOf(stages);
    return new Snapshot(
      ids,
      ids.all.map((id) => this.#seen.get(id) ?? { version: 0, value: undefined }),
    );
  }

  /** Decides what `call` does next, and books the route when it is an attempt. */
  reserveNext(call: Call<unknown>, waitUntil: number): Maybe<Grant> {
    return this.#inTurn(() => this.#tryDecide(call, waitUntil, 0));
  }

  #tryDecide(call: Call<unknown>, waitUntil: number, races: number): Maybe<Grant> {
    return andThen(this.snapshot(call.stages), (snapshot) => {
      const now = this.#clock.now();
      const decision = plan({
        now,
        stages: call.stages,
        records: snapshot,
        preferences: call.preferences,
        needs: call.needs,
        failedAttempts: call.failedAttempts,
        again: call.again,
        maxAttempts: call.maxAttempts,
        waitUntil,
      });
      if (decision.kind !== 'attempt') return decision;
      const { target, alternatives } = decision;
      const records = {
        provider: snapshot.provider(target.provider),
        account: snapshot.account(target.account),
      };
      const { reservation, ...next } = reserve(records, target, now, {
        needs: call.needs,
        probeMs: call.attemptTimeoutMs,
      });
      return andThen(this.#commit(snapshot, records, next, target), (done) => {
        const known = knownOf(records.provider, target.route.model, now);
        if (done)
          return {
            kind: 'attempt',
            target,
            reservation,
            alternatives,
            known,
            maxTokens: reservation.maxTokens,
          };
        if (races >= MAX_RACES) return lostRaces(now, waitUntil);
        return this.#tryDecide(call, waitUntil, races + 1);
      });
    });
  }

  /** Records what came of an attempt. */
  settle(reservation: Reservation, outcome: Outcome): Maybe<void> {
    return this.#inTurn(() =>
      this.#learn(reservation.target, (records, now) => settle(records, reservation, outcome, now)),
    );
  }

  /** Records what the provider told of an account outside of an attempt. */
  observe(target: Target, observations: readonly ReportedQuota[]): Maybe<void> {
    return this.#inTurn(() =>
      this.#learn(target, (records, now) => ({
        ...records,
        account: withReportedQuotas(records.account, { target }, observations, now),
      })),
    );
  }

  /**
   * Stores what an attempt taught, read anew as often as another process was faster. The provider's part goes first; once
   * it is stored, only the account's is left to do, learnt from the provider's record as it was `before`.
   */
  #learn(target: Target, lesson: Lesson, before?: ProviderRecord): Maybe<void> {
    const ids = placed([target.provider.recordId, target.account.recordId]);
    return andThen(this.#read(ids.all), (read) => {
      const snapshot = new Snapshot(ids, read);
      const provider = before ?? snapshot.provider(target.provider);
      const records = { provider, account: snapshot.account(target.account) };
      const next = lesson(records, this.#clock.now());
      const providerDone = before === undefined ? this.#swapProvider(snapshot, records, next, target) : true;
      return andThen(providerDone, (done) => {
        if (!done) return this.#learn(target, lesson);
        const merged = before === undefined ? newlyMerged(provider, next.provider) : [];
        if (merged.length > 0) this.#onMerge(target, merged);
        return andThen(this.#swapAccount(snapshot, records, next, target), (accountDone) =>
          accountDone ? undefined : this.#learn(target, lesson, provider),
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

  #inTurn<T>(turn: () => Maybe<T>): Maybe<T> {
    const result = this.#last === undefined ? turn() : this.#last.then(turn);
    if (!(result instanceof Promise)) return result;
    const done: Promise<unknown> = result.then(
      () => this.#finish(done),
      () => this.#finish(done),
    );
    this.#last = done;
    return result;
  }

  #finish(turn: Promise<unknown>): void {
    if (this.#last === turn) this.#last = undefined;
  }
}
