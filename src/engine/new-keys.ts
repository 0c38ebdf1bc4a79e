import { readAccountRecord } from '../core/records/account.ts';
import { newKeysOf, withNewKeys } from '../core/records/key-list.ts';
import { withProvenKey } from '../core/records/proof.ts';
import { readProviderRecord } from '../core/records/provider.ts';
import type { PoolProvider, Stage } from '../core/pool.ts';
import type { Snapshot } from './snapshot.ts';

/** A change of one record by itself. */
export interface Rewrite {
  readonly id: string;
  readonly change: (value: unknown) => unknown;
}

/** The changes of the records if they do not contain some of a provider's keys. */
function rewritesFor(provider: PoolProvider, snapshot: Snapshot): readonly Rewrite[] {
  const keyIds = new Set(newKeysOf(snapshot.provider(provider), provider));
  if (keyIds.size === 0) return [];
  const accounts = provider.accounts.map((account): Rewrite => ({
    id: account.recordId,
    change: (value) =>
      value === undefined
        ? value
        : account.keyIds.filter((id) => keyIds.has(id)).reduce(withProvenKey, readAccountRecord(value)),
  }));
  // The list is stored last, so that a process that ends early repeats the change.
  return [
    ...accounts,
    { id: provider.recordId, change: (value) => withNewKeys(readProviderRecord(value), provider) },
  ];
}

/** Finds keys that the stored records do not know. Looks at each provider once. spec 5.15 */
export class NewKeys {
  readonly #seen = new WeakSet<object>();

  rewritesFor(stages: readonly Stage[], snapshot: Snapshot): readonly Rewrite[] {
    if (this.#isSeen(stages)) return [];
    return stages
      .flatMap((stage) => stage.map(({ provider }) => provider))
      .filter((provider) => !this.#isSeen(provider))
      .flatMap((provider) => rewritesFor(provider, snapshot));
  }

  #isSeen(thing: object): boolean {
    const isSeen = this.#seen.has(thing);
    this.#seen.add(thing);
    return isSeen;
  }
}
