/** Failures: what an unsuccessful attempt means, and the table of their effects. */

import table from '../../spec/failure-effects.json' with { type: 'json' };
import type { ReportedQuota } from './limits/limit.ts';

/**
 * Every meaning that an unsuccessful attempt can have. To add one, follow "Add a kind of failure" in
 * `.github/CONTRIBUTING.md`.
 */
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
  | 'invalid_output'
  | 'rejected'
  | 'bad_request';

/**
 * The part of a provider that a failure concerns. The rest of the call skips that part.
 * `account-model` is one account's use of one model, `request` the request itself.
 */
export type Scope = 'provider' | 'account' | 'key' | 'model' | 'account-model' | 'request';

/** An unsuccessful attempt, classified. spec 6.1 */
export interface Failure {
  readonly kind: FailureKind;
  readonly scope: Scope;
  /** The provider's message, shortened and free of secrets. */
  readonly message: string;
  /** The HTTP status; absent when there was no answer. */
  readonly status?: number;
  /** Epoch ms from which the provider admits requests again, as it reported. */
  readonly retryAt?: number;
  /** The limit that the provider reported for the window that refused. */
  readonly reportedLimit?: number;
  /** What the refusing limit counts, if the answer says so. */
  readonly unit?: 'requests' | 'tokens';
  /** Other quotas that the answer reports. */
  readonly reported?: readonly ReportedQuota[];
  /** A hash of the account name that the provider reported: keys with the same name share their quotas. */
  readonly identity?: string;
  /** The classification is a guess from the status alone: a second model that fails in this way speaks for the whole account. */
  readonly escalates?: boolean;
  /** `unsupported`: the fields of the request that the provider refused, e.g. `['seed']`. */
  readonly parameters?: readonly string[];
  /** `unsupported`: the capabilities that the model lacks, e.g. `['tools']`. */
  readonly capabilities?: readonly string[];
  /** `context_too_long`: the model's context length in tokens, if the answer reports it. */
  readonly contextLength?: number;
  /** What the caller can do, if it is not what the kind suggests: `Raise max_tokens`. */
  readonly advice?: string;
  /** `unsupported`: the model's largest answer in tokens, if the answer reports it. */
  readonly maxOutput?: number;
  /** The request alone exceeds the limit of tokens that refused it: nothing else had been sent. */
  readonly oversized?: boolean;
  /** The provider did not count the request, so its quota is refunded. */
  readonly uncounted?: boolean;
}

/** When a circuit breaker opens, and for how long. */
export interface Trip {
  /** Failures in a row that open the breaker. */
  readonly threshold: number;
  /** The first cooldown in ms; each further trip doubles it. */
  readonly cooldownMs: number;
  /** The longest cooldown in ms. */
  readonly maxCooldownMs: number;
  /** The first wait in ms of a call that no other route can serve; each further failure makes it four times as long. Default: 500. */
  readonly firstPauseMs?: number | undefined;
  /** The longest wait in ms of a call that no other route can serve. Default: the whole cooldown. */
  readonly lastResortMs?: number | undefined;
}

/** What a failure says about a key that is being checked. */
interface KeyEffect {
  /** Undefined if it says nothing about the key. */
  readonly works?: boolean;
  /** The state of a key that does not work, in at most nine characters. Default: the kind's name. */
  readonly state?: string;
  readonly advice?: string;
  /** At the scope `provider` the failure says nothing about the key, and this is the advice then. */
  readonly adviceAtProvider?: string;
  /** Whether it says nothing about the key in answer to a request other than a chat. */
  readonly chatOnly?: boolean;
}

/** One row of the table. `spec/failure-effects.schema.json` gives the default of each optional column. */
export interface FailureEffect {
  /** A few words for a log line. */
  readonly summary: string;
  /** Whether freelm's own code finds this failure, and no rule yields it. */
  readonly fromCode?: boolean;
  /** The window of the refusing limits, `minute` or `day`. They become full. */
  readonly fills?: string;
  /** When the answer's retry hint counts: `always`, or only a `long` one. */
  readonly hint?: string;
  /** Whether the answer's reset clock counts. */
  readonly clock?: boolean;
  /** How the circuit breaker at the failure's scope opens. A failure that fills a limit leaves it alone. */
  readonly trip?: Trip;
  /** Whether a second model that fails in this way speaks for the whole provider. */
  readonly spreads?: boolean;
  /** What the provider's record keeps of the request: its `size`, or the `parameters` that the model refuses. */
  readonly remembers?: string;
  /** How many failures of this kind end the call, because the request itself is at fault. */
  readonly throwsAfter?: number;
  /** Whether the failure speaks against the request: `unexplained`, always; `named`, if it names nothing that the model lacks. */
  readonly opinion?: string;
  /** What the rest of the call skips, if not what the scope covers: the `provider`, or `smaller-models` everywhere. */
  readonly excludes?: string;
  /** Whether the call looks for its next route at other providers first. */
  readonly setback?: boolean;
  /** Whether the call may come back to the same route after a pause. */
  readonly transient?: boolean;
  /** Whether the call may try the same route again at once, after all others. */
  readonly repeatable?: boolean;
  /** Whether a rule of this kind is about what the request contains, or about what the model made of it. */
  readonly aboutRequest?: boolean;
  /** How freelm's own OpenAI-compatible endpoint answers. */
  readonly answer?: { readonly status: number; readonly code?: string; readonly retry?: boolean };
  /** What the failure says about a key that is being checked. */
  readonly check: KeyEffect;
}

/** The table, spec 6.2. A kind without a row does not compile. */
export const FAILURE_EFFECTS: Readonly<Record<FailureKind, FailureEffect>> = table.effects;

const SCOPES: Readonly<Record<Scope, true>> = {
  provider: true,
  account: true,
  key: true,
  model: true,
  'account-model': true,
  request: true,
};

export function isFailureKind(value: unknown): value is FailureKind {
  return typeof value === 'string' && Object.hasOwn(FAILURE_EFFECTS, value);
}

export function isScope(value: unknown): value is Scope {
  return typeof value === 'string' && Object.hasOwn(SCOPES, value);
}

/** The window of the limits that a kind of failure fills. */
export function windowFilledBy(kind: FailureKind): 'minute' | 'day' | undefined {
  const { fills } = FAILURE_EFFECTS[kind];
  return fills === 'minute' || fills === 'day' ? fills : undefined;
}

/** The pause after `trips` earlier trips: `baseMs`, doubled with each of them, at most `maxMs`. */
export function backoffMs(baseMs: number, trips: number, maxMs: number): number {
  return Math.min(baseMs * 2 ** Math.min(trips, 40), maxMs);
}
