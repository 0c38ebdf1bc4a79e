/** How long one attempt may take. */

import type { Call } from './call.ts';
import type { Patience } from './stop.ts';

/** A shorter attempt that ran out of time says more about the caller's hurry than about the provider. */
const FAIR_MS = 5000;

/** The time that one attempt is given. */
export interface AttemptBudget extends Patience {
  /** Whether running out of it may be held against the provider. */
  readonly fair: boolean;
}

/**
 * One attempt gets at most `attemptTimeoutMs`, a stream `firstPartTimeoutMs` for its first part, and half of what is
 * left of the call while another provider could serve it: one that hangs cannot eat the call.
 */
export function attemptBudget(call: Call<unknown>, now: number, alternatives: boolean): AttemptBudget {
  const leftMs = call.deadline - now;
  const wantedMs = call.stream?.firstPartTimeoutMs ?? call.attemptTimeoutMs;
  const firstMs = Math.max(1, Math.min(wantedMs, alternatives ? leftMs / 2 : leftMs));
  return {
    firstMs,
    idleMs: call.stream?.idleTimeoutMs ?? firstMs,
    capMs: call.stream === undefined ? firstMs : Math.min(leftMs, Math.max(firstMs, call.attemptTimeoutMs)),
    deadline: call.stream?.totalDeadline ?? call.deadline,
    fair: firstMs >= Math.min(wantedMs, FAIR_MS),
  };
}
