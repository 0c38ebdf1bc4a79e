/** What the decisions need to know of the configured pool: names and limits, no secrets. */

import type { FailureKind, Trip } from './failure.ts';
import type { Limit } from './limits/limit.ts';

/** One account of a provider, with its keys. */
export interface PoolAccount {
  readonly id: string;
  /** Where its record is stored. */
  readonly recordId: string;
  /** Hashes of its keys, in the user's order. */
  readonly keyIds: readonly string[];
  /** The meters that count a request for `model` on this account. */
  limits(model: string): readonly Limit[];
}

/** One provider of the pool. */
export interface PoolProvider {
  readonly name: string;
  readonly recordId: string;
  /** Position in the pool. */
  readonly index: number;
  /** Lower is tried first under the strategy `priority`. */
  readonly priority: number;
  readonly accounts: readonly PoolAccount[];
  /** The most tokens that an answer may have where the caller does not say: sent to providers that count or cut otherwise. */
  readonly maxTokensWhenUnset?: number | undefined;
  /** How this provider's breakers open for a kind of failure. */
  trip(kind: FailureKind): Trip | undefined;
}

/** A model as a candidate of one call. */
export interface CandidateModel {
  readonly id: string;
  /** Context length in tokens, where known. */
  readonly ctx?: number | undefined;
  /** How long an answer may be, in tokens, where known. */
  readonly maxOutput?: number | undefined;
  /** Whether the user prefers it: then its price does not matter. */
  readonly preferred?: boolean | undefined;
}

/** A provider and its models that can serve a call, best first. */
export interface Candidate {
  readonly provider: PoolProvider;
  readonly models: readonly CandidateModel[];
}

/** The candidates of one step of a fallback chain. */
export type Stage = readonly Candidate[];

/** One way to serve a call: a provider, one of its keys, one of its models. */
export interface Route {
  /** The provider's name, e.g. `openrouter`. */
  readonly provider: string;
  /** Whom the provider counts against. */
  readonly account: string;
  /** A hash of the key; never the key. */
  readonly keyId: string;
  /** The model's id as the provider spells it. */
  readonly model: string;
}
