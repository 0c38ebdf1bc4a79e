import { isSoundRecord } from '../core/records/sound-record.ts';
import type { Clock, StateStore, Versioned } from '../ports.ts';

export interface StoreBounds {
  readonly clock: Clock;
  /** The longest that one operation may take. */
  readonly timeoutMs: number;
  /** Whether a running operation lets the process exit. */
  readonly background?: boolean;
}

function isVersioned(value: unknown): value is Versioned {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    typeof value.version === 'number' &&
    Number.isSafeInteger(value.version) &&
    value.version >= 0
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function readVersions(answer: unknown, count: number): readonly Versioned[] {
  if (!Array.isArray(answer) || answer.length !== count || !answer.every(isVersioned))
    throw new Error(`read() must answer with ${count} records of { version, value }`);
  // An unreadable record counts as missing. The next write replaces it.
  return answer.every(({ value }) => isSoundRecord(value))
    ? answer
    : answer.map((record) => (isSoundRecord(record.value) ? record : { ...record, value: undefined }));
}

function readDone(answer: unknown): boolean {
  if (typeof answer !== 'boolean') throw new Error('swap() must answer with true or false');
  return answer;
}

/** Settles with `work`, or rejects when its time is up. A later answer is ignored. */
function inTime(
  work: PromiseLike<unknown>,
  what: string,
  { clock, timeoutMs, background }: StoreBounds,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = (): void => {
      reject(new Error(`${what} took longer than ${timeoutMs} ms`));
    };
    // A process that was busy runs its timers before it reads data that has arrived. The second timer fires after that.
    let cancel = clock.after(
      timeoutMs / 2,
      () => {
        cancel = clock.after(timeoutMs / 2, late, background);
      },
      background,
    );
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => {
        cancel();
      });
  });
}

/**
 * A store that answers in time and in the right form, or throws an `Error` or rejects. Promises of any kind become
 * promises of this realm. A synchronous answer stays synchronous.
 */
export function checkedStore(store: StateStore, bounds: StoreBounds): StateStore {
  const ask = <T>(answer: unknown, what: string, read: (answer: unknown) => T): T | Promise<T> =>
    isThenable(answer) ? inTime(answer, what, bounds).then(read) : read(answer);
  return {
    read: (ids) => ask(store.read(ids), 'read()', (answer) => readVersions(answer, ids.length)),
    swap: (id, expectedVersion, next) => ask(store.swap(id, expectedVersion, next), 'swap()', readDone),
  };
}
