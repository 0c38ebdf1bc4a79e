/** The state of a limit: how much is used, when a cost is admitted, charges and refunds. spec 3 */

import { inForceUntil, LEARNT_MS, learntMax, maxInForce, presentTry, tryOf, unsureMs } from './in-force.ts';
import { horizonMs, type Limit, returnsAt, type TokenBucketLimit } from './limit.ts';
import { paceReadyAt, paceSteadyUntil, withPacedRequest } from './pace.ts';
import {
  backAt,
  fullUntil,
  limiterDraft,
  type LimiterState,
  sumOf,
  withoutSpent,
  withSpent,
} from './state.ts';
import { nextOf } from '../time.ts';

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
    const { fullAt = 0 } = limiter;
    const at = drainedMs(limiter, limit, now) && fullAt - (max - cost) * refillMs(limiter, limit, now);
    return at > now ? Math.max(floor, at) : floor;
  }
  if (max === Number.POSITIVE_INFINITY) return floor;
  const missing = usedOf(limiter, limit, now) + cost - max;
  if (missing <= 0) return floor;
  return Math.max(floor, backAt(limiter.spent, missing, now, horizonMs(limit)) ?? 0);
}

/** Epoch ms before which {@link readyAtOf} stays the same, unless the state changes or it passes. At most `now`: not known. */
export function steadyUntil(limiter: LimiterState, limit: Limit, now: number): number {
  const { spent, full, fullAt = 0, pace } = limiter;
  const farthest = Math.max(fullAt, spent.at(-1)?.[0] ?? 0);
  const isFull = full !== undefined && full.until > now;
  // The clock was set back.
  if (farthest > now + horizonMs(limit) || (isFull && fullUntil(limiter, now) === 0)) return now;
  const back = spent.find(([at]) => at > now)?.[0];
  const paced = pace === undefined ? Number.POSITIVE_INFINITY : paceSteadyUntil(pace, now);
  return Math.min(inForceUntil(limiter, limit, now), paced, nextOf(now, back, fullAt, full?.until));
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
  const draft = limiterDraft(limiter);
  if (limit.kind !== 'token-bucket') draft.spent = withSpent(limiter.spent, cost, at, now);
  else draft.fullAt = now + drainedMs(limiter, limit, now) + cost * refillMs(limiter, limit, now);
  return draft;
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
