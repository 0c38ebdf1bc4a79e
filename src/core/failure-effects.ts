/** What each kind of failure teaches: one total table, read from `spec/failure-effects.json`. */

import table from '../../spec/failure-effects.json' with { type: 'json' };
import type { FailureKind } from './failure.ts';

/** How a circuit breaker opens: after how many failures, and for how long the first and the longest time. */
export interface Trip {
  /** Failures in a row that open the breaker. */
  readonly threshold: number;
  /** The first cooldown; every further trip doubles it. */
  readonly cooldownMs: number;
  readonly maxCooldownMs: number;
  /** A call that nothing else can serve waits for the end of no longer cooldown. */
  readonly inNeedMs?: number | undefined;
}

/** One row of the table. */
export interface FailureEffect {
  /** Which meters at the failure's scope become full: those of the minute or those of the day. */
  readonly fills?: string;
  /** How the circuit breaker at the failure's scope is struck; where a meter was filled it is left alone. */
  readonly trip?: Trip;
  /** Whether a second model that fails so speaks for the whole provider. */
  readonly spreads?: boolean;
  /** What of the request the provider's record remembers about the model. */
  readonly remembers?: string;
  /** Whether the call ends at once: the fault lies with the request itself. */
  readonly throws?: boolean;
  /** Whether the next route is looked for at other providers first. */
  readonly setback?: boolean;
  /** Whether the same call may try the same route again at once, after all others. */
  readonly repeatable?: boolean;
  /** Whether it passes by itself, so that the call may come back to the same route after a pause. */
  readonly transient?: boolean;
}

/** A kind without a row does not compile. */
export const FAILURE_EFFECTS: Readonly<Record<FailureKind, FailureEffect>> = table.effects;
