/** A circuit breaker: closed, open until a moment, or half-open with one probe under way. */

import { backoffMs, type FailureKind, FAILURE_EFFECTS, type Trip } from './failure.ts';
import { DAY_MS, HOUR_MS } from './time.ts';

/**
 * `generation` grows with every change of state; whoever was admitted carries the generation that admitted
 * it, so that a late result of an earlier state is recognised: it opens and closes nothing.
 */
export type CircuitBreaker =
  | {
      readonly state: 'closed';
      /** Failures in a row. */
      readonly failures: number;
      /** Which share of requests fails, from 0 to 1: a moving mean, as of the last success; absent: 0. */
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
      /** Epoch ms at which a probe that never reported is given up for lost. */
      readonly probeUntil: number;
    } & Tripped);

/** What an open breaker and a half-open one know. */
interface Tripped {
  /** Epoch ms from which a request is sent though something else could serve the call; absent: at once as well. */
  readonly avoidUntil?: number;
  /** Failures in a row; absent where what failed does not pass by itself. */
  readonly failures?: number;
  /** Epoch ms at which the request was sent that opened it: what was served that was sent before tells nothing. Beside `failures`. */
  readonly since?: number;
  readonly failureRate?: number;
  /** Trips in a row: the cooldown doubles with each. */
  readonly trips: number;
  readonly generation: number;
  /** Why it opened. */
  readonly reason: FailureKind;
}

/** How much of a trip one success makes good: whoever fails every eighth time rests ever longer. */
const FORGIVEN = 0.125;

/** Weight of the newest request in the failure rate. */
const RATE_WEIGHT = 1 / 32;
/** The rate is kept to four digits, rounded down, so that it comes to an end. */
const RATE_DIGITS = 10_000;
/** Failures in a row that are less likely than this are no accident. */
const UNLIKELY = 0.0003;
/** However much fails: so many failures in a row are no accident. */
const LONGEST_RUN = 12;
/** The pause after the first failure that was no accident, for a call that nothing else can serve. */
const FIRST_PAUSE_MS = 500;

export const CLOSED: CircuitBreaker = { state: 'closed', failures: 0, trips: 0, generation: 0 };

const LONGEST_RESTS = new Map<string, number>(
  Object.entries(FAILURE_EFFECTS).map(([kind, { trip }]) => [kind, trip?.maxCooldownMs ?? 0]),
);

/**
 * How far off the moments of a breaker that opened for `reason` can be: a stored one that is further off cannot be true,
 * since the clock was set back. Clocks that disagree by less than an hour do not matter.
 */
function horizonMs(reason: FailureKind): number {
  return Math.max(DAY_MS, LONGEST_RESTS.get(reason) ?? 0) + HOUR_MS;
}

/** The rate after some failures in a row and then a success. */
function rateAfter(rate: number, failures: number): number {
  const next = (1 - (1 - rate) * (1 - RATE_WEIGHT) ** failures) * (1 - RATE_WEIGHT);
  return Math.floor(next * RATE_DIGITS) / RATE_DIGITS;
}

/** The share of requests that fail, from 0 to 1. */
export function rateOf({ failureRate = 0 }: { readonly failureRate?: number }): number {
  return failureRate;
}

/** How many failures in a row may be accidents where such a share of requests fails anyway. */
function expectedStreak(rate: number): number {
  if (rate === 0) return 0;
  return Math.min(LONGEST_RUN, Math.floor(Math.log(UNLIKELY) / Math.log(rate)));
}

/** Whether a call that nothing else can serve takes its chance here: it was no more than bad luck so far. */
function isWithinExpectedStreak({ failures = Number.POSITIVE_INFINITY, ...breaker }: Tripped): boolean {
  return failures <= expectedStreak(rateOf(breaker));
}

function opensAt(breaker: CircuitBreaker, now: number): number {
  if (breaker.state === 'closed') return 0;
  const moment = breaker.state === 'open' ? breaker.until : breaker.probeUntil;
  return moment > now + horizonMs(breaker.reason) ? 0 : moment;
}

/** Epoch ms from which a request is admitted that nothing else can serve; at most `now` when it is admitted at once. */
export function breakerReadyAt(breaker: CircuitBreaker, now: number): number {
  if (breaker.state === 'closed') return 0;
  // A moment that the provider named holds all the same.
  const holds = breaker.state === 'open' && breaker.avoidUntil === undefined;
  return isWithinExpectedStreak(breaker) && !holds ? 0 : opensAt(breaker, now);
}

/** Epoch ms from which a request is sent here though something else could serve it: probes cost the calls that carry them. */
export function breakerAvoidUntil(breaker: CircuitBreaker, now: number): number {
  const at = opensAt(breaker, now);
  if (breaker.state === 'closed' || breaker.avoidUntil === undefined) return at;
  return breaker.avoidUntil > now + horizonMs(breaker.reason) ? at : Math.max(at, breaker.avoidUntil);
}

/**
 * The breaker after it admitted a request at `now`: an open one whose time has come lets this one through as its probe.
 * Whoever comes while a probe is under way takes part in it.
 */
export function admit(breaker: CircuitBreaker, now: number, probeMs: number): CircuitBreaker {
  if (breaker.state === 'closed') return breaker;
  if (breaker.state === 'half-open') {
    if (opensAt(breaker, now) > now) return breaker;
    return { ...breaker, probeUntil: now + probeMs, generation: breaker.generation + 1 };
  }
  const { until: _, ...known } = breaker;
  return { ...known, state: 'half-open', probeUntil: now + probeMs, generation: breaker.generation + 1 };
}

/** A request that was admitted. */
export interface Admitted {
  /** Of the breaker, after it admitted the request. */
  readonly generation: number;
  /** Epoch ms. */
  readonly sentAt: number;
}

/** A late success ends the run of failures: whoever fails now and then mostly does so sooner than he serves. */
function servedLate(breaker: Exclude<CircuitBreaker, { state: 'closed' }>, sentAt: number): CircuitBreaker {
  const { failures, failureRate: _, ...known } = breaker;
  if (failures === undefined || (breaker.since !== undefined && sentAt < breaker.since)) return breaker;
  const failureRate = rateAfter(rateOf(breaker), failures);
  return { ...known, failures: 0, ...(failureRate === 0 ? {} : { failureRate }) };
}

/** A late failure makes a run of bad luck longer: those who take part in one probe are many, and all of them tell. */
function failedLate(breaker: Exclude<CircuitBreaker, { state: 'closed' }>): CircuitBreaker {
  return isWithinExpectedStreak(breaker) ? { ...breaker, failures: (breaker.failures ?? 0) + 1 } : breaker;
}

/** The breaker after an admitted request was served. */
export function succeed(breaker: CircuitBreaker, { generation, sentAt }: Admitted): CircuitBreaker {
  if (breaker.state !== 'closed' && generation < breaker.generation) return servedLate(breaker, sentAt);
  if (breaker.generation !== generation || breaker.state === 'open') return breaker;
  const { failures = 0, trips } = breaker;
  const rate = rateOf(breaker);
  if (breaker.state === 'closed' && failures === 0 && trips === 0 && rate === 0) return breaker;
  const failureRate = rateAfter(rate, failures);
  return {
    state: 'closed',
    failures: 0,
    ...(failureRate === 0 ? {} : { failureRate }),
    // One success does not make a flapping source healthy: the next trip starts from where this one left off.
    trips: Math.max(0, trips - FORGIVEN),
    generation: breaker.state === 'closed' ? generation : generation + 1,
  };
}

/** A strike against a breaker. */
export interface Strike extends Admitted {
  readonly now: number;
  readonly reason: FailureKind;
  readonly trip: Trip;
  /** Epoch ms that the provider named for coming back; outranks the breaker's own cooldown. */
  readonly retryAt?: number | undefined;
}

/** The breaker after an admitted request failed, which may be somebody else's doing: it counts, and opens nothing. */
export function countAgainst(breaker: CircuitBreaker, admitted: Admitted): CircuitBreaker {
  if (breaker.state !== 'closed') return succeed(breaker, admitted);
  return breaker.generation === admitted.generation
    ? { ...breaker, failures: breaker.failures + 1 }
    : breaker;
}

/** How long a call that nothing else can serve stays away after so many failures in a row. */
function lastResortPauseMs(failures: number, rate: number): number {
  const unusual = failures - expectedStreak(rate);
  return unusual > 0 ? backoffMs(FIRST_PAUSE_MS, 2 * (unusual - 1), Number.POSITIVE_INFINITY) : 0;
}

/** For how long a breaker opens, after so many failures in a row. */
function restAfter(
  breaker: CircuitBreaker,
  failures: number,
  { now, reason, trip, retryAt }: Strike,
): { readonly until: number; readonly avoidUntil?: number } {
  if (retryAt !== undefined) return { until: Math.min(retryAt, now + horizonMs(reason)) };
  const { cooldownMs, maxCooldownMs, lastResortMs } = trip;
  const restMs = backoffMs(cooldownMs, Math.floor(breaker.trips), maxCooldownMs);
  const pauseMs =
    lastResortMs === undefined
      ? restMs
      : Math.min(lastResortMs, lastResortPauseMs(failures, rateOf(breaker)));
  if (restMs <= pauseMs) return { until: now + restMs };
  return { until: now + pauseMs, avoidUntil: now + restMs };
}

/** The breaker after an admitted request failed. */
export function fail(breaker: CircuitBreaker, strike: Strike): CircuitBreaker {
  const { generation, sentAt, reason, trip } = strike;
  if (breaker.state !== 'closed' && generation < breaker.generation) return failedLate(breaker);
  if (breaker.generation !== generation || breaker.state === 'open') return breaker;
  const failures = (breaker.failures ?? 0) + 1;
  if (breaker.state === 'closed' && failures < trip.threshold) return { ...breaker, failures };
  const failureRate = rateOf(breaker);
  const since = breaker.state === 'closed' ? sentAt : (breaker.since ?? sentAt);
  return {
    state: 'open',
    ...restAfter(breaker, failures, strike),
    ...(trip.lastResortMs === undefined ? {} : { failures, since }),
    ...(failureRate === 0 ? {} : { failureRate }),
    trips: breaker.trips + 1,
    generation: generation + 1,
    reason,
  };
}

/** The breaker after a request admitted under `generation` ended without telling anything: its probe is free again. */
export function release(breaker: CircuitBreaker, generation: number, now: number): CircuitBreaker {
  if (breaker.state !== 'half-open' || breaker.generation !== generation) return breaker;
  const { probeUntil: _, ...known } = breaker;
  return { ...known, state: 'open', until: now, generation: generation + 1 };
}
