/** The checks of the options of a pool and of a call. */

import * as z from 'zod/mini';
import { nativeSignal } from '../abort.ts';
import { check, listOf, quickMatch, recordOf } from '../check.ts';
import { STRATEGIES } from '../core/routing/strategy.ts';
import { ConfigError } from '../errors.ts';
import type { StateStore } from '../ports.ts';
import { Provider } from '../providers/provider.ts';
import { PROVIDER_EXAMPLE } from '../providers/public-list.ts';
import {
  flag,
  limitSchemas,
  milliseconds,
  modelNameSchema,
  privacySchema,
  signalSchema,
} from './call-schemas.ts';
import type { CallLimits, FreeLLMOptions, ModelFields, ChatOptions, StreamOptions } from './options.ts';

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

function isWireField(name: string): name is keyof typeof fieldSchemas {
  return Object.hasOwn(fieldSchemas, name);
}

const wireFieldNames = Object.keys(fieldSchemas).filter(isWireField);
/** The names of the fields that freelm checks. */
export const WIRE_FIELDS: readonly string[] = wireFieldNames;

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
      `options.providers lists "${twice}" twice. Give one provider all its keys: new Provider([key, key]).`,
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

/** The fields of the request body, without freelm's own options. `own` replaces fields of the same name. */
export function wireFields(
  options: ChatOptions,
  own: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = { ...options.extraBody };
  for (const name of wireFieldNames) {
    const value: unknown = options[name];
    if (value !== undefined) fields[name] = value;
  }
  delete fields['messages'];
  delete fields['model'];
  return Object.assign(fields, own);
}
