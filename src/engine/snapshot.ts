import { type AccountRecord, readAccountRecord } from '../core/records/account.ts';
import { type ProviderRecord, readProviderRecord } from '../core/records/provider.ts';
import type { PoolAccount, PoolProvider, Stage } from '../core/pool.ts';
import type { Records } from '../core/routing/question.ts';
import type { Versioned } from '../ports.ts';

function isSame(record: Versioned, other: Versioned | undefined): boolean {
  return record === other || (record.version === other?.version && record.value === other.value);
}

/** Records with the versions at which they were read. */
export class Snapshot implements Records {
  readonly #ids: RecordIds;
  readonly #read: readonly Versioned[];
  /** Epoch ms at which the oldest record was read, if not just now; 0 if one was never read. */
  readonly asOf: number | undefined;

  constructor(ids: RecordIds, read: readonly Versioned[], asOf?: number) {
    this.#ids = ids;
    this.#read = read;
    this.asOf = asOf;
  }

  provider(provider: PoolProvider): ProviderRecord {
    return readProviderRecord(this.#at(provider.recordId)?.value);
  }

  account(account: PoolAccount): AccountRecord {
    return readAccountRecord(this.#at(account.recordId)?.value);
  }

  /** Whether it consists of these records. */
  consistsOf(read: readonly Versioned[]): boolean {
    return this.#read.every((record, index) => isSame(record, read[index]));
  }

  versionOf(id: string): number {
    return this.#at(id)?.version ?? 0;
  }

  #at(id: string): Versioned | undefined {
    const index = this.#ids.indexes.get(id);
    return index === undefined ? undefined : this.#read[index];
  }
}

/** Record ids, and the index of each. */
export interface RecordIds {
  readonly all: readonly string[];
  readonly indexes: ReadonlyMap<string, number>;
}

export function indexed(ids: Iterable<string>): RecordIds {
  const all = [...ids];
  return { all, indexes: new Map(all.map((id, index) => [id, index])) };
}

/** The ids of all records of some stages. */
export function idsOf(stages: readonly Stage[]): RecordIds {
  const ids = new Set<string>();
  for (const stage of stages) {
    for (const { provider } of stage) {
      ids.add(provider.recordId);
      for (const account of provider.accounts) ids.add(account.recordId);
    }
  }
  return indexed(ids);
}
