/** The options of a world: keys, accounts, models and limits. */

import type { Fault } from './faults/fault.ts';
import type { ReplyFunction } from './answers/completion.ts';
import type { Requirement, RequirementName } from './requirements/requirement.ts';
import type { Capability, Limits } from './model.ts';

export type { Requirement, RequirementName } from './requirements/requirement.ts';
export type { Capability, Limits, ProviderName } from './model.ts';

export interface KeyOptions {
  /** @defaultValue a generated key in the provider's format */
  readonly key?: string | undefined;
  /**
   * The account of the key. Keys of one account share its limits.
   * @defaultValue an account of its own, `account-1` for the first key
   */
  readonly account?: string | undefined;
  /**
   * `free` or `credit` for OpenRouter, `free` or `tier1` for Google. An account has the tier of its first key.
   * @defaultValue 'free'
   */
  readonly tier?: string | undefined;
}

/** A duration in milliseconds: fixed, or drawn between two bounds for each answer. */
export type Latency = number | readonly [least: number, most: number];

/**
 * How a `custom` endpoint counts requests and reports its quotas. The other providers follow their recordings, but `nim`
 * takes `per`: NVIDIA does not say what it counts.
 */
export interface QuotaStyle {
  /**
   * The algorithm of the limits. `windows`: a sliding window of 60 seconds, and the UTC day. `token-bucket`: buckets that
   * refill continuously, in a minute or in 24 hours.
   * @defaultValue 'windows'
   */
  readonly limiter?: 'windows' | 'token-bucket' | undefined;
  /** The scope of the limits. A model's own limits apply in addition. @defaultValue 'account'; of `nim` 'account-model' */
  readonly per?: 'account' | 'account-model' | undefined;
  /**
   * The tokens that count. `input`: the prompt. `total`: the prompt and the answer. `reserved`: the prompt and
   * `max_tokens`, which defaults to 2048. A request that exceeds the limit of a whole minute gets a 413.
   * @defaultValue 'input'
   */
  readonly tokens?: 'input' | 'total' | 'reserved' | undefined;
  /** Whether a 429 names the limit and the time to wait, only the time (`hint`), or nothing. @defaultValue 'limit' */
  readonly refusal?: 'limit' | 'hint' | 'nothing' | undefined;
  /**
   * Whether answers have the headers `x-ratelimit-limit-*`, `-remaining-*` and `-reset-*`, with `requests` for the day and
   * `tokens` for the minute. `reset` is the time until the limit is unused again, such as `1m26.4s`.
   * @defaultValue false
   */
  readonly headers?: boolean | undefined;
}

/**
 * How a model continues an unfinished answer, which is the last message (prefill) or the one before an instruction to
 * continue. `faithful`: exactly where it ended. `repeats-last-words`: after its last words. `starts-over`: with the whole
 * answer. `refuses-prefill`: with a refusal, if the unfinished answer is the last message.
 */
export type Continuation = 'faithful' | 'repeats-last-words' | 'starts-over' | 'refuses-prefill';

export interface ModelOptions {
  readonly id: string;
  /**
   * Context length in tokens. A token is estimated at four characters.
   * @defaultValue 131072
   */
  readonly context?: number | undefined;
  /** @defaultValue ['vision'] */
  readonly lacks?: readonly Capability[] | undefined;
  /** A model that lacks `prefill` always refuses it. @defaultValue the provider's `continues` */
  readonly continues?: Continuation | undefined;
  /** Request parameters that it refuses, in addition to those that the provider refuses for all models. */
  readonly refuses?: readonly string[] | undefined;
  /**
   * This model's own limits. OpenRouter and `custom` apply them in addition to the account's. Google and NIM count by
   * model anyway. `rpd: 0` makes a model without a free tier.
   */
  readonly limits?: Limits | undefined;
  /**
   * The model's output. Only models with `text` can chat.
   * @defaultValue 'text'
   */
  readonly output?: 'text' | 'embeddings' | 'audio' | undefined;
  /** Of a model for embeddings: how many numbers a vector has. @defaultValue 16 */
  readonly dimensions?: number | undefined;
  /** Whether a request may ask for fewer numbers. @defaultValue false */
  readonly shortens?: boolean | undefined;
  /** Whether it needs `input_type`, and gives other vectors to a query than to a passage. @defaultValue false */
  readonly asymmetric?: boolean | undefined;
  /** The name of its weights: models of the same name give the same vectors. @defaultValue its id */
  readonly weights?: string | undefined;
  /** Whether the model list marks it as a reasoning model. @defaultValue false */
  readonly reasons?: boolean | undefined;
  /** The forms of a request that it insists on. @defaultValue the provider's `requirements` */
  readonly requirements?: readonly (RequirementName | Requirement)[] | undefined;
  /**
   * Whether it is free of charge. OpenRouter only.
   * @defaultValue true if the id ends in `:free` or is `openrouter/free`
   */
  readonly free?: boolean | undefined;
  /** Whether it is in the model list. @defaultValue true */
  readonly listed?: boolean | undefined;
  /** Whether it is closed to all accounts although it is listed. Each provider has such models. @defaultValue false */
  readonly closed?: boolean | undefined;
  /** The model that this id is an alias of. It shares that model's limits. */
  readonly aliasOf?: string | undefined;
  /** The time to the first byte of an answer, in milliseconds. @defaultValue the provider's `latencyMs` */
  readonly latencyMs?: Latency | undefined;
}

export interface ProviderOptions {
  /** The keys, or the number of keys to generate, each with an account of its own. @defaultValue 2 */
  readonly keys?: number | readonly (string | KeyOptions)[] | undefined;
  /** @defaultValue the provider's best-known models of October 2026, including some that cannot be called */
  readonly models?: readonly (string | ModelOptions)[] | undefined;
  /** Replaces the provider's usual limits for all tiers. A model's own limits take precedence. */
  readonly limits?: Limits | undefined;
  /** For `custom`, and `per` for `nim`. @defaultValue the defaults of {@link QuotaStyle} */
  readonly quota?: QuotaStyle | undefined;
  /** The time to the first byte of an answer, in milliseconds. Refusals have no delay. @defaultValue 0 */
  readonly latencyMs?: Latency | undefined;
  /** How its models continue an unfinished answer. @defaultValue 'faithful' */
  readonly continues?: Continuation | undefined;
  /** The forms of a request that its models insist on. @defaultValue none */
  readonly requirements?: readonly (RequirementName | Requirement)[] | undefined;
  /** The initial faults. */
  readonly faults?: readonly Fault[] | undefined;
  /** Generates the answers. @defaultValue an echo: `<model> heard: <last user text>` */
  readonly reply?: ReplyFunction | undefined;
  /** The provider's base URL. `startWorld` sets it. @defaultValue the real base URL */
  readonly baseUrl?: string | undefined;
  /** The seed for generated keys, the `share` of faults, and latencies between two bounds. @defaultValue 1 */
  readonly seed?: number | undefined;
}

/** The options of a world. A provider that is left out has its defaults. `keys: []` leaves it without keys. */
export interface WorldOptions {
  readonly openrouter?: ProviderOptions | undefined;
  readonly google?: ProviderOptions | undefined;
  readonly nim?: ProviderOptions | undefined;
  readonly custom?: ProviderOptions | undefined;
  /** Generates the answers of all providers that have no `reply` of their own. */
  readonly reply?: ReplyFunction | undefined;
  /** @defaultValue 1 */
  readonly seed?: number | undefined;
}
