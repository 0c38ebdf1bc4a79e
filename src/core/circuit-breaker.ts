/**
 * The circuit breaker that guards a provider, model, account, key or an account's use of a model. spec 4
 *
 *   state      event                                          next state
 *   closed     succeed                                        closed      failures 0, failure rate updated
 *   closed     fail, fewer than `threshold` in a row          closed      failures + 1
 *   closed     fail, the `threshold`th in a row               open        until the cooldown ends
 *   open       admit, at `until` or later                     half-open   the admitted request is the probe
 *   half-open  succeed                                        closed      trips - 1/8
 *   half-open  fail                                           open        with a longer cooldown
 *   half-open  release: the probe ended without a result      open        until now, so the next request probes
 *   half-open  admit, at `probeUntil` or later                half-open   the probe was lost; this request replaces it
 *
 * Two rules go beyond the textbook. A breaker has a second moment, `avoidUntil`: calls that another route can serve
 * stay away until then, calls without an alternative only until `until`. And an expected streak of failures, given the
 * failure rate, lets calls without an alternative through at once, so that a flaky provider stays in use.
 *
 * `generation` grows with every change of state and every new probe. A request carries the generation that admitted it: a late result of
 * an earlier state opens and closes nothing.
 */

import { backoffMs, type FailureKind, FAILURE_EFFECTS, type Trip } from './failure.ts';
import { DAY_MS, HOUR_MS, liesAhead, nextOf } from './time.ts';

export type CircuitBreaker =
  | {
      readonly state: 'closed';
      /** Failures in a row. */
      readonly failures: number;
      /** The share of requests that fail, from 0 to 1: a moving mean as of the last success. Default: 0. */
      readonly failureRate?: number;
      readonly trips: number;
      readonly generation: number;
    }
  | ({
      readonly state: 'open';
      /** Epoch ms from which one probe is admitted. */
      readonly until: number;
    } & Tripped)
  | ({
      readonly state: 'half-open';
      /** Epoch ms at which a probe without a result counts as lost. */
      readonly probeUntil: number;
    } & Tripped);

/** The state that open and half-open breakers share. */
interface Tripped {
  /** Epoch ms of the last change of state. It shows whether the clock was set back since. */
  readonly at?: number;
  /** Epoch ms until which calls with an alternative stay away. Default: the same as for other calls. */
  readonly avoidUntil?: number;
  /** Failures in a row. Absent if the failure does not pass by itself. */
  readonly failures?: number;
  /** Epoch ms at which the request that opened the breaker was sent: successes of earlier requests do not count. Set with `failures`. */
  readonly since?: number;
  readonly failureRate?: number;
  /** Trips in a row: the cooldown doubles with each. */
  readonly trips: number;
  readonly generation: number;
  /** Why it opened. */
  readonly reason: FailureKind;
}

/** One success takes back this part of a trip, so a provider that fails one request in eight keeps backing off longer. */
const TRIPS_PER_SUCCESS = 0.125;

/** Weight of the newest request in the failure rate. */
const RATE_WEIGHT = 1 / 32;
/** The rate has four digits and is rounded down, so that it reaches 0. */
const RATE_DIGITS = 10_000;
/** A streak of failures that is less likely than this is an outage. */
const UNLIKELY = 0.0003;
/** A longer streak is an outage at any failure rate. */
const LONGEST_STREAK = 12;
/** The pause of a call without an alternative after the first failure beyond the expected streak. */
const FIRST_PAUSE_MS = 500;
/** The longest pause of a call without an alternative, unless the provider named the moment: what was refused may be repaired. */
const LONGEST_PAUSE_MS = HOUR_MS;

export const CLOSED: CircuitBreaker = { state: 'closed', failures: 0, trips: 0, generation: 0 };

const LONGEST_COOLDOWNS = new Map<string, number>(
  Object.entries(FAILURE_EFFECTS).map(([kind, { trip }]) => [kind, trip?.maxCooldownMs ?? 0]),
);

/** The farthest that a moment can lie in the future when it is stored. The extra hour allows for clocks that disagree. spec 4.2 */
function horizonMs(reason: FailureKind): number {
  return Math.max(DAY_MS, LONGEST_COOLDOWNS.get(reason) ?? 0) + HOUR_MS;
}

/** The failure rate after `failures` failures in a row and then a success. spec 4.4 */
function rateAfter(rate: number, failures: number): number {
  const next = (1 - (1 - rate) * (1 - RATE_WEIGHT) ** failures) * (1 - RATE_WEIGHT);
  return Math.floor(next * RATE_DIGITS) / RATE_DIGITS;
}

/** The share of requests that fail, from 0 to 1. */
export function rateOf({ failureRate = 0 }: { readonly failureRate?: number }): number {
  return failureRate;
}

/** The longest streak of failures that is normal at this failure rate. spec 4.1 */
function expectedStreak(rate: number): number {
  if (rate === 0) return 0;
  return Math.min(LONGEST_STREAK, Math.floor(Math.log(UNLIKELY) / Math.log(rate)));
}

/** Whether the current streak of failures is normal, so that a call without an alternative may try. */
function isWithinExpectedStreak({ failures = Number.POSITIVE_INFINITY, ...breaker }: Tripped): boolean {
  return failures <= expectedStreak(rateOf(breaker));
}

/** The moment, or 0 if the clock was set back since it was stored: nothing may stay closed for ever. spec 4.2 */
function credible(moment: number, { at, reason }: Tripped, now: number): number {
  return liesAhead(moment, at ?? moment - horizonMs(reason), now) ? moment : 0;
}

function opensAt(breaker: CircuitBreaker, now: number): number {
  if (breaker.state === 'closed') return 0;
  return credible(breaker.state === 'open' ? breaker.until : breaker.probeUntil, breaker, now);
}

/** Epoch ms from which a call without an alternative is admitted; at most `now` means at once. spec 4.2, 4.7 */
export function breakerReadyAt(breaker: CircuitBreaker, now: number): number {
  if (breaker.state === 'closed') return 0;
  // Without `avoidUntil`, the provider may have named the moment: a normal streak does not overrule it.
  const isFixed = breaker.state === 'open' && breaker.avoidUntil === undefined;
  return isWithinExpectedStreak(breaker) && !isFixed ? 0 : opensAt(breaker, now);
}

/** Epoch ms from which a call with an alternative is admitted. It is the later moment, because a probe may cost the call that carries it. */
export function breakerAvoidUntil(breaker: CircuitBreaker, now: number): number {
  const at = opensAt(breaker, now);
  if (breaker.state === 'closed' || breaker.avoidUntil === undefined) return at;
  return Math.max(at, credible(breaker.avoidUntil, breaker, now));
}

/** Epoch ms before which the moments of a breaker stay the same, unless its state changes. At most `now`: not known. */
export function breakerSteadyUntil(breaker: CircuitBreaker, now: number): number {
  if (breaker.state === 'closed') return Number.POSITIVE_INFINITY;
  const moment = breaker.state === 'open' ? breaker.until : breaker.probeUntil;
  const { avoidUntil = moment } = breaker;
  const isSetBack = [moment, avoidUntil].some((one) => one > now && credible(one, breaker, now) === 0);
  return isSetBack ? now : nextOf(now, moment, avoidUntil);
}

/**
 * The breaker after it admitted a request at `now`. The first request after the cooldown is the probe; requests that
 * are admitted during a probe take part in it. spec 4.3
 */
export function admit(breaker: CircuitBreaker, now: number, probeMs: number): CircuitBreaker {
  if (breaker.state === 'closed') return breaker;
  if (breaker.state === 'half-open') {
    if (opensAt(breaker, now) > now) return breaker;
    return { ...breaker, at: now, probeUntil: now + probeMs, generation: breaker.generation + 1 };
  }
  const { until: _, ...known } = breaker;
  const generation = breaker.generation + 1;
  return { ...known, state: 'half-open', at: now, probeUntil: now + probeMs, generation };
}

/** An admitted request. */
export interface Admitted {
  /** The breaker's generation after it admitted the request. */
  readonly generation: number;
  /** Epoch ms. */
  readonly sentAt: number;
}

/**
 * A late success only ends the streak. Failures mostly arrive sooner than answers: without this rule, a success among
 * many concurrent requests would never count. spec 4.4
 */
function withLateSuccess(
  breaker: Exclude<CircuitBreaker, { state: 'closed' }>,
  sentAt: number,
): CircuitBreaker {
  const { failures, failureRate: _, ...known } = breaker;
  if (failures === undefined || (breaker.since !== undefined && sentAt < breaker.since)) return breaker;
  const failureRate = rateAfter(rateOf(breaker), failures);
  return { ...known, failures: 0, ...(failureRate === 0 ? {} : { failureRate }) };
}

/** A late failure only prolongs an expected streak: every request that took part in a probe counts. spec 4.5 */
function withLateFailure(breaker: Exclude<CircuitBreaker, { state: 'closed' }>): CircuitBreaker {
  return isWithinExpectedStreak(breaker) ? { ...breaker, failures: (breaker.failures ?? 0) + 1 } : breaker;
}

/** The breaker after an admitted request succeeded. spec 4.4 */
export function succeed(breaker: CircuitBreaker, { generation, sentAt }: Admitted): CircuitBreaker {
  if (breaker.state !== 'closed' && generation < breaker.generation) return withLateSuccess(breaker, sentAt);
  if (breaker.generation !== generation || breaker.state === 'open') return breaker;
  const { failures = 0, trips } = breaker;
  const rate = rateOf(breaker);
  if (breaker.state === 'closed' && failures === 0 && trips === 0 && rate === 0) return breaker;
  const failureRate = rateAfter(rate, failures);
  return {
    state: 'closed',
    failures: 0,
    ...(failureRate === 0 ? {} : { failureRate }),
    // One success does not reset the cooldown: a flapping provider continues where it left off.
    trips: Math.max(0, trips - TRIPS_PER_SUCCESS),
    generation: breaker.state === 'closed' ? generation : generation + 1,
  };
}

/** The failure of an admitted request. */
export interface Strike extends Admitted {
  readonly now: number;
  readonly reason: FailureKind;
  readonly trip: Trip;
  /** Epoch ms from which the provider admits requests again, as it reported. It replaces the breaker's own cooldown. */
  readonly retryAt?: number | undefined;
}

/** The breaker after a failure that may have another cause: it counts, but opens nothing. spec 4.6 */
export function countAgainst(breaker: CircuitBreaker, admitted: Admitted): CircuitBreaker {
  if (breaker.state !== 'closed') return succeed(breaker, admitted);
  return breaker.generation === admitted.generation
    ? { ...breaker, failures: breaker.failures + 1 }
    : breaker;
}

/** The pause of a call without an alternative after `failures` failures in a row. */
function lastResortPauseMs(failures: number, rate: number, firstPauseMs: number): number {
  const unusual = failures - expectedStreak(rate);
  return unusual > 0 ? backoffMs(firstPauseMs, 2 * (unusual - 1), Number.POSITIVE_INFINITY) : 0;
}

/** The moments until which a breaker opens after `failures` failures in a row. */
function cooldownAfter(
  breaker: CircuitBreaker,
  failures: number,
  { now, reason, trip, retryAt }: Strike,
): { readonly until: number; readonly avoidUntil?: number } {
  if (retryAt !== undefined) return { until: Math.min(retryAt, now + horizonMs(reason)) };
  const { cooldownMs, maxCooldownMs, lastResortMs, firstPauseMs = FIRST_PAUSE_MS } = trip;
  const fullMs = backoffMs(cooldownMs, Math.floor(breaker.trips), maxCooldownMs);
  const pauseMs =
    lastResortMs === undefined
      ? Math.min(fullMs, LONGEST_PAUSE_MS)
      : Math.min(lastResortMs, lastResortPauseMs(failures, rateOf(breaker), firstPauseMs));
  if (fullMs <= pauseMs) return { until: now + fullMs };
  return { until: now + pauseMs, avoidUntil: now + fullMs };
}

/** The breaker after an admitted request failed. spec 4.5 */
export function fail(breaker: CircuitBreaker, strike: Strike): CircuitBreaker {
  const { generation, sentAt, reason, trip } = strike;
  if (breaker.state !== 'closed' && generation < breaker.generation) return withLateFailure(breaker);
  if (breaker.generation !== generation || breaker.state === 'open') return breaker;
  const failures = (breaker.failures ?? 0) + 1;
  if (breaker.state === 'closed' && failures < trip.threshold) return { ...breaker, failures };
  const failureRate = rateOf(breaker);
  const since = breaker.state === 'closed' ? sentAt : (breaker.since ?? sentAt);
  return {
    state: 'open',
    at: strike.now,
    ...cooldownAfter(breaker, failures, strike),
    ...(trip.lastResortMs === undefined ? {} : { failures, since }),
    ...(failureRate === 0 ? {} : { failureRate }),
    trips: breaker.trips + 1,
    generation: generation + 1,
    reason,
  };
}

/** The breaker after a request of `generation` ended without a result: the next request may probe. spec 4.6 */
export function release(breaker: CircuitBreaker, generation: number, now: number): CircuitBreaker {
  if (breaker.state !== 'half-open' || breaker.generation !== generation) return breaker;
  const { probeUntil: _, ...known } = breaker;
  return { ...known, state: 'open', at: now, until: now, generation: generation + 1 };
}
