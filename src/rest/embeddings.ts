/** The route `…/embeddings`: its request and its answer. */

import * as z from 'zod/mini';
import { problemIn } from '../check.ts';
import type { InputType } from '../core/embedding.ts';
import type { JsonObject } from '../core/json.ts';
import type { EmbedAnswer, EmbedCall } from './chat-backend.ts';
import { badBody, modelField, optionsField, parseBody, withoutNulls } from './body.ts';

type EncodingFormat = 'float' | 'base64';

/** A request for vectors, and how it wants them written. */
export interface RestEmbedCall extends EmbedCall {
  readonly format: EncodingFormat;
}

/** As many as OpenAI takes. */
const MAX_INPUTS = 2048;
const BYTES_PER_NUMBER = 4;

/** The values of `input_type` that servers know. */
const INPUT_TYPES: Readonly<Record<string, InputType>> = {
  query: 'query',
  search_query: 'query',
  document: 'document',
  passage: 'document',
  search_document: 'document',
};

const NO_TOKENS =
  'must be a text or a list of texts. Lists of tokens are not taken, since each model has tokens of its own: send the texts';

function isInput(value: unknown): value is EmbedCall['input'] {
  return (
    typeof value === 'string' ||
    (Array.isArray(value) && value.every((text: unknown) => typeof text === 'string'))
  );
}

const bodySchema = z.object({
  input: z
    .custom<EmbedCall['input']>(isInput, { message: NO_TOKENS, abort: true })
    .check(
      z.refine(
        (input) => typeof input === 'string' || input.length <= MAX_INPUTS,
        `must have at most ${MAX_INPUTS} texts. Send several requests`,
      ),
    ),
  model: modelField,
  dimensions: z.optional(z.int('must be a whole number').check(z.positive('must be at least 1'))),
  encoding_format: z.optional(z.enum(['float', 'base64'], 'must be "float" or "base64"')),
  input_type: z.optional(
    z.enum(Object.keys(INPUT_TYPES), `must be one of ${Object.keys(INPUT_TYPES).join(', ')}`),
  ),
  freelm: optionsField,
});

/** @throws HttpError naming the field. */
export function readEmbedCall(body: string, signal: AbortSignal | undefined): RestEmbedCall {
  const { data, error } = bodySchema.safeParse(withoutNulls(parseBody(body, 'input')));
  if (error !== undefined) throw badBody(problemIn(error, '').slice(1));
  const {
    input,
    model,
    dimensions,
    encoding_format: format = 'float',
    input_type: inputType,
    freelm = {},
  } = data;
  return {
    input,
    model,
    dimensions,
    inputType: inputType === undefined ? undefined : INPUT_TYPES[inputType],
    callOptions: freelm,
    signal,
    format,
  };
}

/** A vector as text in Base64: 32-bit floating point, little-endian. */
function encoded(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * BYTES_PER_NUMBER));
  for (const [index, number] of vector.entries()) view.setFloat32(index * BYTES_PER_NUMBER, number, true);
  return Buffer.from(view.buffer).toString('base64');
}

/** OpenAI's list of embeddings. */
export function embeddingList({ vectors, model, usage }: EmbedAnswer, format: EncodingFormat): JsonObject {
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: format === 'base64' ? encoded(vector) : vector,
    })),
    model,
    usage: {
      prompt_tokens: usage.promptTokens,
      total_tokens: usage.totalTokens,
      ...(usage.estimated === true ? { estimated: true } : {}),
    },
  };
}
