/** Reads the body of a chat request. */

import * as z from 'zod/mini';
import { problemIn, recordOf } from '../check.ts';
import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts';
import { jsonExcess, type JsonBounds } from '../core/json-scan.ts';
import { HttpError } from '../http-error.ts';
import type { ChatMessage } from '../wire/request/chat-request.ts';
import type { ChatCall } from './chat-backend.ts';

/** A chat request as its body describes it. */
export interface RestChatCall extends ChatCall {
  readonly stream: boolean;
  /** Whether a stream ends with its token usage. */
  readonly includeUsage: boolean;
}

/** Far more than any conversation needs. A body beyond it would be costly to parse and to check. */
const BODY_BOUNDS: JsonBounds = { depth: 256, values: 200_000 };
/** The most fields of a body. */
const MAX_FIELDS = 1000;

const EXCESSES: Readonly<Record<keyof JsonBounds, string>> = {
  depth: `is nested more than ${BODY_BOUNDS.depth} levels deep`,
  values: `has more than ${BODY_BOUNDS.values} values`,
};

const flag = z.optional(z.boolean('must be true or false'));

type Optional<T> = z.ZodMiniOptional<z.ZodMiniType<T>>;
/** The fields that all bodies share. */
export const modelField: Optional<string> = z.optional(
  z.string('must be the name of a model').check(z.minLength(1, 'must not be empty')),
);
export const optionsField: Optional<Record<string, unknown>> = z.optional(
  recordOf(z.unknown(), 'must be an object of options'),
);

const bodySchema = z.object({
  messages: z.custom<readonly ChatMessage[]>(Array.isArray, 'must be a list of messages'),
  model: modelField,
  stream: flag,
  stream_options: z.optional(z.looseObject({ include_usage: flag }, 'must be an object')),
  n: z.optional(
    z.literal(1, 'must be 1 if it is given, because a call has one answer here. Send several calls instead'),
  ),
  freelm: optionsField,
});

/** The fields that are read here. All others are the model's. */
const OWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(bodySchema.shape));

/** OpenAI treats null as an absent field, and some of its clients send nulls. */
export function withoutNulls(object: JsonObject, kept?: string): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(([name, value]) => value !== null || name === kept),
  );
}

function tidyBody(json: JsonObject): JsonObject {
  const body = withoutNulls(json);
  const { messages } = body;
  if (!Array.isArray(messages)) return body;
  const tidied = messages.map((message: unknown) =>
    isJsonObject(message) ? withoutNulls(message, 'content') : message,
  );
  return { ...body, messages: tidied };
}

/** Parses a body, unless that would be costly. */
export function parseBody(text: string, field: string): JsonObject {
  const excess = jsonExcess(text, BODY_BOUNDS);
  if (excess !== undefined) {
    const message = `The body of the request ${EXCESSES[excess]}. Send a smaller one.`;
    throw new HttpError({ status: 400, code: 'bad_request', message });
  }
  const json = parseJson(text);
  if (isJsonObject(json)) return json;
  const problem = text.trim() === '' ? 'has no body' : 'has a body that is no JSON object';
  throw new HttpError({ status: 400, message: `The request ${problem}. Send one with "${field}".` });
}

/** @throws HttpError naming the field. */
export function readChatCall(text: string, signal: AbortSignal | undefined): RestChatCall {
  const json = parseBody(text, 'messages');
  if (Object.keys(json).length > MAX_FIELDS) throw badBody(`The body has more than ${MAX_FIELDS} fields.`);
  const body = tidyBody(json);
  const { data, error } = bodySchema.safeParse(body);
  if (error !== undefined) throw badBody(problemIn(error, '').slice(1));
  const { messages, model, stream = false, stream_options, freelm = {} } = data;
  const fields = Object.fromEntries(Object.entries(body).filter(([name]) => !OWN_FIELDS.has(name)));
  if (stream && fields['logprobs'] === true) {
    throw badBody('logprobs: not available in a stream. Leave it out, or send the request without stream.');
  }
  return {
    messages,
    model,
    fields,
    callOptions: freelm,
    signal,
    stream,
    includeUsage: stream_options?.include_usage ?? false,
  };
}

/** The error for a body with a problem. The text of the problem begins with the field. */
export function badBody(problem: string): HttpError {
  const param = /^[\w.[\]]+(?=:| has no )/.exec(problem)?.[0];
  return new HttpError({ status: 400, message: problem, param });
}
