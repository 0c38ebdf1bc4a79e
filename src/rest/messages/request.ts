/** Reads the body of a request of the Messages API. */

import * as z from 'zod/mini';
import { listOf, problemIn } from '../../check.ts';
import { isJsonObject, type JsonObject, member } from '../../core/json.ts';
import { badBody, modelField, optionsField, parseBody, withoutNulls } from '../body.ts';
import type { ChatCall } from '../chat-backend.ts';
import { sessionOf } from '../session.ts';
import { readConversation } from './conversation.ts';
import { readToolFields } from './tools.ts';

/** A request as its body describes it. */
export interface MessagesCall extends ChatCall {
  readonly stream: boolean;
  /** Tools and fields that no model here understands. */
  readonly leftOut: readonly string[];
}

/** From this version of the API on, requests have none of these fields. */
const VERSION_WITHOUT_SAMPLING = '2026-10-21';
const SAMPLING = ['temperature', 'top_p', 'top_k'] as const;

const flag = z.optional(z.boolean('must be true or false'));

const bodySchema = z.looseObject({
  messages: z
    .custom<readonly unknown[]>(Array.isArray, { message: 'must be a list of messages', abort: true })
    .check(z.refine((messages) => messages.length > 0, 'must not be empty')),
  model: modelField,
  system: z.optional(z.unknown()),
  stream: flag,
  tools: z.optional(z.custom<readonly unknown[]>(Array.isArray, 'must be a list of tools')),
  tool_choice: z.optional(z.unknown()),
  stop_sequences: z.optional(listOf(z.string('must be a text'), 'must be a list of texts')),
  thinking: z.optional(z.looseObject({ type: z.string('must be a text') }, 'must be an object')),
  output_config: z.optional(z.looseObject({}, 'must be an object')),
  output_format: z.optional(z.looseObject({}, 'must be an object')),
  freelm: optionsField,
});
type Body = z.infer<typeof bodySchema>;

/** The fields that go to the model under the same names. */
const SAME: readonly string[] = ['max_tokens', ...SAMPLING];
/** Fields of Anthropic's service that change nothing of an answer. */
const IGNORED: readonly string[] = [
  'cache_control',
  'context_management',
  'diagnostics',
  'inference_geo',
  'metadata',
  'service_tier',
  'speed',
];
const KNOWN: ReadonlySet<string> = new Set([...Object.keys(bodySchema.shape), ...SAME, ...IGNORED]);

/** OpenAI's efforts end where those of the Messages API go on. */
const EFFORTS: Readonly<Record<string, string>> = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};
/** By the fewest tokens of a budget for thinking. */
const BUDGETS: readonly (readonly [tokens: number, effort: string])[] = [
  [16_384, 'high'],
  [4096, 'medium'],
  [0, 'low'],
];

function effortOf({ thinking, output_config: config }: Body): JsonObject {
  const named = EFFORTS[String(member(config, 'effort'))];
  if (named !== undefined) return { reasoning_effort: named };
  const budget = member(thinking, 'budget_tokens');
  if (typeof budget !== 'number') return {};
  const effort = BUDGETS.find(([tokens]) => budget >= tokens)?.[1];
  return effort === undefined ? {} : { reasoning_effort: effort };
}

function formatOf({ output_config: config, output_format: older }: Body): JsonObject {
  const format = member(config, 'format') ?? older;
  if (format === undefined || format === null) return {};
  const schema = member(format, 'schema');
  if (member(format, 'type') !== 'json_schema' || !isJsonObject(schema))
    throw badBody('output_config.format: must be { type: "json_schema", schema }.');
  return {
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } },
  };
}

function checkVersion(body: JsonObject, version: string): void {
  const field = SAMPLING.find((name) => version >= VERSION_WITHOUT_SAMPLING && body[name] !== undefined);
  if (field === undefined) return;
  throw badBody(
    `${field}: Extra inputs are not permitted. The version ${VERSION_WITHOUT_SAMPLING} of the API has no ${field}: leave it out, or send the header anthropic-version: 2023-06-01.`,
  );
}

/**
 * @param headers - Those of the request, for the version of the API.
 * @throws HttpError naming the field.
 */
export function readMessagesCall(text: string, headers: Headers, signal?: AbortSignal): MessagesCall {
  const body = withoutNulls(parseBody(text, 'messages'));
  checkVersion(body, headers.get('anthropic-version') ?? '');
  const { data, error } = bodySchema.safeParse(body);
  if (error !== undefined) throw badBody(problemIn(error, '').slice(1));
  const {
    messages,
    model,
    system,
    stream = false,
    tools = [],
    stop_sequences: stop = [],
    freelm = {},
  } = data;
  const toolFields = readToolFields(tools, data.tool_choice);
  return {
    messages: readConversation(system, messages),
    model,
    fields: {
      ...Object.fromEntries(Object.entries(body).filter(([name]) => SAME.includes(name))),
      ...(stop.length === 0 ? {} : { stop }),
      ...toolFields.fields,
      ...effortOf(data),
      ...formatOf(data),
    },
    callOptions: freelm,
    session: sessionOf(headers, member(body['metadata'], 'user_id')),
    signal,
    stream,
    leftOut: [...toolFields.leftOut, ...Object.keys(body).filter((name) => !KNOWN.has(name))],
  };
}
