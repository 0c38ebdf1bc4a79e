/** The configured pool as the decisions see it: names and limits, no secrets. */

import type { FailureKind, Trip } from './failure.ts';
import type { Limit } from './limits/limit.ts';
import type { FreeReason } from './model.ts';

/** One account of a provider, with its keys. */
export interface PoolAccount {
  readonly id: string;
  /** The id of its stored record. */
  readonly recordId: string;
  /** Hashes of its keys, in the user's order. */
  readonly keyIds: readonly string[];
  /** Why its calls are free; undefined if they are billed, or nothing is known. */
  readonly freeBecause?: FreeReason | undefined;
  /** Whether its calls are billed and the user does not allow that. */
  readonly isBilled?: boolean | undefined;
  /** The limits that count a request for `model` on this account. */
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
  /** The `max_tokens` to send if the caller sets none, for providers that would count or cut the answer otherwise. spec 3.13 */
  readonly maxTokensWhenUnset?: number | undefined;
  /** Whether the user allows calls that cost money. Default false. spec 11.8 */
  readonly maySpend?: boolean | undefined;
  /** When this provider's breakers open for a kind of failure; undefined: as the table of failure effects says. */
  trip(kind: FailureKind): Trip | undefined;
}

/** A model as a candidate of one call. */
export interface CandidateModel {
  readonly id: string;
  /** Whether no list of the provider names it, so that it may not exist. */
  readonly unlisted?: boolean | undefined;
  /** Context length in tokens, if known. */
  readonly ctx?: number | undefined;
  /** The longest answer in tokens, if known. */
  readonly maxOutput?: number | undefined;
  /** Whether it is known to cost money. */
  readonly costs?: boolean | undefined;
  /** Why it is free, if not for the account's reason. */
  readonly freeBecause?: FreeReason | undefined;
  /** Whether the user prefers it: then it is taken whatever its price. */
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
  /** The account that the provider counts against. */
  readonly account: string;
  /** A hash of the key; never the key. */
  readonly keyId: string;
  /** The model's id as the provider spells it. */
  readonly model: string;
}
