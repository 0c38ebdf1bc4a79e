/** Reads the body of a completion of a text. */

import * as z from 'zod/mini';
import { problemIn } from '../../check.ts';
import { badBody, modelField, optionsField, parseBody, withoutNulls } from '../body.ts';
import type { ChatCall } from '../chat-backend.ts';
import { MAX_ANSWERS } from '../several.ts';

export interface CompletionsCall {
  /** One for each answer. */
  readonly calls: readonly [ChatCall, ...ChatCall[]];
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

const flag = z.optional(z.boolean('must be true or false'));

type Prompt = string | readonly string[];

function isPrompt(value: unknown): value is Prompt {
  return (
    typeof value === 'string' ||
    (Array.isArray(value) && value.length > 0 && value.every((text: unknown) => typeof text === 'string'))
  );
}

/** A field that chat models cannot heed. Its value may say the same as its absence. */
function lacking<const Value extends string | number | boolean>(
  neutral: Value,
  what: string,
): z.ZodMiniOptional<z.ZodMiniLiteral<Value>> {
  return z.optional(z.literal(neutral, what));
}

const bodySchema = z.object({
  prompt: z.custom<Prompt>(
    isPrompt,
    'must be a text or a list of texts. Lists of tokens are not taken, since each model has tokens of its own',
  ),
  model: modelField,
  stream: flag,
  stream_options: z.optional(z.looseObject({ include_usage: flag }, 'must be an object')),
  n: z.optional(
    z
      .int('must be a whole number')
      .check(z.minimum(1, 'must be at least 1'), z.maximum(MAX_ANSWERS, `must be at most ${MAX_ANSWERS}`)),
  ),
  suffix: lacking('', 'is not available: the models here chat, and none fills in the middle of a text'),
  echo: lacking(false, 'must be false: the prompt is not repeated here'),
  best_of: lacking(1, 'must be 1: use n, and choose yourself'),
  logprobs: lacking(0, 'must be 0: probabilities of tokens are not available here'),
  freelm: optionsField,
});

/** The fields that are read here. All others are the model's. */
const OWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(bodySchema.shape));

/** @throws HttpError naming the field. */
export function readCompletionsCall(text: string, signal: AbortSignal | undefined): CompletionsCall {
  const body = withoutNulls(parseBody(text, 'prompt'));
  const { data, error } = bodySchema.safeParse(body);
  if (error !== undefined) throw badBody(problemIn(error, '').slice(1));
  const { prompt, model, stream = false, stream_options, n = 1, freelm: callOptions = {} } = data;
  const fields = Object.fromEntries(Object.entries(body).filter(([name]) => !OWN_FIELDS.has(name)));
  const prompts = typeof prompt === 'string' ? [prompt] : prompt;
  const [first, ...others] = prompts.flatMap((content) =>
    Array.from({ length: n }, (): ChatCall => {
      return { messages: [{ role: 'user', content }], model, fields, callOptions, signal };
    }),
  );
  if (first === undefined || others.length >= MAX_ANSWERS)
    throw badBody(`prompt: at most ${MAX_ANSWERS} answers are given at once. Send several requests.`);
  return { calls: [first, ...others], stream, includeUsage: stream_options?.include_usage ?? false };
}
