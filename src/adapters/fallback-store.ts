/**
 * Keeps a pool going while its store fails.
 *
 *   state  | event                                       | next   | effect
 *   -------+---------------------------------------------+--------+-------------------------------------------
 *   well   | the store answers                           | well   | the answer is handed on
 *   well   | it fails, or goes on refusing to write      | outage | a warning; from now on, memory answers
 *   well   | it has lost records                         | outage | the same, and a probe starts at once
 *   outage | read; swap                                  | outage | memory answers; a probe starts if it is due
 *   outage | the probe fails                             | outage | the next one is due after a longer pause
 *   outage | the probe has carried over all changes      | well   | the store answers again
 *
 * spec 2.5, 2.6
 */

import { carriedOver } from '../core/records/carry-over.ts';
import type { Clock, StateStore, Versioned } from '../ports.ts';
import { checkedStore } from './checked-store.ts';

/** The longest that an operation of the store may take. */
const TIMEOUT_MS = 1000;
/** The pause before a store that failed is asked again. It doubles with each failure. */
const FIRST_PAUSE_MS = 5000;
const MAX_PAUSE_MS = 60_000;
/** After the store has worked for this long, its next failure is a new outage, with a warning and a short pause. */
const WELL_AFTER_MS = 60_000;
/** After so many refused writes in a row without a reason, the store counts as read-only. */
const MAX_REFUSALS = 20;
/** The same after so many refused writes for any reason: no process loses so many races. */
const MAX_LOST_RACES = 1000;
/** How many rounds a probe makes for records that changed while it carried over others. */
const MAX_ROUNDS = 20;

const NOTHING: Versioned = { version: 0, value: undefined };
/** No record of a store has this version. */
const NO_VERSION = -1;
/** The store's version of a record that it lost. */
const LOST: Versioned = { version: NO_VERSION, value: undefined };

/** The store works but lost records, so they are restored at once. */
class LostRecords extends Error {}

export interface FallbackOptions {
  readonly clock: Clock;
  /** Called once for each outage, with a text for people. Must not throw. */
  readonly onWarning: (message: string) => void;
  /** The longest that an operation of the store may take. Default 1000. */
  readonly timeoutMs?: number | undefined;
}

/** A record that was changed in memory. */
interface Changed extends Versioned {
  /** The part of its value that the store has, and the version at which the store has exactly that. */
  readonly base: Versioned;
}

/** Writes of a record that were refused in a row. */
interface Refusals {
  readonly count: number;
  /** How many of the last ones were refused without a reason: no other process had changed the record. */
  readonly withoutReason: number;
  /** The version of the last refused write. */
  readonly version: number;
  /** Whether a read has shown since then that the write was refused without a reason. */
  readonly isJudged: boolean;
}

interface Outage {
  /** The version of the records that memory has not changed. */
  readonly firstVersion: number;
  readonly changed: Map<string, Changed>;
  /** The ids that were asked for when the store failed. */
  readonly failedIds: readonly string[];
  /** Monotonic ms from which the store is probed; Infinity while a probe is under way. */
  probeAt: number;
}

class FallbackStore implements StateStore {
  readonly #given: StateStore;
  readonly #store: StateStore;
  readonly #probed: StateStore;
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;
  /** The records as the store last had them. */
  readonly #known = new Map<string, Versioned>();
  readonly #refusals = new Map<string, Refusals>();
  #outage: Outage | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  /** Monotonic ms at which the last outage ended. */
  #wellSince = Number.NEGATIVE_INFINITY;
  /**
   * The highest version in memory. All versions are negative and none is used twice, so none can be mistaken for a
   * version of the store.
   */
  #highestVersion = Number.MIN_SAFE_INTEGER;

  constructor(store: StateStore, { clock, onWarning, timeoutMs = TIMEOUT_MS }: FallbackOptions) {
    this.#given = store;
    this.#store = checkedStore(store, { clock, timeoutMs });
    this.#probed = checkedStore(store, { clock, timeoutMs, background: true });
    this.#clock = clock;
    this.#warn = onWarning;
  }

  get clockOffsetMs(): number | undefined {
    return this.#given.clockOffsetMs;
  }

  get pollMs(): number | undefined {
    return this.#given.pollMs;
  }

  read(ids: readonly string[]): readonly Versioned[] | Promise<readonly Versioned[]> {
    if (this.#outage !== undefined) return this.#readMemory(this.#outage, ids);
    // A read that began before a write may show less than that.
    const versions = ids.map((id) => this.#known.get(id)?.version ?? 0);
    return this.#orElse(
      () => this.#store.read(ids),
      (records) => {
        // Meanwhile, an operation at the same time may have begun an outage. Then memory must not change below its readers.
        if (this.#outage === undefined) this.#noteRead(ids, records, versions);
        return records;
      },
      (error) => this.#readMemory(this.#fail(error, ids), ids),
    );
  }

  swap(id: string, expectedVersion: number, next: unknown): boolean | Promise<boolean> {
    if (this.#outage !== undefined) return this.#swapMemory(this.#outage, id, expectedVersion, next);
    return this.#orElse(
      () => this.#store.swap(id, expectedVersion, next),
      (done) => {
        if (this.#outage === undefined) this.#noteSwap(id, expectedVersion, done, next);
        return done;
      },
      (error) => {
        this.#fail(error, [id]);
        // The store may have written it or not, so the caller reads again, from memory.
        return false;
      },
    );
  }

  #orElse<T>(
    ask: () => T | Promise<T>,
    use: (answer: T) => T,
    instead: (error: unknown) => T,
  ): T | Promise<T> {
    try {
      const answer = ask();
      return answer instanceof Promise ? answer.then(use).catch(instead) : use(answer);
    } catch (error) {
      return instead(error);
    }
  }

  /** @throws Error if the store goes on refusing what it reads, or has lost records. */
  #noteRead(ids: readonly string[], records: readonly Versioned[], versions: readonly number[]): void {
    if (records.some(({ version }, index) => version < (versions[index] ?? 0)))
      throw new LostRecords('it has lost what was stored in it');
    for (const [index, id] of ids.entries()) {
      const record = records[index];
      if (record === undefined) continue;
      this.#known.set(id, record);
      this.#judgeRefusal(id, record.version);
    }
  }

  /** A read that still finds the refused version shows that no other process changed it. Only the first read counts. */
  #judgeRefusal(id: string, version: number): void {
    const refusals = this.#refusals.get(id);
    if (refusals === undefined) return;
    if (refusals.version !== version) {
      this.#refusals.set(id, { ...refusals, withoutReason: 0, isJudged: true });
    } else if (!refusals.isJudged) {
      const withoutReason = refusals.withoutReason + 1;
      this.#refusals.set(id, { ...refusals, withoutReason, isJudged: true });
      if (withoutReason >= MAX_REFUSALS)
        throw new Error(
          `swap() refused ${withoutReason} writes in a row of a record that no other process changed`,
        );
    }
  }

  /** @throws Error if the store goes on refusing. */
  #noteSwap(id: string, version: number, done: boolean, next: unknown): void {
    if (done) {
      this.#known.set(id, { version: version + 1, value: next });
      this.#refusals.delete(id);
      return;
    }
    const { count, withoutReason } = this.#refusals.get(id) ?? { count: 0, withoutReason: 0 };
    if (count + 1 >= MAX_LOST_RACES)
      throw new Error(`swap() refused ${count + 1} writes of a record in a row`);
    this.#refusals.set(id, { count: count + 1, withoutReason, version, isJudged: false });
  }

  /** Begins an outage, unless an operation that was under way at the same time has done so. */
  #fail(error: unknown, failedIds: readonly string[]): Outage {
    if (this.#outage !== undefined) return this.#outage;
    const now = this.#clock.monotonicMs();
    const isNew = now - this.#wellSince >= WELL_AFTER_MS;
    if (isNew) this.#pauseMs = FIRST_PAUSE_MS;
    this.#refusals.clear();
    this.#highestVersion += 1;
    const outage = { firstVersion: this.#highestVersion, changed: new Map(), failedIds, probeAt: 0 };
    this.#outage = outage;
    if (!(error instanceof LostRecords)) this.#pause(outage);
    const reason = error instanceof Error ? error.message : String(error);
    if (isNew)
      this.#warn(
        `The store failed: ${reason}. freelm keeps its state in memory until the store works again, and asks it from time to time.`,
      );
    return outage;
  }

  #pause(outage: Outage): void {
    outage.probeAt = this.#clock.monotonicMs() + this.#pauseMs;
    this.#pauseMs = Math.min(MAX_PAUSE_MS, this.#pauseMs * 2);
  }

  #readMemory(outage: Outage, ids: readonly string[]): readonly Versioned[] {
    this.#probeIfDue(outage);
    return ids.map((id) => this.#inMemory(outage, id));
  }

  #inMemory({ changed, firstVersion }: Outage, id: string): Versioned {
    return changed.get(id) ?? { version: firstVersion, value: this.#known.get(id)?.value };
  }

  #swapMemory(outage: Outage, id: string, expectedVersion: number, next: unknown): boolean {
    const record = this.#inMemory(outage, id);
    if (record.version !== expectedVersion) return false;
    const base = outage.changed.get(id)?.base ?? this.#known.get(id) ?? NOTHING;
    const version = expectedVersion + 1;
    this.#highestVersion = Math.max(this.#highestVersion, version);
    outage.changed.set(id, { version, value: next, base });
    return true;
  }

  #probeIfDue(outage: Outage): void {
    if (this.#clock.monotonicMs() < outage.probeAt) return;
    outage.probeAt = Number.POSITIVE_INFINITY;
    void this.#probe(outage);
  }

  /** Carries over what changed in memory, and ends the outage if nothing is left. Never rejects. */
  async #probe(outage: Outage): Promise<void> {
    try {
      const stored = await this.#readStored([...new Set([...outage.failedIds, ...this.#known.keys()])]);
      this.#addLost(outage, stored);
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const left = [...outage.changed].filter(([, { value, base }]) => value !== base.value);
        if (left.length === 0) {
          this.#end(stored);
          return;
        }
        for (const [id, record] of left) await this.#carryOver(outage, stored, id, record);
      }
    } catch {
      // The warning of the outage still holds.
    }
    this.#pause(outage);
  }

  async #readStored(ids: readonly string[]): Promise<Map<string, Versioned>> {
    const records = await this.#probed.read(ids);
    return new Map(ids.map((id, index) => [id, records[index] ?? NOTHING]));
  }

  /** A version below the known one shows that the store lost the record: all of it is carried over. */
  #addLost({ changed, firstVersion }: Outage, stored: ReadonlyMap<string, Versioned>): void {
    for (const [id, { version, value }] of this.#known) {
      if ((stored.get(id)?.version ?? 0) >= version) continue;
      const record = changed.get(id) ?? { version: firstVersion, value };
      changed.set(id, { ...record, base: LOST });
    }
  }

  /** Carries over one record. If another process is faster, the next round tries again with what it stored. */
  async #carryOver(
    { changed }: Outage,
    stored: Map<string, Versioned>,
    id: string,
    { value, base }: Changed,
  ): Promise<void> {
    const { version, value: before } = stored.get(id) ?? NOTHING;
    const isOurs = before === undefined || version === base.version;
    // Each process restores lost records. What another process has restored is not added again.
    const from = base === LOST ? before : base.value;
    const next = isOurs ? value : carriedOver(before, from, value, this.#clock.now());
    if (!(await this.#probed.swap(id, version, next))) {
      for (const entry of await this.#readStored([id])) stored.set(...entry);
      return;
    }
    stored.set(id, { version: version + 1, value: next });
    // Memory may have changed it again meanwhile.
    const now = changed.get(id);
    if (now !== undefined)
      changed.set(id, { ...now, base: { version: isOurs ? version + 1 : NO_VERSION, value } });
  }

  #end(stored: ReadonlyMap<string, Versioned>): void {
    for (const [id, record] of stored) this.#known.set(id, record);
    this.#wellSince = this.#clock.monotonicMs();
    this.#outage = undefined;
  }
}

/**
 * A store that never fails. If `store` hangs, throws, rejects, returns invalid data or keeps refusing to write, memory
 * takes its place, and `onWarning` is called once. The store is asked again after 5 s, then after up to 60 s. When it
 * works again, the changes made in the meantime are carried over to it. A synchronous store stays synchronous.
 */
export function withFallback(store: StateStore, options: FallbackOptions): StateStore {
  return new FallbackStore(store, options);
}
