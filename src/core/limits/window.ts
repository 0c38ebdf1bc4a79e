/** The state of a limit: how much is used, when a cost is admitted, charges and refunds. spec 3 */

import { horizonMs, type Limit, type TokenBucketLimit, returnsAt, windowOf } from './limit.ts';
import { type Pace, paceReadyAt, withPacedRequest } from './pace.ts';
import { DAY_MS, liesAhead, SECOND_MS } from '../time.ts';

/** A learnt limit is forgotten after this long, and the assumed one counts again. */
const LEARNT_MS = DAY_MS;
/** Share of a learnt limit's requests that may probe whether the limit has risen: one in this many. */
const REQUESTS_PER_PROBE = 200;
/** The most windows between two probes. */
const WINDOWS_PER_PROBE = 30;
/** Of the requests at an assumed limit, about one in this many tries more, if it is admitted. */
const REQUESTS_PER_TRY = 24;
/** A request that was not refused for so long lets a try grow. */
const UNREFUSED_MS = SECOND_MS;
/** The pause before the next try grows by this factor with each try in a row that is refused. */
const PAUSE_GROWTH = 3;
/** A try goes beyond what is known to pass by at most one in this many, but by what a probe needs. */
const PASSED_PER_STEP = 4;
/** Probes are spread by this part, so that limits learnt together are not probed together. */
const SPREAD = 0.25;

/** Quota that returns within this time may already have returned at the provider. */
const UNSURE_MS = 1500;
/** Upper bound of the same, as a part of the window. */
const UNSURE_SHARE = 1 / 40;

/** How long in ms before its moment spent quota may already have returned at the provider. spec 3.6 */
function unsureMs(limit: Limit): number {
  return limit.marginMs + Math.min(UNSURE_MS, windowOf(limit) * UNSURE_SHARE);
}

/** What was learnt of the limit, unless it is too old. */
export function believed({ learnt }: LimiterState, now: number): LimiterState['learnt'] {
  return learnt === undefined || Math.abs(now - learnt.at) > LEARNT_MS ? undefined : learnt;
}

/** The doubt about the last refusal, unless it is too old. */
export function believedDoubt({ doubt }: LimiterState, now: number): LimiterState['doubt'] {
  return doubt === undefined || Math.abs(now - doubt.at) > LEARNT_MS ? undefined : doubt;
}

/** The learnt limit, unless it is too old. */
export function learntMax(limiter: LimiterState, now: number): number | undefined {
  return believed(limiter, now)?.max;
}

/**
 * How far a probe goes beyond a learnt limit. With evenly spaced requests some quota is always about to return, so one
 * more request might not exceed the limit at all. spec 3.6
 */
function stepOf(learnt: number, limit: Limit): number {
  const unsure = unsureMs(limit);
  return 1 + Math.floor((learnt * unsure) / Math.max(1, windowOf(limit) - unsure));
}

/** Whether to try more than the learnt limit now. spec 3.6 */
function isProbing({ learnt }: LimiterState, limit: Limit, now: number): boolean {
  if (limit.unit !== 'requests' || learnt === undefined || learnt.max >= limit.max) return false;
  if (limit.assumed === true && learnt.stated === true) return false;
  if (learnt.increasing === true) return true;
  const chance = (learnt.at % 1000) / 1000;
  const requests = REQUESTS_PER_PROBE * stepOf(learnt.max, limit);
  const windows = Math.min(WINDOWS_PER_PROBE, requests / learnt.max);
  return now - learnt.at >= windows * (1 - SPREAD + 2 * SPREAD * chance) * windowOf(limit);
}

/** The limit in force: the learnt one, a little more while it is probed, or the configured one. spec 3.6 */
export function maxInForce(limiter: LimiterState, limit: Limit, now: number): number {
  return Math.min(doubtedMax(limiter, now), maxBeforeDoubt(limiter, limit, now));
}

/** The limit that the account may have; Infinity if that is not in doubt. spec 5.18 */
function doubtedMax(limiter: LimiterState, now: number): number {
  return believedDoubt(limiter, now)?.max ?? Number.POSITIVE_INFINITY;
}

/** The limit in force if nothing were in doubt. */
export function maxBeforeDoubt(limiter: LimiterState, limit: Limit, now: number): number {
  const learnt = learntMax(limiter, now);
  if (learnt === undefined) return limit.max;
  return isProbing(limiter, limit, now) ? Math.min(limit.max, learnt + stepOf(learnt, limit)) : learnt;
}

/** The most requests that are known to pass, where more may be tried; undefined if no more may be. spec 3.14 */
export function certainMax(limiter: LimiterState, limit: Limit, now: number): number | undefined {
  if (limit.assumed !== true || limit.unit !== 'requests' || limit.kind === 'token-bucket') return undefined;
  const doubted = doubtedMax(limiter, now);
  if (doubted < maxBeforeDoubt(limiter, limit, now)) return doubted;
  const learnt = believed(limiter, now);
  if (learnt === undefined) return limit.max;
  return learnt.max < limit.max || learnt.stated === true ? undefined : learnt.max;
}

/** A try of more than an assumed limit: requests beyond it, a few at first. */
interface Try {
  /** How many requests are known to pass. */
  readonly certain: number;
  /** Whether the account's limit is in doubt: then the try shows whether it is as low as that. spec 5.18 */
  readonly isDoubted: boolean;
  /** Epoch ms from which it may begin. */
  readonly at: number;
  /** How many requests it admits by now. */
  readonly max: number;
  /** Epoch ms from which it admits more. */
  readonly growsAt: number;
  /** How many requests pass if it succeeds. */
  readonly target: number;
}

/** The try under way; undefined if there is none, or its lesson was learnt. */
function presentTry({ tried, learnt }: LimiterState, limit: Limit, now: number): LimiterState['tried'] {
  if (tried === undefined || now < tried.at || now - tried.at > windowOf(limit)) return undefined;
  return learnt !== undefined && tried.at < learnt.at ? undefined : tried;
}

/** The present or next try of more than an assumed limit; undefined if no more may be tried. spec 3.14 */
function tryOf(limiter: LimiterState, limit: Limit, now: number): Try | undefined {
  const certain = certainMax(limiter, limit, now);
  if (certain === undefined) return undefined;
  const { at: learntAt, run = 0 } = believed(limiter, now) ?? {};
  const { from, at } = presentTry(limiter, limit, now) ?? { from: certain, at: undefined };
  const least = stepOf(from, limit);
  const wide = Math.min(least * 2 ** Math.max(0, run), Math.floor(from / PASSED_PER_STEP));
  const isDoubted = doubtedMax(limiter, now) === certain;
  const target = isDoubted ? maxBeforeDoubt(limiter, limit, now) : from + Math.max(least, wide);
  if (at !== undefined) {
    // Each second without a refusal, twice as many and one more.
    const seconds = Math.floor((now - at) / UNREFUSED_MS);
    const max = Math.min(target, from + 2 ** (seconds + 1) - 1);
    const growsAt = max === target ? Number.POSITIVE_INFINITY : at + (seconds + 1) * UNREFUSED_MS;
    return { certain, isDoubted, at, max, growsAt, target };
  }
  const windows = (REQUESTS_PER_TRY / certain) * PAUSE_GROWTH ** Math.max(0, -run - 1);
  const pauseMs = Math.ceil(Math.min(WINDOWS_PER_PROBE, windows) * windowOf(limit));
  const begins = learntAt === undefined || isDoubted ? 0 : learntAt + pauseMs;
  return { certain, isDoubted, at: begins, max: certain + 1, growsAt: Number.POSITIVE_INFINITY, target };
}

/** The limit in force, or a little more while an assumed one is tried. spec 3.14 */
export function maxTried(limiter: LimiterState, limit: Limit, now: number): number {
  const next = tryOf(limiter, limit, now);
  return next === undefined || next.at > now ? maxInForce(limiter, limit, now) : next.max;
}

/** The limit with the learnt margin, if that is wider. */
export function withLearntMargin({ margin }: LimiterState, limit: Limit, now: number): Limit {
  if (margin === undefined || margin.ms <= limit.marginMs || Math.abs(now - margin.at) > LEARNT_MS)
    return limit;
  return { ...limit, marginMs: margin.ms };
}

/** How long in ms one token of a token bucket takes to return. */
function refillMs(limiter: LimiterState, limit: TokenBucketLimit, now: number): number {
  return limit.windowMs / Math.max(1, maxInForce(limiter, limit, now));
}

/** How long in ms a token bucket takes to be full; 0 if it is full. */
function drainedMs({ fullAt = 0 }: LimiterState, limit: Limit, now: number): number {
  return fullAt <= now || fullAt > now + horizonMs(limit) ? 0 : fullAt - now;
}

/** How much is used at `now`, whatever the network delay. */
function surelyUsed(limiter: LimiterState, limit: Limit, now: number): number {
  if (limit.kind === 'token-bucket') return usedOf(limiter, limit, now);
  return sumOf(limiter.spent, now + unsureMs(limit), horizonMs(limit));
}

/** How much of the window was not refused, without what the provider counts no more by now. */
function passedOf({ spent, refused = [] }: LimiterState, limit: Limit, now: number): number {
  const counted = now + limit.marginMs;
  return sumOf(spent, counted, horizonMs(limit)) - sumOf(refused, counted, horizonMs(limit));
}

/** How much is used at `now`. spec 3.5 */
export function usedOf(limiter: LimiterState, limit: Limit, now: number): number {
  if (limit.kind === 'token-bucket') return drainedMs(limiter, limit, now) / refillMs(limiter, limit, now);
  return sumOf(limiter.spent, now, horizonMs(limit));
}

/** Epoch ms from which `cost` is admitted. At most `now`: at once. Infinity: never. spec 3.8 */
export function readyAtOf(limiter: LimiterState, limit: Limit, cost: number, now: number): number {
  const usual = usualReadyAt(limiter, limit, cost, now);
  const next = usual > now ? tryOf(limiter, limit, now) : undefined;
  if (next === undefined) return usual;
  const readyAt = Math.max(next.at, readyAtWith(limiter, limit, cost, next.max, now));
  const isMoreEnough = usedOf(limiter, limit, now) + cost <= Math.min(next.target, 2 * next.max);
  return Math.min(usual, readyAt > now && isMoreEnough ? Math.min(readyAt, next.growsAt) : readyAt);
}

/** Like {@link readyAtOf}, without a try of more than an assumed limit. */
export function usualReadyAt(limiter: LimiterState, limit: Limit, cost: number, now: number): number {
  return readyAtWith(limiter, limit, cost, maxInForce(limiter, limit, now), now);
}

function readyAtWith(limiter: LimiterState, limit: Limit, cost: number, max: number, now: number): number {
  if (cost > max) return Number.POSITIVE_INFINITY;
  const floor = Math.max(fullUntil(limiter, now), paceReadyAt(limiter.pace, now));
  if (limit.kind === 'token-bucket') {
    const waitMs = drainedMs(limiter, limit, now) - (max - cost) * refillMs(limiter, limit, now);
    return waitMs > 0 ? Math.max(floor, now + waitMs) : floor;
  }
  const missing = usedOf(limiter, limit, now) + cost - max;
  if (missing <= 0) return floor;
  return Math.max(floor, backAt(limiter.spent, missing, now, horizonMs(limit)) ?? 0);
}

/** What one request took from one limit. */
export interface Charge {
  readonly limit: Limit;
  /** The name under which the limit's state is stored. */
  readonly limiter: string;
  readonly cost: number;
  /** Epoch ms at which the request was sent. */
  readonly sentAt: number;
  /** Epoch ms at which the quota returns. */
  readonly returnsAt: number;
  /** Whether the request exceeds the learnt limit, or an assumed one: its outcome shows whether the limit is higher. */
  readonly probes: boolean;
  /** How many requests of the window have passed if it is served. */
  readonly count: number;
  /** Whether it is the last request of a try of more than an assumed limit. spec 3.14 */
  readonly completes?: boolean | undefined;
}

/** Spends `cost` at `now`; it returns at `at`. spec 3.9 */
export function withCost(
  limiter: LimiterState,
  limit: Limit,
  cost: number,
  at: number,
  now: number,
): LimiterState {
  if (limit.kind !== 'token-bucket') return { ...limiter, spent: withSpent(limiter.spent, cost, at, now) };
  const fullAt = now + drainedMs(limiter, limit, now) + cost * refillMs(limiter, limit, now);
  return { ...limiter, fullAt };
}

function withSentRequest(limiter: LimiterState, now: number): LimiterState {
  if (limiter.pace === undefined) return limiter;
  const { pace: known, ...rest } = limiter;
  const pace = withPacedRequest(known, now);
  return pace === undefined ? rest : { ...rest, pace };
}

/** Spends `cost` for a request that is sent at `now`. `name` is where the state is stored. spec 5.2 */
export function charge(
  limiter: LimiterState,
  limit: Limit,
  name: string,
  cost: number,
  now: number,
): { readonly limiter: LimiterState; readonly charge: Charge } {
  const at = returnsAt(withLearntMargin(limiter, limit, now), now);
  const learnt = learntMax(limiter, now);
  const tried = tryOf(limiter, limit, now);
  const used = tried === undefined ? 0 : usedOf(limiter, limit, now) + cost;
  const isBeyond = tried !== undefined && used > tried.certain;
  const isSure = tried !== undefined && !tried.isDoubted;
  const probes = isSure ? isBeyond : learnt !== undefined && surelyUsed(limiter, limit, now) + cost > learnt;
  const begins = isBeyond && presentTry(limiter, limit, now) === undefined;
  const known = begins ? { ...limiter, tried: { at: now, from: tried.certain } } : limiter;
  const sent = withSentRequest(known, now);
  const count = passedOf(limiter, limit, now) + cost;
  const completes = isSure && used >= tried.target;
  return {
    limiter: withCost(sent, limit, cost, at, now),
    charge: { limit, limiter: name, cost, sentAt: now, returnsAt: at, probes, count, completes },
  };
}

/** Gives a charge back, unless it has already returned. spec 3.9 */
export function refund(
  limiter: LimiterState,
  { limit, cost, returnsAt: at }: Charge,
  now: number,
): LimiterState {
  if (limit.kind !== 'token-bucket') {
    const spent = withoutSpent(limiter.spent, cost, at);
    return spent === limiter.spent ? limiter : { ...limiter, spent };
  }
  const fullAt = now + Math.max(0, drainedMs(limiter, limit, now) - cost * refillMs(limiter, limit, now));
  return fullAt === limiter.fullAt ? limiter : { ...limiter, fullAt };
}

/** Moves a charge that was just made: its request is sent `delayMs` later. spec 5.16 */
export function postpone(
  limiter: LimiterState,
  charged: Charge,
  delayMs: number,
  now: number,
): { readonly limiter: LimiterState; readonly charge: Charge } {
  const { limit, cost } = charged;
  const sentAt = now + delayMs;
  const at = returnsAt(withLearntMargin(limiter, limit, now), sentAt);
  const before = refund(limiter, charged, now);
  // A token bucket is drained when the request arrives. Other limits keep what returns until then.
  const from = limit.kind === 'token-bucket' ? sentAt : now;
  return { limiter: withCost(before, limit, cost, at, from), charge: { ...charged, returnsAt: at } };
}

/** Quota that returns together. */
export type Spent = readonly [returnsAt: number, count: number];

/**
 * The state of one limit. A token bucket that refills while it drains lets nearly twice its size through in one window.
 * Here each cost stays spent until a moment that is fixed when it is spent. spec 3.2
 */
export interface LimiterState {
  /** Sorted by moment; no two entries share one. */
  readonly spent: readonly Spent[];
  /** The part of `spent` that the provider refused, in the same form. */
  readonly refused?: readonly Spent[];
  /** Epoch ms at which a token bucket is full again. */
  readonly fullAt?: number;
  /** The provider reported at `since` that nothing is left until `until` (epoch ms). */
  readonly full?: { readonly since: number; readonly until: number };
  /** The limit that the provider reported or that its refusals show, learnt at `at` (epoch ms). */
  readonly learnt?: {
    readonly max: number;
    readonly at: number;
    /** Whether the limit is probably higher: then the next request beyond it probes. */
    readonly increasing?: true;
    /** Of an assumed limit: how many tries in a row were admitted or, if negative, refused. */
    readonly run?: number;
    /** Of an assumed limit: the provider states the number. */
    readonly stated?: true;
  };
  /** The margin in ms that network delays turned out to need, learnt at `at` (epoch ms). */
  readonly margin?: { readonly ms: number; readonly at: number };
  /** How fast requests pass since a hint that was shorter than the window. */
  readonly pace?: Pace;
  /** The latest try of more than an assumed limit: its first request (epoch ms), and how many were known to pass. spec 3.14 */
  readonly tried?: { readonly at: number; readonly from: number };
  /**
   * Of a limit of the whole account: it may have been what refused `model` at `at` (epoch ms), when `max` requests had
   * passed, and not the model's limit. spec 5.18
   */
  readonly doubt?: { readonly max: number; readonly model: string; readonly at: number };
}

export const EMPTY_LIMITER: LimiterState = { spent: [] };

/**
 * How much of `spent` has not returned at `now`. A moment beyond `horizonMs` is ignored: the clock was set back, or
 * another machine's is wrong, and nothing may be blocked for ever. spec 3.5
 */
export function sumOf(spent: readonly Spent[], now: number, farthestMs: number): number {
  // By index: every decision asks for the sums of lists with up to some hundred entries.
  const farthest = now + farthestMs;
  let used = 0;
  for (let index = 0; index < spent.length; index += 1) {
    const entry = spent[index];
    if (entry !== undefined && entry[0] > now && entry[0] <= farthest) used += entry[1];
  }
  return used;
}

/** The longest time for which a reported `full` counts. */
const MAX_FULL_MS = 32 * DAY_MS;
/** Epoch ms until which nothing is left, as the provider reported; 0 if something is. spec 3.7 */
export function fullUntil(limiter: LimiterState, now: number): number {
  if (limiter.full === undefined) return 0;
  const { since, until } = limiter.full;
  return liesAhead(until, since, now) ? until : 0;
}

/** Epoch ms at which `missing` of `spent` has returned; undefined if less is spent. spec 3.8 */
function backAt(
  spent: readonly Spent[],
  missing: number,
  now: number,
  farthestMs: number,
): number | undefined {
  let left = missing;
  for (const [at, count] of spent) {
    if (at <= now || at > now + farthestMs) continue;
    left -= count;
    if (left <= 0) return at;
  }
  return undefined;
}

/** Adds `cost`, which returns at `at`, and drops entries that have returned by `now`. spec 3.9 */
export function withSpent(spent: readonly Spent[], cost: number, at: number, now: number): readonly Spent[] {
  const next = spent.filter((entry) => entry[0] > now);
  const place = next.findLastIndex((entry) => entry[0] <= at);
  const before = next[place];
  if (before?.[0] === at) next[place] = [at, before[1] + cost];
  else next.splice(place + 1, 0, [at, cost]);
  return next;
}

/** Removes `cost`, which would return at `at`; the same list if it has already returned. spec 3.9 */
function withoutSpent(spent: readonly Spent[], cost: number, at: number): readonly Spent[] {
  const index = spent.findIndex((one) => one[0] === at);
  const entry = spent[index];
  if (entry === undefined) return spent;
  const left = entry[1] - cost;
  return left > 0 ? spent.with(index, [at, left]) : spent.toSpliced(index, 1);
}

/** Marks the limit as full until `until` (epoch ms). An earlier moment does not shorten a later one. spec 3.9 */
export function withFull(limiter: LimiterState, until: number, now: number): LimiterState {
  if (fullUntil(limiter, now) >= until) return limiter;
  return { ...limiter, full: { since: now, until: Math.min(until, now + MAX_FULL_MS) } };
}
