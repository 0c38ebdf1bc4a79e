/** Decides, reserves and settles. One operation runs at a time, so that no decision uses stale records. */

import { newlyMerged } from '../core/records/shared-accounts.ts';
import { isTooLate, nextDelayMs, withDelay } from '../core/ledger/delay.ts';
import { withSlots } from '../core/ledger/slots.ts';
import { type Reservation, reserve, type RouteRecords } from '../core/ledger/reserve.ts';
import { useSpare, withSpares } from '../core/ledger/spares.ts';
import type { Decision, Question, Target } from '../core/routing/question.ts';
import { rejectionsOf } from '../core/routing/exclusion.ts';
import { plan } from '../core/routing/plan.ts';
import type { PoolAccount, PoolProvider, Stage } from '../core/pool.ts';
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
import type { Outcome } from '../core/ledger/settle.ts';
import { withReportedQuotas } from '../core/ledger/settle-limits.ts';
import type { Clock, StateStore } from '../ports.ts';
import { longestAttemptMs } from './attempt.ts';
import { type Call, questionOf } from './call.ts';
import { type Instant, instantOf, toWall } from './instant.ts';
import { leaseMsAfter, Leases } from './leases.ts';
import type { AttemptPlan } from './operation.ts';
import { NewKeys } from './new-keys.ts';
import { type Ended, Settling, withNotSent, withOutcomes } from './settling.ts';
import type { Snapshot } from './snapshot.ts';
import { andThen, type Change, type Maybe, StoredRecords } from './stored-records.ts';

/** A route whose quota is reserved. */
export interface ReservedAttempt extends AttemptPlan {
  readonly kind: 'attempt';
  readonly reservation: Reservation;
}

/** A reserved route, or why there is none. */
export type Grant = ReservedAttempt | Exclude<Decision, { kind: 'attempt' }>;

type Attempt = Extract<Decision, { kind: 'attempt' }>;

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
  readonly #newKeys = new NewKeys();
  readonly #leases: Leases;
  readonly #settling = new Settling();
  /** The estimated time from a decision to its stored reservation, from the last ones. */
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
    this.#leases = new Leases(clock, () => void this.#endLeases().catch(() => undefined));
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
   * Decides the next step of `call`. If that is an attempt, reserves its route. spec 12.1
   * @param waitUntil - Monotonic ms until which the call may wait for a route; -Infinity if it may not.
   */
  reserveNext(call: Call<unknown>, waitUntil: number): Maybe<Grant> {
    return this.#inTurn(() => this.#tryReserve(call, waitUntil, 0));
  }

  #tryReserve(call: Call<unknown>, waitUntil: number, races: number): Maybe<Grant> {
    const read = this.snapshot(call.stages);
    return andThen(read, (snapshot) => {
      const rewrites = this.#newKeys.rewritesFor(call.stages, snapshot);
      if (rewrites.length > 0)
        return andThen(this.#records.rewriteAll(rewrites), () => this.#tryReserve(call, waitUntil, races));
      const instant = instantOf(this.#clock);
      const isOpen = ({ recordId }: PoolAccount): boolean => this.#open.has(recordId);
      const question = questionOf(call, snapshot, toWall(instant, waitUntil), instant, isOpen);
      const spared = this.#useSpare(call, question);
      if (spared !== undefined) return spared;
      const decision = plan(question);
      if (decision.kind !== 'attempt') return decision;
      // A synchronous store loses few races, and a killed process must not leave spares in it.
      const wanted = read instanceof Promise ? this.#leases.wanted(decision.target.account, races) : 0;
      const again = (): Maybe<Grant> => this.#tryReserve(call, waitUntil, races + 1);
      return andThen(
        this.#reserve(call, decision, snapshot, instant, wanted),
        (grant) => grant ?? this.#records.afterRace(races, again),
      );
    });
  }

  /** Stores the reservation of a route, and up to `wanted` spares. Undefined: the ledger must decide again. */
  #reserve(
    call: Call<unknown>,
    decision: Attempt,
    snapshot: Snapshot,
    instant: Instant,
    wanted: number,
  ): Maybe<Grant | undefined> {
    const { target } = decision;
    const { now, monotonicMs } = instant;
    const records = {
      provider: snapshot.provider(target.provider),
      account: snapshot.account(target.account),
    };
    const expectedMs = this.#expectedDelayMs;
    const known = { ...records, provider: withKeyList(records.provider, target.provider) };
    const made = reserve(known, target, call.needs, call.attemptTimeoutMs, now);
    const slots = withSlots(made, longestAttemptMs(call, monotonicMs), now);
    const leaseMs = leaseMsAfter(expectedMs);
    const reserved = withSpares(withDelay(slots, expectedMs, now), call.needs, wanted, leaseMs, now);
    const { reservation, spares } = reserved;
    const committed = this.#records.commit(snapshot, records, reserved);
    return andThen(committed, (done) => {
      if (!done) return undefined;
      const delayMs = this.#clock.monotonicMs() - monotonicMs;
      this.#expectedDelayMs = nextDelayMs(expectedMs, delayMs);
      if (isTooLate(expectedMs, delayMs))
        return andThen(this.#takeBack(target, [reservation, ...spares]), () => undefined);
      if (committed instanceof Promise) this.#leases.add(target.account, spares, monotonicMs + leaseMs);
      return this.#granted(call, decision, reservation, records);
    });
  }

  /** Serves a call from the spares. */
  #useSpare(call: Call<unknown>, question: Question): Grant | undefined {
    const spares = this.#leases.current();
    if (spares.length === 0) return undefined;
    const used = useSpare(question, spares, call.attemptTimeoutMs);
    if (used === undefined) return undefined;
    this.#leases.use(used.spare);
    return this.#granted(call, used.decision, used.reservation, used.records);
  }

  #granted(
    call: Call<unknown>,
    { target, alternatives }: Attempt,
    reservation: Reservation,
    { provider }: RouteRecords,
  ): Grant {
    this.#count(reservation, 1);
    const known = knownOf(provider, target.route.model, reservation.sentAt);
    const { maxTokens } = reservation;
    const { features } = call.needs;
    // spec 8.4
    const plain =
      rejectionsOf(call.failedAttempts).length > 0 ||
      (features !== undefined && dislikeOf(known, features, reservation.sentAt) !== undefined);
    return { kind: 'attempt', target, reservation, alternatives, known, plain, maxTokens };
  }

  /** Refunds reservations whose requests were not sent. */
  #takeBack(target: Target, reservations: readonly Reservation[]): Maybe<void> {
    if (reservations.length === 0) return undefined;
    return this.#update(target, (records, now) => withNotSent(records, reservations, now));
  }

  /** Changes the records of a route, and reports merged accounts and new prices. */
  #update(target: Target, change: Change): Maybe<void> {
    return this.#records.update(target, change, (before, after) => {
      const merged = newlyMerged(before, after);
      if (merged.length > 0) this.#onMerge(target, merged);
      const bill = newBill(before, after, target.route.model);
      if (bill !== undefined) this.#onBill(target.provider, target.route.model, bill, billsAll(after));
    });
  }

  #count({ target, mayAdmitMore }: Reservation, change: 1 | -1): void {
    if (!mayAdmitMore) return;
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
    const attempt = { reservation, outcome, cost };
    const { target } = reservation;
    if (this.#last === undefined) return this.#inTurn(() => this.#settleAll(target, [attempt]));
    return this.#settling.add(attempt, (take) => this.#inTurn(() => this.#settleAll(target, take())));
  }

  #settleAll(target: Target, attempts: readonly Ended[]): Maybe<void> {
    for (const { reservation } of attempts) this.#count(reservation, -1);
    const hasFailed = attempts.some(({ outcome }) => outcome.kind === 'failure');
    const unused = this.#leases.end(target.account, hasFailed);
    return this.#update(target, (records, now) =>
      withNotSent(withOutcomes(records, attempts, now), unused, now),
    );
  }

  /** Gives the spares back whose time has ended. If the store fails, their charges count until their windows end. */
  async #endLeases(): Promise<void> {
    for (const target of this.#leases.targets())
      await this.#inTurn(() => this.#takeBack(target, this.#leases.end(target.account)));
  }

  /** Gives all spares back. No more are made. */
  async close(): Promise<void> {
    this.#leases.close();
    // This does not wait for its turn: calls that wait for theirs would delay the end of the process.
    for (const target of this.#leases.targets())
      await this.#takeBack(target, this.#leases.end(target.account));
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
