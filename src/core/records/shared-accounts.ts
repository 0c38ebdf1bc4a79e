/** Finds keys that share an account, and groups a provider's accounts accordingly. spec 5.9 */

import type { Failure } from '../failure.ts';
import { entryOf } from '../json.ts';
import type { PoolAccount, PoolProvider } from '../pool.ts';
import type { Merged, ProviderRecord, Suspicion } from './provider.ts';
import { DAY_MS } from '../time.ts';

/** What the provider reported about an account is forgotten after this long. */
const REPORTED_MS = 7 * DAY_MS;
/** A conclusion from used quota is forgotten sooner: a key that pauses for nothing is never refused, so no refusal corrects it. */
const GUESSED_MS = DAY_MS;
/** The quota that several keys used may differ from the limit by this part of it. */
const TOLERANCE = 0.15;
/** Smaller limits are no evidence, because small numbers add up by chance. */
const LEAST_LIMIT = 5;
/** A provider that names an account anew each time fills no disk. */
const MAX_NAMES = 500;

function trustedMs(account: string, { into, guessed }: Merged): number {
  return guessed === true && into !== account ? GUESSED_MS : REPORTED_MS;
}

/** What is known at `now` about an account's sharing. */
function mergedOf({ merged }: ProviderRecord, account: string, now: number): Merged | undefined {
  const known = entryOf(merged, account);
  return known === undefined || Math.abs(now - known.at) > trustedMs(account, known) ? undefined : known;
}

/** The record without merges that are no longer believed. spec 2.12 */
export function withoutOldMerges(record: ProviderRecord, now: number): ProviderRecord {
  if (record.merged === undefined) return record;
  const entries = Object.entries(record.merged);
  const fresh = entries.filter(([account]) => mergedOf(record, account, now) !== undefined);
  return fresh.length === entries.length ? record : { ...record, merged: Object.fromEntries(fresh) };
}

/** The account whose quotas `account` shares, or itself. */
function rootOf(record: ProviderRecord, account: string, now: number): string {
  return mergedOf(record, account, now)?.into ?? account;
}

interface Grouped {
  readonly merged: ProviderRecord['merged'];
  readonly accounts: readonly PoolAccount[];
  /** Epoch ms at which the grouping expires. */
  readonly until: number;
}

/** The last grouping of each provider, because every decision asks for it. */
const groups = new WeakMap<PoolProvider, Grouped>();

function groupAccounts({ accounts }: PoolProvider, record: ProviderRecord, now: number): Grouped {
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
  const ends = Object.entries(record.merged ?? {}).map(([id, known]) => known.at + trustedMs(id, known));
  const until = Math.min(...ends.filter((end) => end >= now)) + 1;
  return { merged: record.merged, accounts: together, until };
}

/** A provider's accounts. Accounts that are known to share quotas are one, with the keys of all. */
export function accountsOf(
  provider: PoolProvider,
  record: ProviderRecord,
  now: number,
): readonly PoolAccount[] {
  if (record.merged === undefined) return provider.accounts;
  let known = groups.get(provider);
  if (known?.merged !== record.merged || now >= known.until) {
    known = groupAccounts(provider, record, now);
    groups.set(provider, known);
  }
  return known.accounts;
}

/** The other accounts that are merged into `account`. */
function membersOf(record: ProviderRecord, account: string, now: number): readonly string[] {
  return Object.keys(record.merged ?? {}).filter(
    (id) => id !== account && mergedOf(record, id, now)?.into === account,
  );
}

/** The record with accounts merged, each with those that were merged into it. */
function withMerged(record: ProviderRecord, accounts: readonly string[], into: Merged): ProviderRecord {
  const others = accounts.filter((account) => account !== into.into);
  if (others.length === 0) return record;
  const all = others.flatMap((account) => [account, ...membersOf(record, account, into.at)]);
  return { ...record, merged: { ...record.merged, ...Object.fromEntries(all.map((id) => [id, into])) } };
}

function isNamed({ identities = {} }: ProviderRecord, account: string): boolean {
  return Object.values(identities).includes(account);
}

/** Whether the provider has different names for two accounts: `identities` keeps one account for each name. */
function haveDifferentNames(record: ProviderRecord, one: string, other: string): boolean {
  return isNamed(record, one) && isNamed(record, other);
}

/** The record without merges into the account. Its names are forgotten, because it is not known which account had which. */
function withoutMerges(
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
 * The record after a failure that names its account. The same name for two of our accounts merges them. A second name
 * for merged accounts parts them. spec 5.9
 */
export function withIdentity(
  record: ProviderRecord,
  account: string,
  { identity }: Failure,
  now: number,
): ProviderRecord {
  if (identity === undefined) return record;
  const first = entryOf(record.identities, identity);
  if (first === account) return record;
  if (first !== undefined)
    return withMerged(record, [account], { into: rootOf(record, first, now), at: now });
  if (isNamed(record, account) && membersOf(record, account, now).length > 0)
    return withoutMerges(record, account);
  const known = Object.entries(record.identities ?? {}).slice(1 - MAX_NAMES);
  return { ...record, identities: Object.fromEntries([...known, [identity, account]]) };
}

/** A refusal, and how much of the limit the refused key had used itself. */
export interface Surprise {
  readonly account: string;
  readonly limiter: string;
  readonly used: number;
  /** The limit that the refusal reports, or the assumed one. */
  readonly max: number;
  /** The limit's window. Refusals that lie further apart are not compared. */
  readonly windowMs: number;
}

/** The accounts that were merged into `account` by suspicion. */
function guessedWith(record: ProviderRecord, account: string, now: number): readonly string[] {
  return membersOf(record, account, now).filter((id) => entryOf(record.merged, id)?.guessed === true);
}

/** Whether other accounts were merged into `account` by suspicion. */
export function isRoot(record: ProviderRecord, account: string, now: number): boolean {
  return guessedWith(record, account, now).length > 0;
}

/** The record with accounts that are their own, so that they are not merged by suspicion for a while. */
function withSeparate(record: ProviderRecord, accounts: readonly string[], now: number): ProviderRecord {
  const apart = accounts.map((id): [string, Merged] => [id, { into: id, at: now, guessed: true }]);
  return { ...record, merged: { ...record.merged, ...Object.fromEntries(apart) } };
}

/**
 * The record after a key was refused before it had used the limit. If the keys of this pool that were refused in this
 * way together used that limit, they share an account. If a merged account is refused in this way again, its keys do
 * not share one. spec 5.9
 */
export function withSuspicion(record: ProviderRecord, surprise: Surprise, now: number): ProviderRecord {
  const { account, limiter, used, max, windowMs } = surprise;
  if (max < LEAST_LIMIT || used >= max * (1 - TOLERANCE)) return record;
  const together = guessedWith(record, account, now);
  if (together.length > 0) return withSeparate(record, [account, ...together], now);
  // The request was sent before the merge was known.
  if (mergedOf(record, account, now) !== undefined) return record;
  const others = (entryOf(record.suspicions, limiter) ?? []).filter(
    (other) =>
      other.account !== account &&
      other.max === max &&
      Math.abs(now - other.at) < windowMs &&
      !haveDifferentNames(record, account, other.account),
  );
  const all: readonly Suspicion[] = [...others, { account, used, max, at: now }];
  const sum = all.reduce((total, one) => total + one.used, 0);
  const isWhole = others.length > 0 && Math.abs(sum - max) <= Math.max(1, max * TOLERANCE);
  const noted = { ...record, suspicions: { ...record.suspicions, [limiter]: isWhole ? [] : all } };
  const accounts = all.map((one) => one.account);
  return isWhole ? withMerged(noted, accounts, { into: account, at: now, guessed: true }) : noted;
}

/** The accounts that are merged now and were not before. */
export function newlyMerged(before: ProviderRecord, { merged = {} }: ProviderRecord): readonly string[] {
  if (merged === before.merged) return [];
  return Object.entries(merged).flatMap(([id, { into }]) =>
    into !== id && into !== entryOf(before.merged, id)?.into ? [id] : [],
  );
}
