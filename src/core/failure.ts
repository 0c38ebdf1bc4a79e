/** What an unsuccessful attempt means: a kind, a scope and what the provider said about coming back. */

import type { Observation } from './observation.ts';

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
  readonly statedLimit?: number;
  /** What the refusing limit counts, when the answer says so. */
  readonly unit?: 'requests' | 'tokens';
  /** Quotas that the answer states beside what it refuses. */
  readonly observed?: readonly Observation[];
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
  readonly cause?: unknown;
}
