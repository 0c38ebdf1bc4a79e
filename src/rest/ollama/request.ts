/** Reads the bodies of Ollama's chats and completions. */

import * as z from 'zod/mini';
import { problemIn } from '../../check.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ChatMessage } from '../../wire/request/chat-request.ts';
import { badBody, optionsField, parseBody, withoutNulls } from '../body.ts';
import type { ChatCall } from '../chat-backend.ts';
import { contentOf, readConversation } from './conversation.ts';

/** A request as its body describes it. */
export interface OllamaCall extends Omit<ChatCall, 'model'> {
  readonly model: string;
  readonly stream: boolean;
  /** False: the client does not get the model's reasoning. */
  readonly showsThoughts: boolean;
  /** The reason of an answer without a call: a request without a prompt loads a model, or unloads it. */
  readonly idle: 'load' | 'unload' | undefined;
  /** Fields and options that no model here understands. */
  readonly leftOut: readonly string[];
}

const flag = z.optional(z.boolean('must be true or false'));
const text = z.optional(z.string('must be a text'));

const EFFORTS = ['low', 'medium', 'high', 'max'] as const;

/** The fields of both requests. */
const COMMON = {
  model: z.string('must be the name of a model').check(z.minLength(1, 'must not be empty')),
  stream: flag,
  format: z.optional(
    z.custom<'' | 'json' | JsonObject>(
      (value) => value === '' || value === 'json' || isJsonObject(value),
      'must be "json" or a JSON schema',
    ),
  ),
  options: z.optional(z.looseObject({}, 'must be an object of options')),
  think: z.optional(
    z.union([z.boolean(), z.enum(EFFORTS)], 'must be true, false, "low", "medium", "high" or "max"'),
  ),
  logprobs: flag,
  top_logprobs: z.optional(z.int('must be a whole number')),
  freelm: optionsField,
};
const chatSchema = z.looseObject({
  ...COMMON,
  messages: z.optional(z.custom<readonly unknown[]>(Array.isArray, 'must be a list of messages')),
  tools: z.optional(z.custom<readonly unknown[]>(Array.isArray, 'must be a list of tools')),
});
const generateSchema = z.looseObject({
  ...COMMON,
  prompt: text,
  system: text,
  suffix: z.optional(
    z.literal('', 'is not available: the models here chat, and none fills in the middle of a text'),
  ),
  images: z.optional(z.unknown()),
});
type Common = Pick<z.infer<typeof chatSchema>, keyof typeof COMMON>;

/** Fields without effect here, because freelm loads no models and cuts no conversations. */
const IGNORED: ReadonlySet<string> = new Set(['keep_alive', 'truncate', 'shift', 'raw']);

/** Maps Ollama's name of an option to the field that the model gets. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ...['temperature', 'top_p', 'top_k', 'min_p', 'seed', 'stop', 'presence_penalty', 'frequency_penalty'].map(
    (name) => [name, name] as const,
  ),
  ['num_predict', 'max_tokens'],
]);
/** Options that say how a model is loaded. */
const OF_THE_RUNNER: ReadonlySet<string> = new Set([
  'draft_num_predict',
  'f16_kv',
  'low_vram',
  'main_gpu',
  'num_batch',
  'num_ctx',
  'num_gpu',
  'num_keep',
  'num_thread',
  'numa',
  'use_mlock',
  'use_mmap',
]);

/** Negative lengths stand for an answer without an end. */
function isMeant(name: string, value: unknown): boolean {
  if (value === null) return false;
  return name !== 'num_predict' || typeof value !== 'number' || value > 0;
}

interface ReadOptions {
  readonly fields: JsonObject;
  readonly leftOut: readonly string[];
}

function readOptions(options: JsonObject): ReadOptions {
  const given = Object.entries(options).filter(([name]) => !OF_THE_RUNNER.has(name));
  const fields = given.flatMap(([name, value]) => {
    const field = OPTIONS.get(name);
    return field === undefined || !isMeant(name, value) ? [] : [[field, value] as const];
  });
  const leftOut = given.flatMap(([name]) => (OPTIONS.has(name) ? [] : [`options.${name}`]));
  return { fields: Object.fromEntries(fields), leftOut };
}

function formatOf(format: Common['format']): JsonObject {
  if (format === undefined || format === '') return {};
  if (format === 'json') return { response_format: { type: 'json_object' } };
  return {
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format, strict: true } },
  };
}

/** Models reason by default, so `true` adds nothing. Not every model accepts `none`. */
function effortOf(think: Common['think']): JsonObject {
  if (think === undefined || think === true) return {};
  if (think === false) return { reasoning_effort: 'low' };
  return { reasoning_effort: think === 'max' ? 'high' : think };
}

function logprobsOf({ logprobs, top_logprobs: top }: Common): JsonObject {
  if (logprobs !== true) return {};
  return { logprobs, ...(top === undefined || top === 0 ? {} : { top_logprobs: top }) };
}

interface Read {
  readonly body: JsonObject;
  readonly known: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** The members that both requests have in common. */
function commonOf(data: Common, { body, known, signal }: Read): Omit<OllamaCall, 'messages' | 'idle'> {
  const options = readOptions(data.options ?? {});
  const isKnown = (name: string): boolean => known.includes(name) || IGNORED.has(name);
  return {
    model: data.model,
    fields: { ...options.fields, ...formatOf(data.format), ...effortOf(data.think), ...logprobsOf(data) },
    callOptions: data.freelm ?? {},
    signal,
    stream: data.stream ?? true,
    showsThoughts: data.think !== false,
    leftOut: [...Object.keys(body).filter((name) => !isKnown(name)), ...options.leftOut],
  };
}

function idleOf(isEmpty: boolean, { keep_alive: time }: JsonObject): OllamaCall['idle'] {
  if (!isEmpty) return undefined;
  return time === 0 || time === '0' ? 'unload' : 'load';
}

/** @throws HttpError naming the field. */
export function readChat(json: string, signal: AbortSignal | undefined): OllamaCall {
  const body = withoutNulls(parseBody(json, 'messages'));
  const { data, error } = chatSchema.safeParse(body);
  if (error !== undefined) throw badBody(problemIn(error, '').slice(1));
  const { messages = [], tools = [] } = data;
  const common = commonOf(data, { body, known: Object.keys(chatSchema.shape), signal });
  return {
    ...common,
    messages: readConversation(messages),
    fields: tools.length === 0 ? common.fields : { ...common.fields, tools },
    idle: idleOf(messages.length === 0, body),
  };
}

/** @throws HttpError naming the field. */
export function readGenerate(json: string, signal: AbortSignal | undefined): OllamaCall {
  const body = withoutNulls(parseBody(json, 'prompt'));
  const { data, error } = generateSchema.safeParse(body);
  if (error !== undefined) throw badBody(problemIn(error, '').slice(1));
  const { prompt = '', system = '', images } = data;
  const instructions: readonly ChatMessage[] = system === '' ? [] : [{ role: 'system', content: system }];
  return {
    ...commonOf(data, { body, known: Object.keys(generateSchema.shape), signal }),
    messages: [...instructions, { role: 'user', content: contentOf(prompt, images, 'images') }],
    idle: idleOf(prompt === '' && images === undefined, body),
  };
}
