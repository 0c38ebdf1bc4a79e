/** Which keys a provider's record knows, and what is forgotten when a pool has others. spec 5.15 */

import type { PoolProvider } from '../pool.ts';
import { withProvenProvider } from './proof.ts';
import type { Merged, ProviderRecord } from './provider.ts';

/** More than a pool has. Keys that were replaced long ago need not be known. */
const MAX_KEYS = 500;

function keyIdsOf({ accounts }: PoolProvider): readonly string[] {
  return accounts.flatMap(({ keyIds }) => keyIds);
}

/** The keys of a pool that are new to a record. A record without a list remembers nothing yet. */
export function newKeysOf({ keys }: ProviderRecord, provider: PoolProvider): readonly string[] {
  if (keys === undefined) return [];
  const known = new Set(keys);
  return keyIdsOf(provider).filter((keyId) => !known.has(keyId));
}

/** The record with a list of keys: that of the pool if it has none. */
export function withKeyList(record: ProviderRecord, provider: PoolProvider): ProviderRecord {
  return record.keys === undefined ? { ...record, keys: keyIdsOf(provider) } : record;
}

/** Whether the provider itself reported that the account shares quotas. */
function isReported([, { guessed }]: readonly [string, Merged]): boolean {
  return guessed !== true;
}

/**
 * The record after a pool came with new keys. A new key is a sign that its user has repaired something, so the record forgets
 * all refusals and what was guessed of accounts. What the provider reported and what models can do stays.
 */
export function withNewKeys(record: ProviderRecord, provider: PoolProvider): ProviderRecord {
  const { suspicions: _, merged = {}, keys = [], ...rest } = withProvenProvider(record);
  const own = keyIdsOf(provider);
  const others = keys.filter((keyId) => !own.includes(keyId));
  const reported = Object.entries(merged).filter(isReported);
  return {
    ...rest,
    ...(reported.length > 0 && { merged: Object.fromEntries(reported) }),
    keys: [...own, ...others].slice(0, Math.max(own.length, MAX_KEYS)),
  };
}
