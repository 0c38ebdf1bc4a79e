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

/** What is still believed of an account. */
function settled({ merged }: ProviderRecord, account: string, now: number): Merged | undefined {
  const known = merged?.[account];
  return known === undefined || Math.abs(now - known.at) > MERGED_MS ? undefined : known;
}

/** The account whose quotas `account` is known to share; itself when none. */
function rootOf(record: ProviderRecord, account: string, now: number): string {
  return settled(record, account, now)?.into ?? account;
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

function join(record: ProviderRecord, accounts: readonly string[], into: Merged): ProviderRecord {
  const others = accounts.filter((account) => account !== into.into);
  if (others.length === 0) return record;
  const merged = { ...record.merged };
  for (const account of others) {
    merged[account] = into;
    for (const [id, known] of Object.entries(merged)) if (known.into === account) merged[id] = into;
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
  if (first !== undefined) return join(record, [account], { into: rootOf(record, first, now), at: now });
  const isShared = Object.entries(record.merged ?? {}).some(
    ([id, { into }]) => into === account && id !== account,
  );
  if (isShared && isNamed(record, account)) return parted(record, account);
  return { ...record, identities: { ...record.identities, [identity]: account } };
}

/** One refusal, and how much of the limit the refused key had spent itself. */
export interface Surprise {
  readonly account: string;
  readonly bucket: string;
  readonly used: number;
  /** As the refusal states it, or as it is assumed. */
  readonly limit: number;
  /** Of the limit; refusals further apart speak of other windows. */
  readonly windowMs: number;
}

/** The accounts that were concluded to be one with `account`. */
function guessedWith(record: ProviderRecord, account: string, now: number): readonly string[] {
  return Object.keys(record.merged ?? {}).filter((id) => {
    const known = settled(record, id, now);
    return id !== account && known?.into === account && known.guessed === true;
  });
}

/** Whether others were concluded to be one with `account`. */
export function isRoot(record: ProviderRecord, account: string, now: number): boolean {
  return guessedWith(record, account, now).length > 0;
}

/** Takes accounts apart that were concluded to be one, for as long as they would have been it. */
function part(record: ProviderRecord, accounts: readonly string[], now: number): ProviderRecord {
  const apart = accounts.map((id): [string, Merged] => [id, { into: id, at: now, guessed: true }]);
  return { ...record, merged: { ...record.merged, ...Object.fromEntries(apart) } };
}

/**
 * A key was refused with less spent than its limit: somebody else spends on its account. When the keys of this pool that
 * were surprised so add up to that limit, it was they. When it is refused again before that limit is spent, it was not.
 */
export function suspected(record: ProviderRecord, surprise: Surprise, now: number): ProviderRecord {
  const { account, bucket, used, limit, windowMs } = surprise;
  if (limit < LEAST_LIMIT || used >= limit * (1 - TOLERANCE)) return record;
  const together = guessedWith(record, account, now);
  if (together.length > 0) return part(record, [account, ...together], now);
  // Whoever was sent before it was known tells nothing new.
  if (settled(record, account, now) !== undefined) return record;
  const others = (record.suspicions?.[bucket] ?? []).filter(
    (other) =>
      other.account !== account &&
      other.limit === limit &&
      Math.abs(now - other.at) < windowMs &&
      !areApart(record, account, other.account),
  );
  const all: readonly Suspicion[] = [...others, { account, used, limit, at: now }];
  const sum = all.reduce((total, one) => total + one.used, 0);
  const isWhole = others.length > 0 && Math.abs(sum - limit) <= Math.max(1, limit * TOLERANCE);
  const noted = { ...record, suspicions: { ...record.suspicions, [bucket]: isWhole ? [] : all } };
  const accounts = all.map((one) => one.account);
  return isWhole ? join(noted, accounts, { into: account, at: now, guessed: true }) : noted;
}

/** The accounts that are known to share another one's quotas, and were not before. */
export function newlyMerged(before: ProviderRecord, { merged = {} }: ProviderRecord): readonly string[] {
  if (merged === before.merged) return [];
  return Object.entries(merged).flatMap(([id, { into }]) =>
    into !== id && into !== before.merged?.[id]?.into ? [id] : [],
  );
}
