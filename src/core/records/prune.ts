/** Keeps records small: what says nothing any more is dropped when something new is stored. spec 2.12 */

import type { CircuitBreaker } from '../circuit-breaker.ts';
import type { LimiterState } from '../limits/state.ts';
import { DAY_MS, HOUR_MS } from '../time.ts';
import type { AccountRecord } from './account.ts';
import { type ModelRecord, type ProviderRecord, trusted } from './provider.ts';
import { withoutOldMerges } from './shared-accounts.ts';

/** No moment that is stored lies farther from now. */
const FARTHEST_MS = 32 * DAY_MS;
/** What a limit was found to be is believed for so long. */
const LEARNT_MS = DAY_MS;
/** How long after its end a cooldown still tells how long the next one is. */
const COOLDOWN_KEPT_MS = 7 * DAY_MS;
/** Looking through all entries takes longer than adding one, so it is done for every so many. */
const ENTRIES_PER_PRUNING = 32;
/** Real pools have fewer. A caller can make up names of models; these must neither fill the disk nor displace older entries. */
const MAX_ENTRIES = 1000;

interface RecordPair {
  readonly account: AccountRecord;
  readonly provider: ProviderRecord;
}

type Entries<T> = Readonly<Record<string, T>>;

/** The entries for which `keep` holds; if these are too many, the oldest. */
function kept<T>(entries: Entries<T>, keep: (entry: T) => boolean): Entries<T> {
  const left = Object.entries(entries).filter(([, entry]) => keep(entry));
  return Object.fromEntries(left.slice(0, MAX_ENTRIES));
}

function isNear(at: number, now: number, ms: number): boolean {
  return Math.abs(now - at) <= ms;
}

/** Whether a limit's state differs from the empty one, now or in the future. */
function says({ spent, fullAt = 0, full, learnt, margin, pace, doubt }: LimiterState, now: number): boolean {
  return (
    spent.some(([at]) => at > now && isNear(at, now, FARTHEST_MS)) ||
    (fullAt > now && isNear(fullAt, now, FARTHEST_MS)) ||
    // A refusal soon after it doubles the next one. spec 5.6
    (full !== undefined && now - full.until <= full.until - full.since) ||
    (learnt !== undefined && isNear(learnt.at, now, LEARNT_MS)) ||
    (doubt !== undefined && isNear(doubt.at, now, LEARNT_MS)) ||
    (margin !== undefined && isNear(margin.at, now, LEARNT_MS)) ||
    (pace !== undefined && isNear(pace.at, now, HOUR_MS))
  );
}

function remembers(breaker: CircuitBreaker, now: number): boolean {
  if (breaker.state === 'closed')
    return breaker.failures > 0 || breaker.trips > 0 || breaker.failureRate !== undefined;
  const { avoidUntil = 0 } = breaker;
  const until = breaker.state === 'open' ? breaker.until : breaker.probeUntil;
  return now - Math.max(until, avoidUntil) <= COOLDOWN_KEPT_MS;
}

function isKnown(model: ModelRecord, now: number): boolean {
  const { breaker, learntAt: _, ...learnt } = trusted(model, now);
  return Object.keys(learnt).length > 0 || remembers(breaker, now);
}

function prunedAccount(record: AccountRecord, now: number): AccountRecord {
  return {
    ...record,
    limiters: kept(record.limiters, (limiter) => says(limiter, now)),
    models: kept(record.models, (breaker) => remembers(breaker, now)),
  };
}

function isBilled({ billed = 0 }: ModelRecord): boolean {
  return billed > 0;
}

function prunedProvider(record: ProviderRecord, now: number): ProviderRecord {
  const { suspicions, ...rest } = withoutOldMerges(record, now);
  const bills = Object.entries(record.models).filter(([, model]) => isBilled(model));
  const models = {
    ...kept(record.models, (model) => !isBilled(model) && isKnown(model, now)),
    // They are never forgotten.
    ...Object.fromEntries(bills),
  };
  if (suspicions === undefined) return { ...rest, models };
  const isFresh = (all: readonly { readonly at: number }[]): boolean =>
    all.some(({ at }) => isNear(at, now, FARTHEST_MS));
  return { ...rest, models, suspicions: kept(suspicions, isFresh) };
}

/** Whether entries were added, so many that it is time to look through all of them. */
function isDue(after: object, before: object): boolean {
  if (after === before) return false;
  const [count, countBefore] = [Object.keys(after).length, Object.keys(before).length];
  return Math.floor(count / ENTRIES_PER_PRUNING) > Math.floor(countBefore / ENTRIES_PER_PRUNING);
}

/** The changed records. Those that got new entries lose entries that say nothing any more. */
export function pruned<T extends RecordPair>(before: RecordPair, after: T, now: number): T {
  const { account, provider } = after;
  const isAccountDue =
    isDue(account.limiters, before.account.limiters) || isDue(account.models, before.account.models);
  const isProviderDue = isDue(provider.models, before.provider.models);
  if (!isAccountDue && !isProviderDue) return after;
  return {
    ...after,
    account: isAccountDue ? prunedAccount(account, now) : account,
    provider: isProviderDue ? prunedProvider(provider, now) : provider,
  };
}
