/** The question to `plan`, its decision, and the types that routing shares. */

import type { CandidateModel, Route, PoolAccount, PoolProvider, Stage } from '../pool.ts';
import type { FeaturesOf } from '../records/dislikes.ts';
import type { ProviderRecord } from '../records/provider.ts';
import type { Failure } from '../failure.ts';
import type { AccountRecord } from '../records/account.ts';

/** The estimated tokens of a request. spec 12.10 */
export interface TokenEstimate {
  /** About how many tokens the prompt has. */
  readonly prompt: number;
  /** The fewest tokens that the prompt has. */
  readonly least: number;
  /** The caller's `max_tokens`. */
  readonly maxTokens: number | undefined;
}

/** A request of several texts that a model reads one by one. */
export interface BatchNeeds {
  /** How many texts it has. */
  readonly inputs: number;
  /** The length of the longest text in characters. */
  readonly longest: number;
  /** The tokens of that text. It alone must fit into the model's context. */
  readonly longestTokens: () => TokenEstimate;
}

/** What a call needs of a model. */
export interface RequestNeeds {
  /** Absent: the tokens are not estimated. */
  readonly tokens?: (() => TokenEstimate) | undefined;
  /** What a model may not like about the request, spec 8.5. Absent: nothing is learnt about it. */
  readonly features?: FeaturesOf | undefined;
  /** The request's length in characters. */
  readonly size: number;
  /** Of a batch of texts. Absent: the request is one text. */
  readonly batch?: BatchNeeds | undefined;
  /** Capabilities without which the request cannot be served, e.g. `tools`. */
  readonly capabilities: readonly string[];
  /** Fields of the request that must be sent, e.g. `response_format`. */
  readonly fields?: readonly string[] | undefined;
  /** The largest reported context length, in tokens, that was too short for a request of at most this length. */
  readonly tooShortCtx?: number | undefined;
  /** Whether the estimate exceeds the context length of all models. */
  readonly isLarge?: boolean | undefined;
}

/** One unsuccessful attempt of the current call. */
export interface FailedAttempt {
  readonly route: Route;
  readonly failure: Failure;
  /** The context length of the model in tokens, if known. */
  readonly ctx?: number | undefined;
  /** Whether the plain form of the request was sent. */
  readonly plain?: boolean | undefined;
  /** Whether it speaks against the request, spec 8.3. */
  readonly isOpinion?: boolean | undefined;
  /** Epoch ms from which the call may come back to the route; Infinity: never. */
  readonly excludedUntil: number;
}

/** What a strategy knows about one provider. spec 11.5 */
export interface ProviderScore {
  readonly name: string;
  /** Position in the user's list of providers. */
  readonly index: number;
  /** The user's priority; lower is tried first. */
  readonly priority: number;
  /** Mean time to an answer of this provider in ms; undefined until it has answered. */
  readonly latencyMs: number | undefined;
  /**
   * The price of a request on its cheapest ready route, in parts of a day's quota. It is 0 without a daily limit, rises
   * as the quota runs out, falls as its reset comes near, and is higher for a provider that often fails.
   */
  readonly price: number;
  /** The used part of that route's limits of a minute, 0 to 1. */
  readonly minuteUse: number;
}

/** Orders the providers, best first. `turn` is the number of the call, from 0. Must not change its arguments. */
export type Strategy = (scores: readonly ProviderScore[], turn: number) => readonly ProviderScore[];

export type StrategyName = 'priority' | 'round_robin' | 'quota_aware' | 'latency';

/** The records of the pool at one moment. An object never gives others: what follows from them is remembered with it. */
export interface Records {
  provider(provider: PoolProvider): ProviderRecord;
  account(account: PoolAccount): AccountRecord;
}

/** How the pool chooses a route. */
export interface Preferences {
  readonly order: Strategy;
  /** Whether a provider's cheapest route comes before its best model. */
  readonly preferCheapest: boolean;
  /** The number of the call, from 0. */
  readonly turn: number;
  /** The route that served the conversation last. It comes first while it is ready. */
  readonly previousRoute?: Route | undefined;
}

/** One question to `plan`. */
export interface Question {
  readonly now: number;
  /** The fallback chain: a stage is used if no route of an earlier one is ready. */
  readonly stages: readonly Stage[];
  readonly records: Records;
  readonly preferences: Preferences;
  readonly needs: RequestNeeds;
  readonly failedAttempts: readonly FailedAttempt[];
  /** A route to try once more before any other. */
  readonly retryRoute?: Route | undefined;
  readonly maxAttempts: number;
  /** Whether this process has a request under way on the account whose outcome may let another one through. Default: none. */
  readonly mayAdmitMore?: ((account: PoolAccount) => boolean) | undefined;
  /** Epoch ms until which the call waits for a route; at most `now` if it does not wait. */
  readonly waitUntil: number;
}

/** A route with its provider, account and model. */
export interface Target {
  readonly route: Route;
  readonly provider: PoolProvider;
  readonly account: PoolAccount;
  readonly model: CandidateModel;
}

/** What the call does next. */
export type Decision =
  | {
      readonly kind: 'attempt';
      readonly target: Target;
      /** Whether another provider could serve the call now. */
      readonly alternatives: boolean;
    }
  | {
      readonly kind: 'wait';
      readonly until: number;
      /**
       * Epoch ms until which a call would wait that has only the failures that exclude routes for good; `now` if it would be
       * served. Absent: as long as this one.
       */
      readonly othersUntil?: number | undefined;
    }
  | {
      readonly kind: 'give-up';
      readonly reason: 'no-routes' | 'exhausted' | 'max-attempts';
      readonly readyAt: number;
    };
