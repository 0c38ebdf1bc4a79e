/** The stored state of a limit, and the lists of what is spent. spec 3.2 */

import type { Draft } from '../draft.ts';
import { DAY_MS, liesAhead } from '../time.ts';
import type { Pace } from './pace.ts';

/** Quota that returns together. */
export type Spent = readonly [returnsAt: number, count: number];

/** The limit that the provider reported or that its refusals show, learnt at `at` (epoch ms). */
export interface Learnt {
  readonly max: number;
  readonly at: number;
  /** Whether the limit is probably higher: then the next request beyond it probes. */
  readonly increasing?: true;
  /** Of an assumed limit: how many tries in a row were admitted or, if negative, refused. */
  readonly run?: number;
  /** Of an assumed limit: the provider states the number. */
  readonly stated?: true;
}

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
  readonly learnt?: Learnt;
  /** The margin in ms that network delays turned out to need, learnt at `at` (epoch ms). */
  readonly margin?: { readonly ms: number; readonly at: number };
  /** How fast requests pass since a hint that was shorter than the window. */
  readonly pace?: Pace;
  /** The latest try of more than an assumed limit: its first request (epoch ms), and how many were known to pass. spec 3.14 */
  readonly tried?: { readonly at: number; readonly from: number };
  /**
   * It may have been this limit that refused `model` at `at` (epoch ms), when `max` requests had passed: the account's in
   * place of the model's, or the day's in place of the minute's. spec 5.18, 5.19
   */
  readonly doubt?: {
    readonly max: number;
    readonly model: string;
    readonly at: number;
    /** Of a day's limit: what was learnt of the minute's before. */
    readonly before?: Learnt;
    /** Of a day's limit: how often it was found to be what refused. */
    readonly times?: number;
  };
}

export const EMPTY_LIMITER: LimiterState = { spent: [] };

/** A copy of the state, to be changed. */
export function limiterDraft(limiter: LimiterState): Draft<LimiterState> {
  const { spent, refused, fullAt, full, learnt, margin, pace, tried, doubt } = limiter;
  const draft: Draft<LimiterState> = { spent };
  if (refused !== undefined) draft.refused = refused;
  if (fullAt !== undefined) draft.fullAt = fullAt;
  if (full !== undefined) draft.full = full;
  if (learnt !== undefined) draft.learnt = learnt;
  if (margin !== undefined) draft.margin = margin;
  if (pace !== undefined) draft.pace = pace;
  if (tried !== undefined) draft.tried = tried;
  if (doubt !== undefined) draft.doubt = doubt;
  return draft;
}

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
export function backAt(
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
  const returned = spent.findIndex((entry) => entry[0] > now);
  const next = returned < 0 ? [] : spent.slice(returned);
  const place = next.findLastIndex((entry) => entry[0] <= at);
  const before = next[place];
  if (before?.[0] === at) next[place] = [at, before[1] + cost];
  else next.splice(place + 1, 0, [at, cost]);
  return next;
}

/** Removes `cost`, which would return at `at`; the same list if it has already returned. spec 3.9 */
export function withoutSpent(spent: readonly Spent[], cost: number, at: number): readonly Spent[] {
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
