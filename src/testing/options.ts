/** What a world is made of, as data: keys, accounts, models and limits. */

import type { Fault } from './faults/fault.ts';
import type { ReplyFunction } from './answers/completion.ts';
import type { Capability, Limits } from './model.ts';

export type { Capability, Limits, ProviderName } from './model.ts';

/** One key. */
export interface KeyOptions {
  /** @defaultValue a generated key of the provider's shape */
  readonly key?: string | undefined;
  /**
   * Whom the provider counts against; keys of one account share its limits.
   * @defaultValue an account of its own, `account-1` for the first key
   */
  readonly account?: string | undefined;
  /**
   * OpenRouter: `free` or `credit`. Google: `free` or `tier1`. An account has the tier of its first key.
   * @defaultValue 'free'
   */
  readonly tier?: string | undefined;
}

/** A span of time in milliseconds: always the same, or each time another one between two. */
export type Latency = number | readonly [least: number, most: number];

/** How a `custom` endpoint counts and what it says; the other providers do what they were recorded to do. */
export interface QuotaStyle {
  /**
   * How what is spent comes back. `windows`: the last 60 seconds count, and the UTC day. `refilling`: buckets that
   * refill all the time, a whole one in a minute or in 24 hours.
   * @defaultValue 'windows'
   */
  readonly limiter?: 'windows' | 'token-bucket' | undefined;
  /** Whom limits count against. A model's own limits hold besides. @defaultValue 'account' */
  readonly per?: 'account' | 'account-model' | undefined;
  /**
   * Which tokens count: those of the prompt; with them those of the answer; or the prompt and the longest answer that the
   * request allows, 2048 where it sets no `max_tokens`. A request for more than a minute's tokens is refused with 413.
   * @defaultValue 'input'
   */
  readonly tokens?: 'input' | 'total' | 'reserved' | undefined;
  /** What a 429 says: which limit it is and for how long to wait, or nothing at all. @defaultValue 'limit' */
  readonly refusal?: 'limit' | 'nothing' | undefined;
  /**
   * Whether answers carry `x-ratelimit-limit-`, `-remaining-` and `-reset-requests` of the day and `-tokens` of the minute;
   * `reset` is the time until nothing is spent any more, such as `1m26.4s`.
   * @defaultValue false
   */
  readonly headers?: boolean | undefined;
}

/**
 * How a model goes on with an answer that was broken off, its text status as the last message of the assistant or
 * before an instruction to continue: exactly where it ended; after repeating its last words; by giving the whole answer
 * again; or, where that text is the very last message, by a refusal.
 */
export type Continuation = 'faithful' | 'repeats-last-words' | 'starts-over' | 'refuses-prefill';

/** One model. */
export interface ModelOptions {
  readonly id: string;
  /**
   * Context window in tokens; a token is taken to be four characters.
   * @defaultValue 131072
   */
  readonly context?: number | undefined;
  /** @defaultValue ['vision'] */
  readonly lacks?: readonly Capability[] | undefined;
  /** @defaultValue the provider's `continues`; a model that lacks `prefill` refuses one in any case */
  readonly continues?: Continuation | undefined;
  /** Names of request parameters that it refuses, besides those that the provider refuses for every model. */
  readonly refuses?: readonly string[] | undefined;
  /**
   * This model's own limits. Google and NIM count by model anyway; on OpenRouter and `custom` they hold besides the
   * account's. `rpd: 0` is a model without a free tier.
   */
  readonly limits?: Limits | undefined;
  /**
   * What it produces; only `text` can chat.
   * @defaultValue 'text'
   */
  readonly output?: 'text' | 'embeddings' | 'audio' | undefined;
  /** Whether the model list says that it reasons. @defaultValue false */
  readonly reasons?: boolean | undefined;
  /**
   * OpenRouter: whether calling it is free of charge.
   * @defaultValue true where the id ends in `:free` or is `openrouter/free`
   */
  readonly free?: boolean | undefined;
  /** Whether the model list has it. @defaultValue true */
  readonly listed?: boolean | undefined;
  /** Listed, yet no account may call it, as each provider does with some. @defaultValue false */
  readonly closed?: boolean | undefined;
  /** The model that this id stands for and whose limits it shares. */
  readonly aliasOf?: string | undefined;
  /** How long it takes to begin an answer, in milliseconds. @defaultValue the provider's `latencyMs` */
  readonly latencyMs?: Latency | undefined;
}

/** One provider of a world. */
export interface ProviderOptions {
  /** Keys, or how many to generate, each in an account of its own. @defaultValue 2 */
  readonly keys?: number | readonly (string | KeyOptions)[] | undefined;
  /** @defaultValue the provider's best-known models of October 2026, with a few that only look callable */
  readonly models?: readonly (string | ModelOptions)[] | undefined;
  /** Replaces the provider's usual limits for every tier; a model's own limits still come first. */
  readonly limits?: Limits | undefined;
  /** `custom` only. @defaultValue a {@link QuotaStyle} of defaults */
  readonly quota?: QuotaStyle | undefined;
  /** How long an answer takes to begin, in milliseconds; a refusal comes at once. @defaultValue 0 */
  readonly latencyMs?: Latency | undefined;
  /** How its models go on with an unfinished answer. @defaultValue 'faithful' */
  readonly continues?: Continuation | undefined;
  /** What goes wrong from the start; {@link Fault} is the vocabulary. */
  readonly faults?: readonly Fault[] | undefined;
  /** What the models say. @defaultValue an echo: `<model> heard: <last user text>` */
  readonly reply?: ReplyFunction | undefined;
  /** Where the provider seems to be; `startWorld` sets it. @defaultValue its real base URL */
  readonly baseUrl?: string | undefined;
  /** Seeds generated keys, every `share` of a fault and every latency between two. @defaultValue 1 */
  readonly seed?: number | undefined;
}

/** A whole world. A provider that is not mentioned is there with its defaults; `keys: []` leaves it without keys. */
export interface WorldOptions {
  readonly openrouter?: ProviderOptions | undefined;
  readonly google?: ProviderOptions | undefined;
  readonly nim?: ProviderOptions | undefined;
  readonly custom?: ProviderOptions | undefined;
  /** What the models of all providers say, unless a provider has its own `reply`. */
  readonly reply?: ReplyFunction | undefined;
  /** @defaultValue 1 */
  readonly seed?: number | undefined;
}
