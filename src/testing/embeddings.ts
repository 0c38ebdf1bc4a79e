/** Embedding requests: how they are read, what each provider is particular about, and the vectors that it answers with. */

import { countTokens, type ChatProblem } from './chat-request.ts';
import { isJsonObject, jsonReply, type JsonObject, type Reply } from './exchange.ts';
import type { Fault } from './faults/fault.ts';
import type { ModelOptions } from './options.ts';
import { hashText, seededRandom } from './seeded-random.ts';

export interface EmbedRequest {
  readonly body: JsonObject;
  readonly inputs: readonly string[];
  /** The fewer numbers that the request asks for. */
  readonly dimensions: number | undefined;
  readonly inputType: string | undefined;
  readonly promptTokens: number;
}

/** How a provider differs from OpenAI's protocol. */
export interface EmbeddingQuirks {
  /** The most texts of one request. */
  readonly maxInputs: number;
  /** The refusal of a request that is at fault. */
  refuse(detail: string): Reply;
  /** The detail if there are too many texts. */
  tooMany(most: number): string;
  /** Whether the answer reports its tokens. */
  readonly reportsUsage: boolean;
  /** The order of the entries. Each has the number of its text. */
  readonly order: 'forward' | 'backward';
  /** Whether the number 0 is left out. */
  readonly omitsZero: boolean;
  /** Fields that only this provider adds. */
  readonly extra: JsonObject;
}

const USUAL_DIMENSIONS = 16;

function embedOf(body: JsonObject): EmbedRequest | ChatProblem {
  const { input, dimensions, input_type: inputType } = body;
  const inputs: readonly unknown[] = Array.isArray(input) ? input : [input];
  const texts = inputs.filter((text) => typeof text === 'string');
  if (texts.length === 0 || texts.length !== inputs.length || texts.includes(''))
    return { kind: 'invalid', detail: 'input must be a text or a list of texts' };
  return {
    body,
    inputs: texts,
    dimensions: typeof dimensions === 'number' ? dimensions : undefined,
    inputType: typeof inputType === 'string' ? inputType : undefined,
    promptTokens: texts.reduce((sum, text) => sum + countTokens(text), 0),
  };
}

/** Parses a body. Never throws: an invalid body yields a {@link ChatProblem}. */
export function readEmbedRequest(text: string): {
  readonly model: string | undefined;
  readonly embed: EmbedRequest | ChatProblem;
} {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    return { model: undefined, embed: { kind: 'unreadable', detail: String(error) } };
  }
  if (!isJsonObject(body))
    return { model: undefined, embed: { kind: 'invalid', detail: 'the body must be a JSON object' } };
  const { model } = body;
  if (typeof model !== 'string' || model === '') return { model: undefined, embed: { kind: 'no-model' } };
  return { model, embed: embedOf(body) };
}

export function isEmbedProblem(read: EmbedRequest | ChatProblem): read is ChatProblem {
  return 'kind' in read;
}

/**
 * The vector of a text: it depends on the text, on the weights, and on the kind of input where the model distinguishes it.
 * Its length is 1 unless it was shortened.
 */
export function simulatedVector(
  weights: string,
  text: string,
  dimensions: number,
  inputType = '',
): readonly number[] {
  const random = seededRandom(hashText(`${weights}\n${inputType}\n${text}`));
  const numbers = Array.from({ length: dimensions }, () => random() - 0.5);
  const length = Math.sqrt(numbers.reduce((sum, number) => sum + number * number, 0));
  return numbers.map((number) => number / length);
}

function dimensionsOf({ dimensions = USUAL_DIMENSIONS }: ModelOptions, asked: number | undefined): number {
  return Math.min(asked ?? dimensions, dimensions);
}

function vectorsOf(request: EmbedRequest, known: ModelOptions): readonly (readonly number[])[] {
  const count = dimensionsOf(known, request.dimensions);
  const inputType = known.asymmetric === true ? request.inputType : '';
  // As Google's shortened vectors, which are not scaled again.
  const scale = known.shortens === true && count !== dimensionsOf(known, undefined) ? 0.5 : 1;
  return request.inputs.map((text) =>
    simulatedVector(known.weights ?? known.id, text, count, inputType).map((number) => number * scale),
  );
}

/** The refusal of a request that the model does not take; undefined if it does. */
export function refusedEmbedding(
  request: EmbedRequest,
  known: ModelOptions,
  quirks: EmbeddingQuirks,
): Reply | undefined {
  const { inputs, dimensions, inputType } = request;
  if (inputs.length > quirks.maxInputs) return quirks.refuse(quirks.tooMany(quirks.maxInputs));
  if (known.asymmetric === true && inputType === undefined)
    return quirks.refuse("'input_type' parameter is required for asymmetric models");
  if (dimensions !== undefined && known.shortens !== true)
    return quirks.refuse(`body -> dimensions\n  Extra inputs are not permitted (type=extra_forbidden)`);
  return undefined;
}

type BadVectors = Extract<Fault, { readonly kind: 'bad-vectors' }>;

function spoilt(data: JsonObject[], as: BadVectors['as'] = 'merged'): readonly JsonObject[] {
  const [first = {}, ...rest] = data;
  const given = first['embedding'];
  const vector: readonly unknown[] = Array.isArray(given) ? given : [];
  switch (as) {
    case 'merged':
      return data.length > 1 ? [first] : [];
    case 'shorter':
      return [{ ...first, embedding: vector.slice(1) }, ...rest];
    case 'null':
      return [{ ...first, embedding: [null, ...vector.slice(1)] }, ...rest];
    case 'zeros':
      return [{ ...first, embedding: vector.map(() => 0) }, ...rest];
    case 'misnumbered':
      return data.map((entry) => ({ ...entry, index: data.length }));
  }
}

/** The answer with the vectors of a request. */
export function embeddingReply(
  request: EmbedRequest,
  known: ModelOptions,
  quirks: EmbeddingQuirks,
  fault: BadVectors | undefined,
): Reply {
  const numbered = vectorsOf(request, known).map((embedding, index) => ({
    object: 'embedding',
    ...(quirks.omitsZero && index === 0 ? {} : { index }),
    embedding,
  }));
  const data = quirks.order === 'backward' ? numbered.toReversed() : numbered;
  const usage = { prompt_tokens: request.promptTokens, total_tokens: request.promptTokens };
  return jsonReply(200, {
    object: 'list',
    data: fault === undefined ? data : spoilt(data, fault.as),
    model: known.id,
    ...(quirks.reportsUsage && { usage }),
    ...quirks.extra,
  });
}

/** OpenAI's own protocol. */
export const PLAIN_EMBEDDINGS: EmbeddingQuirks = {
  maxInputs: 2048,
  refuse: (message) =>
    jsonReply(400, { error: { message, type: 'invalid_request_error', param: null, code: null } }),
  tooMany: (most) => `'$.input' is too long: at most ${most} inputs.`,
  reportsUsage: true,
  order: 'backward',
  omitsZero: false,
  extra: {},
};
