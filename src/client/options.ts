/** The options of a pool and of a call. `option-checks.ts` checks them. */

import type { Strategy, StrategyName } from '../core/routing/question.ts';
import type { StateStore } from '../ports.ts';
import type { Privacy } from '../providers/privacy.ts';
import type { Provider } from '../providers/provider.ts';
import type { FetchLike } from '../adapters/fetch.ts';
import type { DispatcherLike } from '../adapters/undici.ts';
import type { EventListener } from './events.ts';

/** How long a call may take and how often it may try. Times are in milliseconds. */
export interface CallLimits {
  /**
   * The longest time that a call may take, waiting included. Default 60 000. For a stream, the default applies until
   * its first part, and a value that you set applies to the whole stream.
   */
  readonly timeoutMs?: number | undefined;
  /** The longest that one attempt may take. Default 30 000. */
  readonly attemptTimeoutMs?: number | undefined;
  /** The longest wait for the first part of a stream, on each route. Default 20 000. */
  readonly firstPartTimeoutMs?: number | undefined;
  /** The longest gap between two parts of a stream. The consumer's own time does not count. Default 20 000. */
  readonly idleTimeoutMs?: number | undefined;
  /** The most requests that one call may send. Default 12. */
  readonly maxAttempts?: number | undefined;
  /**
   * Whether a call waits if no route is ready, instead of failing. Default `false`. Even without it, a call retries a
   * route after a passing fault if no other route can serve it, with pauses of up to 5 s.
   */
  readonly wait?: boolean | undefined;
  /** The longest that a call waits for a route with `wait: true`. Default 20 000. */
  readonly maxWaitMs?: number | undefined;
}

/** Which providers may see the prompts. */
export interface PrivacyOption {
  /**
   * What must not happen to prompts. With `no-training`, freelm uses only providers that are known not to train models
   * on them. With `no-logging`, it uses only those that do not keep them either. `spec/providers` has the facts. The
   * stricter option of the pool and the call applies. Default: any provider.
   */
  readonly privacy?: Privacy | undefined;
}

/** The options of a pool. */
export interface FreeLLMOptions extends CallLimits, PrivacyOption {
  /** At least one provider, each with its keys. */
  readonly providers: readonly Provider[];
  /**
   * Whether calls may cost money. With `never`, freelm refuses models and accounts that are known to be billed, and
   * closes a model for good when an answer or a list states a price above 0. Default: `FREELM_SPEND`, else `never`,
   * except at providers with `freeOnly: false` and for accounts whose `tier` is billed.
   */
  readonly spend?: 'never' | 'allow' | undefined;
  /** The order in which providers are tried, by name or as a function. Default `quota_aware`. */
  readonly strategy?: StrategyName | Strategy | undefined;
  /** The model of calls that name none. Default `auto`. */
  readonly model?: string | readonly string[] | undefined;
  /**
   * Maps a requested name to a model, or to a list of models as a chain, e.g. `{ 'gpt-4o': 'large' }`. The names also
   * appear in the list of models. Default: no other names.
   */
  readonly modelMap?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /**
   * Whether the calls of one conversation over HTTP or `llm.fetch` stay on the route that served the last one, while it
   * is ready. Default `true`.
   */
  readonly affinity?: boolean | undefined;
  /**
   * The context length in tokens that model lists show for names that stand for several models, so that agents shorten
   * their conversations in time. Default: the smallest of these models.
   */
  readonly contextTokens?: number | undefined;
  /**
   * What happens if no provider of the pool has a model, or none offers it for free. `error` throws a
   * `ModelNotFoundError`. `auto` serves the call as `auto`, for code with hard-coded model names. Default `error`.
   */
  readonly unknownModels?: 'error' | 'auto' | undefined;
  /**
   * Whether freelm keeps used quotas, cooldowns and what it learnt in files in `cacheDir`, which all processes of the
   * user share. It keeps answers of the Responses API there as well, for an hour, with their prompts. Default:
   * `FREELM_PERSIST`, else `true`. `false` keeps all of it in memory.
   */
  readonly persist?: boolean | undefined;
  /** Your own store for used quotas and what was learnt about providers. Default: files, see `persist`. */
  readonly store?: StateStore | undefined;
  /** The folder for discovered model lists and state. Default: `FREELM_CACHE_DIR`, else the system's cache folder. */
  readonly cacheDir?: string | undefined;
  /** Your own `fetch`. Default: undici. */
  readonly fetch?: FetchLike | undefined;
  /** Your own undici dispatcher, e.g. a `ProxyAgent`. Cannot be combined with `fetch`. */
  readonly dispatcher?: DispatcherLike | undefined;
  /** Receives every event: calls, attempts, waits, discoveries and warnings. */
  readonly onEvent?: EventListener | undefined;
}

/** The fields that go to the model, under OpenAI's names. */
export interface ModelFields {
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly top_k?: number | undefined;
  readonly min_p?: number | undefined;
  readonly max_tokens?: number | undefined;
  readonly max_completion_tokens?: number | undefined;
  readonly stop?: string | readonly string[] | undefined;
  readonly seed?: number | undefined;
  readonly n?: number | undefined;
  readonly presence_penalty?: number | undefined;
  readonly frequency_penalty?: number | undefined;
  readonly logit_bias?: Readonly<Record<string, number>> | undefined;
  readonly logprobs?: boolean | undefined;
  readonly top_logprobs?: number | undefined;
  readonly user?: string | undefined;
  readonly tools?: readonly unknown[] | undefined;
  readonly tool_choice?: unknown;
  readonly parallel_tool_calls?: boolean | undefined;
  readonly response_format?: unknown;
  readonly reasoning_effort?: string | undefined;
  readonly reasoning?: unknown;
  /** Any other fields of the request body, passed on unchanged. */
  readonly extraBody?: Readonly<Record<string, unknown>> | undefined;
}

/** The options of one call. */
export interface ChatOptions extends CallLimits, PrivacyOption, ModelFields {
  /** A virtual model such as `chat:fast`, a model id, or a list of them as a fallback chain. Default `auto`. */
  readonly model?: string | readonly string[] | undefined;
  /** Aborts the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The options of a stream. */
export interface StreamOptions extends ChatOptions {
  /**
   * What happens if a stream breaks after its first part. With `continue`, another route continues the answer. With
   * `fail`, the stream throws a `BrokenStreamError`. Default `continue`.
   */
  readonly onCut?: 'continue' | 'fail' | undefined;
}
