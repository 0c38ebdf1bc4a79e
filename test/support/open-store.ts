import { memoryStore } from '../../src/adapters/memory-store.ts';
import { readAccountRecord } from '../../src/core/records/account.ts';
import type { StateStore, Versioned } from '../../src/index.ts';

/** The requests that a record has booked on each limit. Those that have returned by `now` are left out. */
function bookedIn(value: unknown, now = 0): Map<string, number> {
  return new Map(
    Object.entries(readAccountRecord(value).limiters).map(([name, { spent }]) => [
      name,
      spent.reduce((sum, [returnsAt, count]) => sum + (returnsAt > now ? count : 0), 0),
    ]),
  );
}

/** Counts what a process books in advance: requests that it books beside another one in one swap. */
export class SpareCounter {
  readonly #read = new Map<string, Versioned>();
  count = 0;

  noteRead(ids: readonly string[], records: readonly Versioned[]): void {
    for (const [index, id] of ids.entries()) {
      const record = records[index];
      if (record !== undefined) this.#read.set(id, record);
    }
  }

  noteSwap(id: string, version: number, next: unknown): void {
    const read = this.#read.get(id);
    if (read?.version === version) {
      const before = bookedIn(read.value);
      const booked = [...bookedIn(next)].map(([name, count]) => count - (before.get(name) ?? 0));
      this.count += Math.max(0, ...booked.map((count) => count - 1));
    }
  }
}

/** A store that also tells what it holds. */
export interface OpenStore extends StateStore {
  /** Requests that are booked now, by meter. */
  booked(now: number): number;
  readonly swaps: () => number;
  /** How many requests were booked in advance. */
  readonly spares: () => number;
}

export function openStore(): OpenStore {
  const store = memoryStore();
  const values = new Map<string, unknown>();
  const spares = new SpareCounter();
  let swaps = 0;
  return {
    read: (ids) => store.read(ids),
    swap: (id, version, next) => {
      swaps += 1;
      const done = store.swap(id, version, next);
      if (done !== true) return done;
      spares.noteRead([id], [{ version, value: values.get(id) }]);
      spares.noteSwap(id, version, next);
      values.set(id, next);
      return true;
    },
    booked: (now) =>
      [...values.values()].flatMap((value) => [...bookedIn(value, now).values()]).reduce((a, b) => a + b, 0),
    swaps: () => swaps,
    spares: () => spares.count,
  };
}
