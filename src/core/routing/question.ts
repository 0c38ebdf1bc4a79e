/** What is asked of `plan` and what it answers: the words that the rooms of routing share. */

import type { CandidateModel, Route, PoolAccount, PoolProvider, Stage } from '../pool.ts';
import type { ProviderRecord } from '../records/provider.ts';
import type { Failure } from '../failure.ts';
import type { AccountRecord } from '../records/account.ts';

/** How many tokens a request has, as far as that can be said before it is sent. */
export interface TokenEstimate {
  /** Those of the prompt, about. */
  readonly prompt: number;
  /** Those that the prompt has at least. */
  readonly least: number;
  /** The most that the answer may have, where the caller says so. */
  readonly maxTokens: number | undefined;
}

/** What a call asks of a model. */
export interface RequestNeeds {
  /** Absent: nothing is known of the tokens. */
  readonly tokens?: (() => TokenEstimate) | undefined;
  /** The request's length in characters. */
  readonly size: number;
  /** Capabilities without which the request cannot be served, e.g. `tools`. */
  readonly capabilities: readonly string[];
  /** Fields of the request without which its answer would be another one, e.g. `response_format`. */
  readonly fields?: readonly string[] | undefined;
  /** A context length in tokens that a refusal stated and that was too short for a request no longer than this one. */
  readonly outgrown?: number | undefined;
  /** Whether it is longer than all windows by estimate. */
  readonly isLarge?: boolean | undefined;
}

/** One unsuccessful attempt of the call under way. */
export interface FailedAttempt {
  readonly route: Route;
  readonly failure: Failure;
  /** The context length of the model that was tried, in tokens, where known. */
  readonly ctx?: number | undefined;
  /** Epoch ms from which this call may come back to what failed; Infinity: never. */
  readonly excludedUntil: number;
}

/** How one provider stands, as seen by a strategy. */
export interface ProviderScore {
  readonly name: string;
  /** Position in the user's list of providers. */
  readonly index: number;
  /** The user's priority; lower is tried first. */
  readonly priority: number;
  /** Mean time that an answer of this provider takes; undefined until it has answered. */
  readonly latencyMs: number | undefined;
  /**
   * What one request of its cheapest ready route costs of a day's quota: 0 where no day is counted, rising
   * as the day's quota runs out, falling as its reset comes near; more where many requests fail.
   */
  readonly price: number;
  /** The used part of that route's minute, 0 to 1. */
  readonly minuteUse: number;
}

/** Orders the providers, best first. `turn` is the number of the call, starting at 0. Must not change its arguments. */
export type Strategy = (scores: readonly ProviderScore[], turn: number) => readonly ProviderScore[];

export type StrategyName = 'priority' | 'round_robin' | 'quota_aware' | 'latency';

/** The records of the pool as they are at this moment. */
export interface Records {
  provider(provider: PoolProvider): ProviderRecord;
  account(account: PoolAccount): AccountRecord;
}

/** How the pool chooses. */
export interface Preferences {
  readonly order: Strategy;
  /** Whether a provider's cheapest route is preferred over its best model. */
  readonly thrifty: boolean;
  /** The number of the call, starting at 0. */
  readonly turn: number;
}

/** One question to `plan`. */
export interface Question {
  readonly now: number;
  /** The fallback chain: a stage is used when nothing of an earlier one is ready. */
  readonly stages: readonly Stage[];
  readonly records: Records;
  readonly preferences: Preferences;
  readonly needs: RequestNeeds;
  readonly failedAttempts: readonly FailedAttempt[];
  /** A route to be tried once more before any other. */
  readonly again?: Route | undefined;
  readonly maxAttempts: number;
  /** Epoch ms until which the call would wait for a route; at most `now` when it does not wait. */
  readonly waitUntil: number;
}

/** A route and the account behind it. */
export interface Target {
  readonly route: Route;
  readonly provider: PoolProvider;
  readonly account: PoolAccount;
  readonly model: CandidateModel;
}

/** The decision. */
export type Decision =
  | {
      readonly kind: 'attempt';
      readonly target: Target;
      /** Whether another provider could serve the call now. */
      readonly alternatives: boolean;
    }
  | { readonly kind: 'wait'; readonly until: number }
  | {
      readonly kind: 'give-up';
      readonly reason: 'no-routes' | 'exhausted' | 'max-attempts';
      readonly readyAt: number;
    };
