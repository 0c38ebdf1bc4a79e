/** A circuit breaker: closed, open until a moment, or half-open with one probe under way. */

import { backoffMs } from './backoff.ts';
import type { FailureKind } from './failure.ts';
import { FAILURE_EFFECTS, type Trip } from './failure-effects.ts';

/**
 * `generation` grows with every change of state; whoever was admitted carries the generation that admitted
 * it, so that a late result of an earlier state is recognised and teaches nothing.
 */
export type CircuitBreaker =
  | {
      readonly state: 'closed';
      readonly failures: number;
      readonly trips: number;
      readonly generation: number;
    }
  | {
      readonly state: 'open';
      /** Epoch ms from which one probe is admitted, */
      readonly until: number;
      /** and from which one is sent though something else could serve the call; absent: at once as well. */
      readonly restsUntil?: number;
      /** Trips in a row: the cooldown doubles with each. */
      readonly trips: number;
      readonly generation: number;
      /** Why it opened. */
      readonly reason: FailureKind;
    }
  | {
      readonly state: 'half-open';
      /** Epoch ms at which a probe that never reported is given up for lost. */
      readonly probeUntil: number;
      /** As it was when the probe was admitted: what a probe that tells nothing leaves behind. */
      readonly restsUntil?: number;
      readonly trips: number;
      readonly generation: number;
      readonly reason: FailureKind;
    };

/** How much of a trip one success makes good: whoever fails every eighth time rests ever longer. */
const FORGIVEN = 0.125;

export const CLOSED: CircuitBreaker = { state: 'closed', failures: 0, trips: 0, generation: 0 };

const HOUR_MS = 60 * 60 * 1000;
/** The longest that a provider's word is believed. */
const DAY_MS = 24 * HOUR_MS;
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

/** Epoch ms from which a request is admitted; at most `now` when it is admitted at once. */
export function breakerReadyAt(breaker: CircuitBreaker, now: number): number {
  if (breaker.state === 'closed') return 0;
  const moment = breaker.state === 'open' ? breaker.until : breaker.probeUntil;
  return moment > now + horizonMs(breaker.reason) ? 0 : moment;
}

/** Epoch ms from which a request is sent here though something else could serve it: probes cost the calls that carry them. */
export function breakerRestsUntil(breaker: CircuitBreaker, now: number): number {
  const readyAt = breakerReadyAt(breaker, now);
  if (breaker.state === 'closed' || breaker.restsUntil === undefined) return readyAt;
  return breaker.restsUntil > now + horizonMs(breaker.reason)
    ? readyAt
    : Math.max(readyAt, breaker.restsUntil);
}

function restOf({ restsUntil }: { readonly restsUntil?: number }): { readonly restsUntil?: number } {
  return restsUntil === undefined ? {} : { restsUntil };
}

/** The breaker after it admitted a request at `now`: an open one whose time has come lets this one through as its probe. */
export function admit(breaker: CircuitBreaker, now: number, probeMs: number): CircuitBreaker {
  if (breaker.state === 'closed') return breaker;
  const { trips, generation, reason } = breaker;
  const probe = { state: 'half-open', probeUntil: now + probeMs, ...restOf(breaker) } as const;
  return { ...probe, trips, generation: generation + 1, reason };
}

/** The breaker after a success that was admitted under `generation`. */
export function succeed(breaker: CircuitBreaker, generation: number): CircuitBreaker {
  if (breaker.generation !== generation || breaker.state === 'open') return breaker;
  if (breaker.state === 'closed' && breaker.failures === 0 && breaker.trips === 0) return breaker;
  return {
    state: 'closed',
    failures: 0,
    // One success does not make a flapping source healthy: the next trip starts from where this one left off.
    trips: Math.max(0, breaker.trips - FORGIVEN),
    generation: breaker.state === 'closed' ? generation : generation + 1,
  };
}

/** A strike against a breaker. */
export interface Strike {
  readonly generation: number;
  readonly now: number;
  readonly reason: FailureKind;
  readonly trip: Trip;
  /** Epoch ms that the provider named for coming back; outranks the breaker's own cooldown. */
  readonly retryAt?: number | undefined;
}

/** The breaker after a failure that was admitted under `strike.generation`. */
export function fail(breaker: CircuitBreaker, strike: Strike): CircuitBreaker {
  const { generation, now, reason, trip } = strike;
  if (breaker.generation !== generation || breaker.state === 'open') return breaker;
  if (breaker.state === 'closed' && breaker.failures + 1 < trip.threshold) {
    return { ...breaker, failures: breaker.failures + 1 };
  }
  const { cooldownMs, maxCooldownMs, inNeedMs = maxCooldownMs } = trip;
  const restMs = backoffMs(cooldownMs, Math.floor(breaker.trips), maxCooldownMs);
  const opened = { state: 'open', trips: breaker.trips + 1, generation: generation + 1, reason } as const;
  if (strike.retryAt !== undefined)
    return { ...opened, until: Math.min(strike.retryAt, now + horizonMs(reason)) };
  if (restMs <= inNeedMs) return { ...opened, until: now + restMs };
  return { ...opened, until: now + inNeedMs, restsUntil: now + restMs };
}

/** The breaker after a request admitted under `generation` ended without telling anything: its probe is free again. */
export function release(breaker: CircuitBreaker, generation: number, now: number): CircuitBreaker {
  if (breaker.state !== 'half-open' || breaker.generation !== generation) return breaker;
  const { trips, reason } = breaker;
  return { state: 'open', until: now, ...restOf(breaker), trips, generation: generation + 1, reason };
}
