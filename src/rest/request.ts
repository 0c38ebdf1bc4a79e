/** Reads the body of a chat request. */

import * as z from 'zod/mini';
import { firstProblem } from '../check.ts';
import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts';
import type { ChatMessage } from '../wire/request/chat-request.ts';
import type { ChatCall } from './chat-backend.ts';

/** A chat request, read. */
export interface ChatQuestion extends ChatCall {
  readonly stream: boolean;
  /** Whether a stream ends with what it cost. */
  readonly includeUsage: boolean;
}

const flag = z.optional(z.boolean('must be true or false'));

const bodySchema = z.looseObject({
  messages: z.custom<readonly ChatMessage[]>(Array.isArray, 'must be a list of messages'),
  model: z.optional(z.string('must be the name of a model').check(z.minLength(1, 'must not be empty'))),
  stream: flag,
  stream_options: z.optional(z.looseObject({ include_usage: flag }, 'must be an object')),
  n: z.optional(
    z.literal(1, 'must be 1 where it is given: a call has one answer here. Ask as often as you like'),
  ),
  freelm: z.optional(z.record(z.string(), z.unknown(), 'must be an object of options')),
});

/** OpenAI takes null for a field that is not there, and its clients send some. */
function withoutNulls(object: JsonObject, kept?: string): JsonObject {
  const said = Object.entries(object).filter(([name, value]) => value !== null || name === kept);
  return Object.fromEntries(said);
}

function tidy(json: JsonObject): JsonObject {
  const body = withoutNulls(json);
  const { messages } = body;
  if (!Array.isArray(messages)) return body;
  const tidied = messages.map((message: unknown) =>
    isJsonObject(message) ? withoutNulls(message, 'content') : message,
  );
  return { ...body, messages: tidied };
}

/** @throws Refusal naming the field. */
export function readQuestion(text: string, signal: AbortSignal | undefined): ChatQuestion {
  const body = parseJson(text);
  if (!isJsonObject(body)) {
    const what = text.trim() === '' ? 'has no body' : 'has a body that is no JSON object';
    throw new Refusal({ status: 400, message: `The request ${what}. Send one with "messages".` });
  }
  const tidied = tidy(body);
  const result = bodySchema.safeParse(tidied);
  if (!result.success) throw badBody(firstProblem(bodySchema, tidied, '')?.slice(1) ?? 'messages: missing');
  const { messages, model, stream = false, stream_options, n: _one, freelm = {}, ...fields } = result.data;
  if (stream && fields['logprobs'] === true) {
    throw badBody('logprobs: a stream has none here. Leave it out, or ask without stream');
  }
  return {
    messages,
    model,
    fields,
    own: freelm,
    signal,
    stream,
    includeUsage: stream_options?.include_usage ?? false,
  };
}

/** What it is refused with, in the words of OpenAI's error object. */
export interface RefusalInit {
  readonly status: number;
  readonly message: string;
  /** The field of the body that is at fault. */
  readonly param?: string | undefined;
  readonly code?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Becomes an answer with OpenAI's error object. */
export class Refusal extends Error {
  static override readonly name: string = 'Refusal';
  readonly init: RefusalInit;

  constructor(init: RefusalInit) {
    super(init.message);
    this.init = init;
  }
}

/** Refuses a body because of one problem, whose text begins with the field. */
export function badBody(problem: string): Refusal {
  const param = /^[\w.[\]]+(?=:| has no )/.exec(problem)?.[0];
  return new Refusal({ status: 400, message: `${problem}.`, param });
}
