/** What an unsuccessful attempt means: a kind, a scope and what the provider said about coming back. */

import table from '../../spec/failure-effects.json' with { type: 'json' };
import type { ReportedQuota } from './limits/limit.ts';

/** Every meaning that an unsuccessful attempt can have. The effects table has a row for each. */
export type FailureKind =
  | 'rate_limited'
  | 'quota_exhausted'
  | 'model_busy'
  | 'out_of_credits'
  | 'unauthorized'
  | 'not_entitled'
  | 'forbidden'
  | 'model_gone'
  | 'unsupported'
  | 'context_too_long'
  | 'content_blocked'
  | 'server_error'
  | 'timeout'
  | 'network'
  | 'broken_stream'
  | 'bad_request';

/**
 * What a failure is about, and so what the rest of the call skips:
 * `account-model` is one account's use of one model, `request` the request itself.
 */
export type Scope = 'provider' | 'account' | 'key' | 'model' | 'account-model' | 'request';

/** An unsuccessful attempt, classified. */
export interface Failure {
  readonly kind: FailureKind;
  readonly scope: Scope;
  /** What the provider said, free of secrets, shortened. */
  readonly message: string;
  /** The HTTP status, when there was an answer. */
  readonly status?: number;
  /** Epoch ms at which the provider says that it admits a request again. */
  readonly retryAt?: number;
  /** The provider's own limit, when the answer states it, for the window that refused. */
  readonly reportedLimit?: number;
  /** What the refusing limit counts, when the answer says so. */
  readonly unit?: 'requests' | 'tokens';
  /** Quotas that the answer states beside what it refuses. */
  readonly reported?: readonly ReportedQuota[];
  /** A hash of whom the provider says that it counts against: keys that share it share their quotas. */
  readonly identity?: string;
  /** The verdict stands on a status alone: a second model that meets it speaks for the whole account. */
  readonly escalates?: boolean;
  /** `unsupported`: the request's fields that were refused, e.g. `['seed']`. */
  readonly parameters?: readonly string[];
  /** `unsupported`: the model's missing capabilities, e.g. `['tools']`. */
  readonly capabilities?: readonly string[];
  /** `context_too_long`: the model's window in tokens, when the answer states it. */
  readonly contextLength?: number;
  /** The refusal happened before the provider counted the request: its quota is given back. */
  readonly uncounted?: boolean;
}

/** How a circuit breaker opens: after how many failures, and for how long the first and the longest time. */
export interface Trip {
  /** Failures in a row that open the breaker. */
  readonly threshold: number;
  /** The first cooldown; every further trip doubles it. */
  readonly cooldownMs: number;
  readonly maxCooldownMs: number;
  /** A call that nothing else can serve waits for the end of no longer cooldown. */
  readonly lastResortMs?: number | undefined;
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

/** Doubles from `baseMs` with every earlier trip, up to `maxMs`. */
export function backoffMs(baseMs: number, trips: number, maxMs: number): number {
  return Math.min(baseMs * 2 ** Math.min(trips, 40), maxMs);
}
