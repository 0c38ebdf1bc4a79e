/** The options of a pool and of a call, and their checks. */

import * as z from 'zod/mini';
import { nativeSignal } from '../abort.ts';
import { check, listOf, quickMatch, recordOf } from '../check.ts';
import { STRATEGIES } from '../core/routing/strategy.ts';
import type { Strategy, StrategyName } from '../core/routing/question.ts';
import { ConfigError } from '../errors.ts';
import type { StateStore } from '../ports.ts';
import type { Privacy } from '../providers/privacy.ts';
import { Provider } from '../providers/provider.ts';
import { PROVIDER_EXAMPLE } from '../providers/public-list.ts';
import type { FetchLike } from '../adapters/fetch.ts';
import type { DispatcherLike } from '../adapters/undici.ts';
import {
  flag,
  limitSchemas,
  milliseconds,
  modelNameSchema,
  privacySchema,
  signalSchema,
} from './call-schemas.ts';
import type { EventListener } from './events.ts';

/** How long a call may take and how often it may try. Times are in milliseconds. */
export interface CallLimits {
  /**
   * The longest that a call may take, waiting included. Default 60 000. For a stream, the default applies until its first
   * part, and a value that you set applies to the whole stream.
   */
  readonly timeoutMs?: number | undefined;
  /** The longest that one attempt may take. Default 30 000. */
  readonly attemptTimeoutMs?: number | undefined;
  /** The longest wait for the first part of a stream, on each route. Default 20 000. */
  readonly firstPartTimeoutMs?: number | undefined;
  /** The longest gap between two parts of a stream. The consumer's own time does not count. Default 20 000. */
  readonly idleTimeoutMs?: number | undefined;
  /** How many requests one call may cost. Default 12. */
  readonly maxAttempts?: number | undefined;
  /**
   * Whether a call waits if no route is ready, instead of failing. Default `false`. Even then, a call retries a route after a
   * passing fault if no other route can serve it, with pauses of up to 5 s.
   */
  readonly wait?: boolean | undefined;
  /** The longest that a call waits for a route with `wait: true`. Default 20 000. */
  readonly maxWaitMs?: number | undefined;
}

/** Which providers may see the prompts. */
export interface PrivacyOption {
  /**
   * What must not happen to prompts. With `no-training`, only providers are asked that are known not to train models on them;
   * with `no-logging`, only those that do not keep them either. `spec/providers` has the facts. The stricter of the pool's and
   * the call's applies. Default: any provider.
   */
  readonly privacy?: Privacy | undefined;
}

/** The options of a pool. */
export interface FreeLLMOptions extends CallLimits, PrivacyOption {
  /** At least one provider, each with its keys. */
  readonly providers: readonly Provider[];
  /**
   * Whether calls may cost money. With `never`, freelm refuses models and accounts that are known to be billed, and closes a
   * model for good when an answer or a list states a price above 0. Default: `FREELM_SPEND`, else `never`, except at
   * providers with `freeOnly: false` and for accounts whose `tier` is billed.
   */
  readonly spend?: 'never' | 'allow' | undefined;
  /** The order in which providers are tried, by name or as a function. Default `quota_aware`. */
  readonly strategy?: StrategyName | Strategy | undefined;
  /** The model of calls that name none. Default `auto`. */
  readonly model?: string | readonly string[] | undefined;
  /**
   * What calls get that ask for a name, e.g. `{ 'gpt-4o': 'large' }`: a model, or a list of models as a chain. The names also
   * appear in the list of models. Default: no other names.
   */
  readonly modelMap?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /**
   * Whether calls of one conversation that arrive over HTTP or by `llm.fetch` stay on the route that served the last one, while
   * it is ready. Default `true`.
   */
  readonly affinity?: boolean | undefined;
  /**
   * The context length in tokens that lists of models show for names that stand for several models, so that agents shorten their
   * conversations in time. Default: the smallest of these models.
   */
  readonly contextTokens?: number | undefined;
  /**
   * What happens if no provider of the pool has a model, or has it for free. `error` throws a `ModelNotFoundError`. `auto`
   * serves the call as `auto`, for code with hard-coded model names. Default `error`.
   */
  readonly unknownModels?: 'error' | 'auto' | undefined;
  /**
   * Whether used quotas, cooldowns and what was learnt are kept in files in `cacheDir`, which all processes of the user
   * share. Answers of the Responses API are kept there as well, for an hour, with their prompts. Default: `FREELM_PERSIST`, else
   * `true`. `false` keeps all of it in memory.
   */
  readonly persist?: boolean | undefined;
  /** Your own store for used quotas and what was learnt about providers. Default: files, see `persist`. */
  readonly store?: StateStore | undefined;
  /** The directory for discovered model lists and state. Default: `FREELM_CACHE_DIR`, else the system's cache directory. */
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
   * What happens if a stream breaks after its first part. With `continue`, another route continues the answer. With `fail`,
   * the stream throws a `BrokenStreamError`. Default `continue`.
   */
  readonly onCut?: 'continue' | 'fail' | undefined;
}

const text = z.string('must be a string').check(z.minLength(1, 'must not be empty'));
/** The most models of one call. */
const MAX_CHAIN = 100;
const CHAIN = 'must be a model name or a list of at least one model name';
const modelNames = z.union(
  [
    modelNameSchema,
    listOf(modelNameSchema, CHAIN).check(
      z.refine((names) => names.length > 0, 'must name at least one model'),
      z.refine((names) => names.length <= MAX_CHAIN, `must name at most ${MAX_CHAIN} models`),
    ),
  ],
  CHAIN,
);
const limits = {
  ...limitSchemas,
  firstPartTimeoutMs: z.optional(milliseconds),
  idleTimeoutMs: z.optional(milliseconds),
};

const strategyNames = Object.keys(STRATEGIES);
const aFunction = z.custom((value) => typeof value === 'function', 'must be a function');

const poolFields = {
  ...limits,
  privacy: privacySchema,
  providers: z
    .array(
      z.custom<Provider>(
        (value) => value instanceof Provider,
        `is not a provider. Pass e.g. ${PROVIDER_EXAMPLE}`,
      ),
      'must be a list of providers',
    )
    .check(z.minLength(1, 'must not be empty: pass at least one provider, or use FreeLLM.fromEnv()')),
  strategy: z.optional(
    z.custom(
      (value) => typeof value === 'function' || (typeof value === 'string' && strategyNames.includes(value)),
      `must be one of ${strategyNames.join(', ')}, or a function`,
    ),
  ),
  spend: z.optional(z.enum(['never', 'allow'], 'must be "never" or "allow"')),
  model: z.optional(modelNames),
  modelMap: z.optional(recordOf(modelNames, 'must be an object whose values are models')),
  affinity: z.optional(flag),
  contextTokens: z.optional(z.int('must be a whole number').check(z.positive('must be at least 1'))),
  unknownModels: z.optional(z.enum(['error', 'auto'], 'must be "error" or "auto"')),
  persist: z.optional(flag),
  store: z.optional(
    z.custom<StateStore>(
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        typeof Reflect.get(value, 'read') === 'function' &&
        typeof Reflect.get(value, 'swap') === 'function',
      'must have read(ids) and swap(id, expectedVersion, next)',
    ),
  ),
  cacheDir: z.optional(text),
  fetch: z.optional(aFunction),
  dispatcher: z.optional(
    z.custom((value) => typeof value === 'object' && value !== null, 'must be an undici Dispatcher'),
  ),
  onEvent: z.optional(aFunction),
};
const poolSchema = z.strictObject(poolFields, 'must be an object, at least { providers: [...] }');

const number = z.number('must be a number');
const count = z.int('must be a whole number').check(z.positive('must be at least 1'));
const fieldSchemas = {
  temperature: z.optional(number.check(z.nonnegative('must not be negative'))),
  top_p: z.optional(number.check(z.nonnegative('must not be negative'))),
  top_k: z.optional(number),
  min_p: z.optional(number),
  max_tokens: z.optional(count),
  max_completion_tokens: z.optional(count),
  stop: z.optional(z.union([z.string(), listOf(z.string(), '')], 'must be a string or a list of strings')),
  seed: z.optional(z.int('must be a whole number')),
  n: z.optional(count),
  presence_penalty: z.optional(number),
  frequency_penalty: z.optional(number),
  logit_bias: z.optional(recordOf(number, 'must be an object of numbers')),
  logprobs: z.optional(flag),
  top_logprobs: z.optional(number),
  user: z.optional(z.string('must be a string')),
  tools: z.optional(
    listOf(
      z.looseObject({ type: z.string('must be a string') }, 'must be a tool'),
      'must be a list of tools',
    ),
  ),
  tool_choice: z.optional(z.unknown()),
  parallel_tool_calls: z.optional(flag),
  response_format: z.optional(z.unknown()),
  reasoning_effort: z.optional(z.string('must be a string')),
  reasoning: z.optional(z.unknown()),
};

const callSchema = z.strictObject({
  ...limits,
  privacy: privacySchema,
  ...fieldSchemas,
  model: z.optional(modelNames),
  signal: signalSchema,
  extraBody: z.optional(recordOf(z.unknown(), 'must be an object')),
});

const onCut = z.optional(z.enum(['continue', 'fail'], 'must be "continue" or "fail"'));
const streamSchema = z.extend(callSchema, { onCut });
const isPlainCall = quickMatch(callSchema.shape);
const isPlainStream = quickMatch(streamSchema.shape);

/** The options of a call that freelm does not send to the model. */
export type OwnOptions = CallLimits & Pick<StreamOptions, 'model' | 'onCut' | 'privacy'>;
export const ownSchema: z.ZodMiniType<OwnOptions> = z.strictObject({
  ...limits,
  privacy: privacySchema,
  model: z.optional(modelNames),
  onCut,
});
/** The fields of a request body that freelm checks. */
export const fieldsSchema: z.ZodMiniType<ModelFields> = z.object(fieldSchemas);

/** The names of the fields that freelm checks. */
export const WIRE_FIELDS: readonly string[] = Object.keys(fieldSchemas);

/** @throws ConfigError that names the invalid option. */
export function checkPoolOptions(options: FreeLLMOptions): void {
  check(poolSchema, options, 'options');
  if (options.persist === true && options.store !== undefined) {
    throw new ConfigError(
      'options.persist and options.store cannot be combined: a store of your own takes the place of the files.',
    );
  }
  if (options.fetch !== undefined && options.dispatcher !== undefined) {
    throw new ConfigError(
      'options.fetch and options.dispatcher cannot be combined: a dispatcher belongs to the default transport.',
    );
  }
  const names = options.providers.map((provider) => provider.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ConfigError(
      `options.providers has "${twice}" twice. Give one provider all its keys: new Provider([key, key]).`,
    );
  }
}

/**
 * The options of a call, with a signal of this realm.
 * @param streams - Whether `stream()` was called.
 * @throws ConfigError that names the invalid option.
 */
export function checkedCallOptions<Options extends ChatOptions>(options: Options, streams: boolean): Options {
  if (typeof options !== 'object' || options === null) throw new ConfigError('options: must be an object.');
  const asked = 'stream' in options ? 'options.stream' : undefined;
  const inBody = options.extraBody?.['stream'] === undefined ? undefined : 'options.extraBody.stream';
  const name = asked ?? inBody;
  if (name !== undefined)
    throw new ConfigError(
      `${name}: leave it out. chat() and text() return a whole answer, and stream() streams it.`,
    );
  if (!(streams ? isPlainStream : isPlainCall)(options))
    check(streams ? streamSchema : callSchema, options, 'options');
  const { signal } = options;
  return signal === undefined || signal instanceof AbortSignal
    ? options
    : { ...options, signal: nativeSignal(signal) };
}

/** The fields of the request body, without freelm's own options. */
export function wireFields(options: ChatOptions): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = { ...options.extraBody };
  for (const name of WIRE_FIELDS) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined) fields[name] = value;
  }
  delete fields['messages'];
  delete fields['model'];
  return fields;
}
