/** The limit in force: what is configured or learnt, and what probes and tries go beyond it. spec 3.6, 3.14 */

import { DAY_MS, nextOf, SECOND_MS } from '../time.ts';
import { isLong, type Limit, windowOf } from './limit.ts';
import type { Learnt, LimiterState } from './state.ts';

/** A learnt limit is forgotten after this long, and the assumed one counts again. */
export const LEARNT_MS: number = DAY_MS;
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
export function unsureMs(limit: Limit): number {
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

/** Epoch ms from which more than a learnt limit is tried. */
function probesAt(learnt: Learnt, limit: Limit): number {
  const chance = (learnt.at % 1000) / 1000;
  const requests = REQUESTS_PER_PROBE * stepOf(learnt.max, limit);
  const windows = Math.min(WINDOWS_PER_PROBE, requests / learnt.max);
  return learnt.at + windows * (1 - SPREAD + 2 * SPREAD * chance) * windowOf(limit);
}

/** Whether to try more than the learnt limit now. spec 3.6 */
function isProbing({ learnt }: LimiterState, limit: Limit, now: number): boolean {
  if (limit.unit !== 'requests' || learnt === undefined || learnt.max >= limit.max) return false;
  if (limit.assumed === true && learnt.stated === true) return false;
  return learnt.increasing === true || now >= probesAt(learnt, limit);
}

/** The limit in force: the learnt one, a little more while it is probed, or the configured one. spec 3.6 */
export function maxInForce(limiter: LimiterState, limit: Limit, now: number): number {
  return Math.min(doubtedMax(limiter, limit, now), maxBeforeDoubt(limiter, limit, now));
}

/** The limit that the account may have; Infinity if it is not in doubt. A doubt about a day limits no request. spec 5.18, 5.19 */
function doubtedMax(limiter: LimiterState, limit: Limit, now: number): number {
  const doubt = isLong(limit) ? undefined : believedDoubt(limiter, now);
  return doubt?.max ?? Number.POSITIVE_INFINITY;
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
  const doubted = doubtedMax(limiter, limit, now);
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
export function presentTry(
  { tried, learnt }: LimiterState,
  limit: Limit,
  now: number,
): LimiterState['tried'] {
  if (tried === undefined || now < tried.at || now - tried.at > windowOf(limit)) return undefined;
  return learnt !== undefined && tried.at < learnt.at ? undefined : tried;
}

/** The present or next try of more than an assumed limit; undefined if no more may be tried. spec 3.14 */
export function tryOf(limiter: LimiterState, limit: Limit, now: number): Try | undefined {
  const certain = certainMax(limiter, limit, now);
  if (certain === undefined) return undefined;
  const { at: learntAt, run = 0 } = believed(limiter, now) ?? {};
  const { from, at } = presentTry(limiter, limit, now) ?? { from: certain, at: undefined };
  const least = stepOf(from, limit);
  const wide = Math.min(least * 2 ** Math.max(0, run), Math.floor(from / PASSED_PER_STEP));
  const isDoubted = doubtedMax(limiter, limit, now) === certain;
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

/** Epoch ms before which the limit in force and its tries stay the same, unless the state changes. At most `now`: not known. */
export function inForceUntil(limiter: LimiterState, limit: Limit, now: number): number {
  const { learnt, doubt, tried } = limiter;
  const isSetBack = [learnt, doubt, tried].some((one) => one !== undefined && one.at > now);
  if (isSetBack) return now;
  const next = tryOf(limiter, limit, now);
  return nextOf(
    now,
    learnt && probesAt(learnt, limit),
    learnt && learnt.at + LEARNT_MS,
    doubt && doubt.at + LEARNT_MS,
    tried && tried.at + windowOf(limit),
    next?.at,
    next?.growsAt,
  );
}
