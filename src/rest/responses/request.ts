/** Reads the body of a request for a response. */

import * as z from 'zod/mini';
import { problemIn, recordOf } from '../../check.ts';
import { isJsonObject, type JsonObject, member } from '../../core/json.ts';
import { HttpError } from '../../http-error.ts';
import type { ChatMessage } from '../../wire/request/chat-request.ts';
import { badBody, modelField, optionsField, parseBody, withoutNulls } from '../body.ts';
import type { RestRequest } from '../protocol.ts';
import { sessionOf } from '../session.ts';
import type { ChatCall } from '../chat-backend.ts';
import { messagesOf, type PlacedItem, typeOf } from './input.ts';
import { resolved, type ResponseStore } from './store.ts';
import { readTools, toolFields, type ToolNames } from './tools.ts';

export interface ResponsesCall {
  readonly call: ChatCall;
  readonly stream: boolean;
  /** Whether later requests may refer to the answer. */
  readonly store: boolean;
  /** The items of the conversation, those of earlier turns included. */
  readonly items: readonly JsonObject[];
  /** The length of the body. */
  readonly characters: number;
  readonly names: ToolNames;
  /** The types of tools that no free model has. */
  readonly leftOut: readonly string[];
  /** The fields of the request that its answer repeats. */
  readonly repeated: JsonObject;
}

const flag = z.optional(z.boolean('must be true or false'));
const object = z.optional(recordOf(z.unknown(), 'must be an object'));

/**
 * A field for a function of OpenAI's service. A request with it is refused, because freelm must not silently ignore it.
 */
function refused(what: string): z.ZodMiniOptional<z.ZodMiniNever> {
  return z.optional(z.never(`is not available here, because ${what}`));
}

const bodySchema = z.object({
  input: z.optional(
    z.union(
      [
        z.string(),
        z.custom<readonly JsonObject[]>((value) => Array.isArray(value) && value.every(isJsonObject)),
      ],
      'must be a text or a list of items',
    ),
  ),
  instructions: z.optional(z.string('must be a text')),
  model: modelField,
  stream: flag,
  store: flag,
  previous_response_id: z.optional(z.string('must be the id of a response')),
  tools: z.optional(z.array(z.unknown(), 'must be a list of tools')),
  tool_choice: z.optional(z.unknown()),
  max_output_tokens: z.optional(z.int('must be a whole number').check(z.positive('must be at least 1'))),
  reasoning: object,
  text: object,
  top_logprobs: z.optional(z.literal(0, 'must be 0: probabilities of tokens are not available here')),
  metadata: object,
  background: z.optional(z.literal(false, 'must be false: answers are not made in the background here')),
  conversation: refused('no conversations are kept. Send the items, or previous_response_id'),
  prompt: refused('no templates of prompts are kept. Send instructions and input'),
  moderation: refused('no provider moderates as it asks'),
  freelm: optionsField,
});

type Body = z.infer<typeof bodySchema>;

/** Fields that only tell OpenAI's own service how to work. They do not change the meaning of the answer. */
const HINTS: ReadonlySet<string> = new Set([
  'client_metadata',
  'context_management',
  'include',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'stream_options',
  'truncation',
]);
const OWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(bodySchema.shape));
/** The most fields of a body. */
const MAX_FIELDS = 1000;

/** Converts to the form of Chat Completions, where the schema is a member of its own. */
function responseFormat(format: unknown): JsonObject {
  if (!isJsonObject(format) || format['type'] === 'text') return {};
  const { type, ...schema } = format;
  if (type === 'json_object') return { response_format: { type } };
  if (type === 'json_schema') return { response_format: { type, json_schema: withoutNulls(schema) } };
  throw badBody('text.format.type: must be "text", "json_object" or "json_schema".');
}

function effortOf(reasoning: JsonObject | undefined): JsonObject {
  const effort = member(reasoning, 'effort');
  return typeof effort === 'string' ? { reasoning_effort: effort } : {};
}

function fieldsOf(body: JsonObject, data: Body, tools: JsonObject): JsonObject {
  const { max_output_tokens: limit, reasoning, text } = data;
  const others = Object.entries(body).filter(([name]) => !OWN_FIELDS.has(name) && !HINTS.has(name));
  return {
    ...Object.fromEntries(others),
    ...tools,
    ...(limit === undefined ? {} : { max_tokens: limit }),
    ...effortOf(reasoning),
    ...responseFormat(text?.['format']),
  };
}

function unknownResponse(id: string): HttpError {
  const message = `Previous response with id '${id}' not found. Responses are kept for an hour, unless store is false. Send the whole conversation instead.`;
  const param = 'previous_response_id';
  return new HttpError({ status: 400, code: 'previous_response_not_found', param, message });
}

function unknownItem(id: unknown): HttpError {
  const message = `Item with id '${String(id)}' not found. Items are kept for an hour, unless store is false. Send the item itself.`;
  return new HttpError({ status: 404, param: 'input', message });
}

/** The conversation: its stored items, then those of the request. */
function itemsOf(
  { input, previous_response_id: previous }: Body,
  store: ResponseStore,
): readonly PlacedItem[] {
  const before = previous === undefined ? undefined : store.get(previous);
  if (previous !== undefined && before === undefined) throw unknownResponse(previous);
  if (input === undefined && before === undefined) throw badBody('input: must be a text or a list of items.');
  const given =
    typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : (input ?? []);
  const stored = before === undefined ? [] : [...before.input, ...before.output];
  return [
    ...stored.map((item) => ({ item, place: 'previous_response_id' })),
    ...given.map((item, index) => {
      const found = resolved(item, store);
      if (found === undefined) throw unknownItem(item['id']);
      return { item: found, place: `input[${index}]` };
    }),
  ];
}

/** The fields of a request that its response repeats, with the API's defaults. */
function repeatedOf(body: JsonObject): JsonObject {
  return {
    background: false,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    metadata: body['metadata'] ?? {},
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: body['previous_response_id'] ?? null,
    reasoning: { effort: null, summary: null, ...(isJsonObject(body['reasoning']) ? body['reasoning'] : {}) },
    store: body['store'] ?? true,
    temperature: body['temperature'] ?? null,
    text: { format: { type: 'text' }, ...(isJsonObject(body['text']) ? body['text'] : {}) },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_p: body['top_p'] ?? null,
    truncation: body['truncation'] ?? 'disabled',
  };
}

function withInstructions(
  instructions: string | undefined,
  messages: readonly ChatMessage[],
): readonly ChatMessage[] {
  return instructions === undefined || instructions === ''
    ? messages
    : [{ role: 'system', content: instructions }, ...messages];
}

/** @throws HttpError naming the field. */
export function readResponsesCall(
  text: string,
  { headers, signal }: Pick<RestRequest, 'headers' | 'signal'>,
  store: ResponseStore,
): ResponsesCall {
  const body = withoutNulls(parseBody(text, 'input'));
  if (Object.keys(body).length > MAX_FIELDS) throw badBody(`The body has more than ${MAX_FIELDS} fields.`);
  const { data, error } = bodySchema.safeParse(body);
  if (error !== undefined) throw badBody(problemIn(error, '').slice(1));
  const placed = itemsOf(data, store);
  const added = placed.filter(({ item }) => typeOf(item) === 'additional_tools');
  const tools = readTools([
    [data.tools, 'tools'],
    ...added.map(({ item, place }) => [item['tools'], `${place}.tools`] as const),
  ]);
  const fields = fieldsOf(body, data, toolFields(tools, data.tool_choice));
  const messages = withInstructions(data.instructions, messagesOf(placed, tools.names));
  return {
    call: {
      messages,
      model: data.model,
      fields,
      callOptions: data.freelm ?? {},
      session: sessionOf(headers, body['prompt_cache_key']),
      signal,
    },
    stream: data.stream ?? false,
    store: data.store ?? true,
    items: placed.map(({ item }) => item),
    characters: text.length,
    names: tools.names,
    leftOut: tools.leftOut,
    repeated: repeatedOf(body),
  };
}
