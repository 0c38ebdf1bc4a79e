/** Keys that turned out to share an account: what is learnt of it, and the accounts as they then are. */

import type { Failure } from './failure.ts';
import type { PoolAccount, PoolProvider } from './pool.ts';
import type { Merged, ProviderRecord, Suspicion } from './provider-record.ts';

/** That two keys share an account is believed for this long. */
const MERGED_MS = 7 * 24 * 60 * 60 * 1000;
/** What several keys spent adds up to the stated limit, give or take this part of it. */
const TOLERANCE = 0.15;
/** No smaller limit tells: small numbers add up by chance. */
const LEAST_LIMIT = 5;

/** The account whose quotas `account` is known to share; itself when none. */
function rootOf({ merged }: ProviderRecord, account: string, now: number): string {
  const known = merged?.[account];
  return known === undefined || Math.abs(now - known.at) > MERGED_MS ? account : known.into;
}

/** The accounts that turned out to be another one's between two records. */
export function newlyMerged(
  { merged: before = {} }: ProviderRecord,
  { merged: after = {} }: ProviderRecord,
): readonly string[] {
  if (after === before) return [];
  return Object.keys(after).filter((account) => after[account]?.into !== before[account]?.into);
}

interface Grouped {
  readonly accounts: readonly PoolAccount[];
  /** Epoch ms from which it must be done anew. */
  readonly until: number;
}

const groups = new WeakMap<Readonly<Record<string, Merged>>, Grouped>();

function grouped({ accounts }: PoolProvider, record: ProviderRecord, now: number): Grouped {
  const members = new Map<string, PoolAccount[]>();
  for (const account of accounts) {
    const root = rootOf(record, account.id, now);
    const group = members.get(root);
    if (group === undefined) members.set(root, [account]);
    else group.push(account);
  }
  const merged = [...members].flatMap(([id, group]) => {
    const root = group.find((account) => account.id === id) ?? group[0];
    if (root === undefined) return [];
    return [{ ...root, keyIds: group.flatMap(({ keyIds }) => keyIds) }];
  });
  const until = Math.min(
    ...Object.values(record.merged ?? {}).flatMap(({ at }) => (at + MERGED_MS > now ? [at + MERGED_MS] : [])),
  );
  return { accounts: merged, until };
}

/** A provider's accounts as far as it is known which of its keys share one. */
export function accountsOf(
  provider: PoolProvider,
  record: ProviderRecord,
  now: number,
): readonly PoolAccount[] {
  if (record.merged === undefined) return provider.accounts;
  let known = groups.get(record.merged);
  if (known === undefined || now >= known.until) {
    known = grouped(provider, record, now);
    groups.set(record.merged, known);
  }
  return known.accounts;
}

function join(
  record: ProviderRecord,
  accounts: readonly string[],
  into: string,
  now: number,
): ProviderRecord {
  const others = accounts.filter((account) => account !== into);
  if (others.length === 0) return record;
  const merged = { ...record.merged };
  for (const account of others) {
    merged[account] = { into, at: now };
    for (const [id, known] of Object.entries(merged))
      if (known.into === account) merged[id] = { into, at: now };
  }
  return { ...record, merged };
}

function isNamed({ identities = {} }: ProviderRecord, account: string): boolean {
  return Object.values(identities).includes(account);
}

/** Whether two accounts are called differently: each name is the first account's that was called so. */
function areApart(record: ProviderRecord, one: string, other: string): boolean {
  return isNamed(record, one) && isNamed(record, other);
}

/** Nobody is merged into the account any more; which of its names was whose is not known. */
function parted(
  { identities = {}, merged = {}, ...record }: ProviderRecord,
  account: string,
): ProviderRecord {
  return {
    ...record,
    identities: Object.fromEntries(Object.entries(identities).filter(([, named]) => named !== account)),
    merged: Object.fromEntries(Object.entries(merged).filter(([, { into }]) => into !== account)),
  };
}

/**
 * What a provider calls an account is the same for two keys: they share it. A second name for accounts that were held to
 * be one shows that they are not.
 */
export function identified(
  record: ProviderRecord,
  account: string,
  { identity }: Failure,
  now: number,
): ProviderRecord {
  if (identity === undefined) return record;
  const first = record.identities?.[identity];
  if (first === account) return record;
  if (first !== undefined) return join(record, [account], rootOf(record, first, now), now);
  const isShared = Object.values(record.merged ?? {}).some(({ into }) => into === account);
  if (isShared && isNamed(record, account)) return parted(record, account);
  return { ...record, identities: { ...record.identities, [identity]: account } };
}

/** One refusal that names its limit, and how much of it the refused key had spent itself. */
export interface Surprise {
  readonly account: string;
  readonly bucket: string;
  readonly used: number;
  readonly limit: number;
  /** Of the limit; refusals further apart speak of other windows. */
  readonly windowMs: number;
}

/**
 * A key was refused with less spent than the stated limit: somebody else spends on its account. When the keys of this
 * pool that were surprised so add up to that limit, it was they.
 */
export function suspected(record: ProviderRecord, surprise: Surprise, now: number): ProviderRecord {
  const { account, bucket, used, limit, windowMs } = surprise;
  if (limit < LEAST_LIMIT || used >= limit * (1 - TOLERANCE)) return record;
  const others = (record.suspicions?.[bucket] ?? []).filter(
    (other) =>
      other.account !== account &&
      other.limit === limit &&
      Math.abs(now - other.at) < windowMs &&
      !areApart(record, account, other.account),
  );
  const all: readonly Suspicion[] = [...others, { account, used, limit, at: now }];
  const sum = all.reduce((total, one) => total + one.used, 0);
  const [first] = others;
  const together = first !== undefined && Math.abs(sum - limit) <= Math.max(1, limit * TOLERANCE);
  const suspicions = { ...record.suspicions, [bucket]: together ? [] : all };
  const noted = { ...record, suspicions };
  return together
    ? join(
        noted,
        all.map((one) => one.account),
        first.account,
        now,
      )
    : noted;
}
