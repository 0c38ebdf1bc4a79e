/** How long one attempt may take. */

/** A shorter attempt that ran out of time says more about the caller's hurry than about the provider. */
const FAIR_MS = 5000;

/** The time that one attempt is given. */
export interface AttemptBudget {
  readonly ms: number;
  /** Whether running out of it may be held against the provider. */
  readonly fair: boolean;
}

/**
 * One attempt gets at most `attemptTimeoutMs`, and half of what is left of the call while another provider
 * could serve it: one that hangs cannot eat the call.
 */
export function attemptBudget(
  leftMs: number,
  attemptTimeoutMs: number,
  alternatives: boolean,
): AttemptBudget {
  const ms = Math.max(1, Math.min(attemptTimeoutMs, alternatives ? leftMs / 2 : leftMs));
  return { ms, fair: ms >= Math.min(attemptTimeoutMs, FAIR_MS) };
}
