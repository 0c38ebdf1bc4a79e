/** Reads the body of a chat request. */

import * as z from 'zod/mini';
import { problemIn } from '../../check.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ChatMessage } from '../../wire/request/chat-request.ts';
import { badBody, modelField, optionsField, parseBody, withoutNulls } from '../body.ts';
import type { ChatCall } from '../chat-backend.ts';
import { MAX_ANSWERS } from '../several.ts';
import { asksForFunctions, withToolMessages, withTools } from './functions.ts';

/** A chat request as its body describes it. */
export interface RestChatCall extends ChatCall {
  readonly stream: boolean;
  /** Whether a stream ends with its token usage. */
  readonly includeUsage: boolean;
  /** How many answers are asked for. */
  readonly n: number;
  /** Whether it has `functions`, so that calls in the answer have the form of `function_call`. */
  readonly isOlder: boolean;
}

/** The most fields of a body. */
const MAX_FIELDS = 1000;

const flag = z.optional(z.boolean('must be true or false'));

const bodySchema = z.object({
  messages: z.custom<readonly ChatMessage[]>(Array.isArray, 'must be a list of messages'),
  model: modelField,
  stream: flag,
  stream_options: z.optional(z.looseObject({ include_usage: flag }, 'must be an object')),
  n: z.optional(
    z
      .int('must be a whole number')
      .check(z.minimum(1, 'must be at least 1'), z.maximum(MAX_ANSWERS, `must be at most ${MAX_ANSWERS}`)),
  ),
  freelm: optionsField,
});

/** The fields that are read here. All others are the model's. */
const OWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(bodySchema.shape));

function tidyBody(json: JsonObject): JsonObject {
  const body = withoutNulls(json);
  const { messages } = body;
  if (!Array.isArray(messages)) return body;
  const tidied = messages.map((message: unknown) =>
    isJsonObject(message) ? withoutNulls(message, 'content') : message,
  );
  return { ...body, messages: tidied };
}

/** @throws HttpError naming the field. */
export function readChatCall(text: string, signal: AbortSignal | undefined): RestChatCall {
  const json = parseBody(text, 'messages');
  if (Object.keys(json).length > MAX_FIELDS) throw badBody(`The body has more than ${MAX_FIELDS} fields.`);
  const body = tidyBody(json);
  const { data, error } = bodySchema.safeParse(body);
  if (error !== undefined) throw badBody(problemIn(error, '').slice(1));
  const { messages, model, stream = false, stream_options, n = 1, freelm = {} } = data;
  const isOlder = asksForFunctions(body);
  const fields = withTools(
    Object.fromEntries(Object.entries(body).filter(([name]) => !OWN_FIELDS.has(name))),
  );
  return {
    messages: withToolMessages(messages),
    model,
    fields,
    callOptions: freelm,
    signal,
    stream,
    includeUsage: stream_options?.include_usage ?? false,
    n,
    isOlder,
  };
}
