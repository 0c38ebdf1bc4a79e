/** Keys that turned out to share an account: what is learnt of it, and the accounts as they then are. */

import type { Failure } from '../failure.ts';
import type { PoolAccount, PoolProvider } from '../pool.ts';
import type { Merged, ProviderRecord, Suspicion } from './provider.ts';
import { DAY_MS } from '../time.ts';

/** What is known of an account is believed for this long; */
const KNOWN_MS = 7 * DAY_MS;
/** that it is another one's, by what was spent alone, for this long: keys that rest for nothing are never refused. */
const GUESSED_MS = DAY_MS;
/** What several keys spent adds up to the stated limit, give or take this part of it. */
const TOLERANCE = 0.15;
/** No smaller limit tells: small numbers add up by chance. */
const LEAST_LIMIT = 5;

function beliefMs(account: string, { into, guessed }: Merged): number {
  return guessed === true && into !== account ? GUESSED_MS : KNOWN_MS;
}

/** What is still believed of an account. */
function settled({ merged }: ProviderRecord, account: string, now: number): Merged | undefined {
  const known = merged?.[account];
  return known === undefined || Math.abs(now - known.at) > beliefMs(account, known) ? undefined : known;
}

/** The account whose quotas `account` is known to share; itself when none. */
function rootOf(record: ProviderRecord, account: string, now: number): string {
  return settled(record, account, now)?.into ?? account;
}

interface Grouped {
  readonly merged: ProviderRecord['merged'];
  readonly accounts: readonly PoolAccount[];
  /** Epoch ms from which it must be done anew. */
  readonly until: number;
}

/** What was found last, by provider: its accounts are asked for at every turn. */
const groups = new WeakMap<PoolProvider, Grouped>();

function grouped({ accounts }: PoolProvider, record: ProviderRecord, now: number): Grouped {
  const members = new Map<string, PoolAccount[]>();
  for (const account of accounts) {
    const root = rootOf(record, account.id, now);
    const group = members.get(root);
    if (group === undefined) members.set(root, [account]);
    else group.push(account);
  }
  const together = [...members].flatMap(([id, group]) => {
    const root = group.find((account) => account.id === id) ?? group[0];
    if (root === undefined) return [];
    return [{ ...root, keyIds: group.flatMap(({ keyIds }) => keyIds) }];
  });
  const ends = Object.entries(record.merged ?? {}).map(([id, known]) => known.at + beliefMs(id, known));
  const until = Math.min(...ends.filter((end) => end >= now)) + 1;
  return { merged: record.merged, accounts: together, until };
}

/** A provider's accounts as far as it is known which of its keys share one. */
export function accountsOf(
  provider: PoolProvider,
  record: ProviderRecord,
  now: number,
): readonly PoolAccount[] {
  if (record.merged === undefined) return provider.accounts;
  let known = groups.get(provider);
  if (known?.merged !== record.merged || now >= known.until) {
    known = grouped(provider, record, now);
    groups.set(provider, known);
  }
  return known.accounts;
}

/** The other accounts that are believed to be one with `account`. */
function membersOf(record: ProviderRecord, account: string, now: number): readonly string[] {
  return Object.keys(record.merged ?? {}).filter(
    (id) => id !== account && settled(record, id, now)?.into === account,
  );
}

/** Merges accounts, each with those that were merged into it. */
function join(record: ProviderRecord, accounts: readonly string[], into: Merged): ProviderRecord {
  const others = accounts.filter((account) => account !== into.into);
  if (others.length === 0) return record;
  const all = others.flatMap((account) => [account, ...membersOf(record, account, into.at)]);
  return { ...record, merged: { ...record.merged, ...Object.fromEntries(all.map((id) => [id, into])) } };
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
  if (isNamed(record, account) && membersOf(record, account, now).length > 0) return parted(record, account);
  return { ...record, identities: { ...record.identities, [identity]: account } };
}

/** One refusal, and how much of the limit the refused key had spent itself. */
export interface Surprise {
  readonly account: string;
  readonly limiter: string;
  readonly used: number;
  /** As the refusal states it, or as it is assumed. */
  readonly max: number;
  /** Of the limit; refusals further apart speak of other windows. */
  readonly windowMs: number;
}

/** The accounts that were concluded to be one with `account`. */
function guessedWith(record: ProviderRecord, account: string, now: number): readonly string[] {
  return membersOf(record, account, now).filter((id) => record.merged?.[id]?.guessed === true);
}

/** Whether others were concluded to be one with `account`. */
export function isRoot(record: ProviderRecord, account: string, now: number): boolean {
  return guessedWith(record, account, now).length > 0;
}

/** Takes accounts apart that were concluded to be one: they are not taken for it again for long. */
function part(record: ProviderRecord, accounts: readonly string[], now: number): ProviderRecord {
  const apart = accounts.map((id): [string, Merged] => [id, { into: id, at: now, guessed: true }]);
  return { ...record, merged: { ...record.merged, ...Object.fromEntries(apart) } };
}

/**
 * A key was refused with less spent than its limit: somebody else spends on its account. When the keys of this pool that
 * were surprised so add up to that limit, it was they. When it is refused again before that limit is spent, it was not.
 */
export function suspected(record: ProviderRecord, surprise: Surprise, now: number): ProviderRecord {
  const { account, limiter, used, max, windowMs } = surprise;
  if (max < LEAST_LIMIT || used >= max * (1 - TOLERANCE)) return record;
  const together = guessedWith(record, account, now);
  if (together.length > 0) return part(record, [account, ...together], now);
  // Whoever was sent before it was known tells nothing new.
  if (settled(record, account, now) !== undefined) return record;
  const others = (record.suspicions?.[limiter] ?? []).filter(
    (other) =>
      other.account !== account &&
      other.max === max &&
      Math.abs(now - other.at) < windowMs &&
      !areApart(record, account, other.account),
  );
  const all: readonly Suspicion[] = [...others, { account, used, max, at: now }];
  const sum = all.reduce((total, one) => total + one.used, 0);
  const isWhole = others.length > 0 && Math.abs(sum - max) <= Math.max(1, max * TOLERANCE);
  const noted = { ...record, suspicions: { ...record.suspicions, [limiter]: isWhole ? [] : all } };
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
