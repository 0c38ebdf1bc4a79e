/** `embed()`: texts in, vectors out. */

import * as z from 'zod/mini';
import { nativeSignal } from '../abort.ts';
import { check } from '../check.ts';
import type { EmbeddingChoice } from '../catalog/embedding-models.ts';
import type { InputType } from '../core/embedding.ts';
import type { Stage } from '../core/pool.ts';
import { boundsOf, splitBatches } from '../core/routing/batches.ts';
import type { EmbedBatch, EmbedCall } from '../engine/embed.ts';
import { type AttemptReport, BadRequestError } from '../errors.ts';
import { textTokens } from '../wire/request/embed-body.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';
import type { Vector } from '../wire/response/embed-response.ts';
import { addUsage } from '../wire/response/stream-part.ts';
import type { Calls, Place } from './calls.ts';
import { limitSchemas, modelNameSchema, privacySchema, signalSchema } from './call-schemas.ts';
import type { CallLimits, PrivacyOption } from './options.ts';
import type { Pool } from './pool.ts';
import { MAX_REQUEST_CHARACTERS } from './request-body.ts';

/** The options of `embed()`. `maxAttempts` and `maxWaitMs` apply to each batch, `timeoutMs` to the whole call. */
export interface EmbedOptions
  extends Omit<CallLimits, 'firstPartTimeoutMs' | 'idleTimeoutMs'>, PrivacyOption {
  /**
   * The model's id, or the name of its weights. Failover uses only other keys, and other providers of the same weights.
   * Default: the pool's own model, which stays the same.
   */
  readonly model?: string | undefined;
  /** How many numbers each vector has. Default: the model's own number. */
  readonly dimensions?: number | undefined;
  /** What the texts are for; only some models distinguish it. Default `document`. */
  readonly inputType?: InputType | undefined;
  /** Aborts the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What `embed()` resolves with. */
export interface EmbedResponse {
  /** One vector for each text, in the order of the texts. */
  readonly vectors: readonly Vector[];
  /** The model's name: pass it as `model` to get vectors that can be compared with these. */
  readonly model: string;
  /** How many numbers each vector has. */
  readonly dimensions: number;
  /** Tokens of all batches. Counts that a provider did not report are estimated, and marked so. */
  readonly usage: TokenUsage;
  /** The providers that served the batches, in the order in which they first did. */
  readonly providers: readonly string[];
  /** Every request of this call in order. */
  readonly attempts: readonly AttemptReport[];
  /** From the call to its last vector, waiting included. */
  readonly latencyMs: number;
}

const schema = z.strictObject({
  ...limitSchemas,
  privacy: privacySchema,
  model: z.optional(modelNameSchema),
  dimensions: z.optional(z.int('must be a whole number').check(z.positive('must be at least 1'))),
  inputType: z.optional(z.enum(['query', 'document'], 'must be "query" or "document"')),
  signal: signalSchema,
});

/** The options of a call that a request body may contain. */
export const embedOwnSchema: z.ZodMiniType<
  Omit<EmbedOptions, 'model' | 'dimensions' | 'inputType' | 'signal'>
> = z.strictObject({ ...limitSchemas, privacy: privacySchema });

/** @throws BadRequestError that names the text. */
function readInputs(input: string | readonly string[]): readonly string[] {
  const inputs: unknown = typeof input === 'string' ? [input] : input;
  if (!Array.isArray(inputs))
    throw new BadRequestError({ message: 'input: must be a text or a list of texts.' });
  if (inputs.length === 0) throw new BadRequestError({ message: 'input: must not be empty.' });
  return Array.from(inputs, (text: unknown, index) => {
    const name = typeof input === 'string' ? 'input' : `input[${index}]`;
    if (typeof text !== 'string') throw new BadRequestError({ message: `${name}: must be a text.` });
    if (text.trim() === '') throw new BadRequestError({ message: `${name}: must not be empty.` });
    if (text.length > MAX_REQUEST_CHARACTERS) {
      const message = `${name}: is ${text.length} characters long; at most ${MAX_REQUEST_CHARACTERS} are sent. Split it.`;
      throw new BadRequestError({ message });
    }
    return text;
  });
}

function batchOf(call: EmbedCall, inputs: readonly string[]): EmbedBatch {
  return { call, inputs, tokens: inputs.map(textTokens) };
}

/** The batches of a call, each of which every provider of the model can take. */
function batchesOf(pool: Pool, stages: readonly Stage[], whole: EmbedBatch): readonly EmbedBatch[] {
  const takers = stages.flat().flatMap(({ provider, models }) =>
    models.flatMap(({ id }) => {
      const facts = pool.providers.get(provider.name)?.embeddingOf(id) ?? {};
      return provider.accounts.map((account) => ({ facts, limits: account.limits(id) }));
    }),
  );
  const counts = splitBatches(
    whole.tokens.map(({ prompt }) => prompt),
    boundsOf(takers),
  );
  let from = 0;
  return counts.map((count) => {
    const batch = pieceOf(whole, from, from + count);
    from += count;
    return batch;
  });
}

function pieceOf({ call, inputs, tokens }: EmbedBatch, from: number, to: number): EmbedBatch {
  return { call, inputs: inputs.slice(from, to), tokens: tokens.slice(from, to) };
}

/** The halves of a batch that was too long for every route; its texts may fit by themselves. */
// spec 17.8
function halvesOf(batch: EmbedBatch, error: unknown): readonly EmbedBatch[] | undefined {
  const { length } = batch.inputs;
  const isTooLong = error instanceof BadRequestError && error.code === 'context_too_long';
  if (!isTooLong || length < 2) return undefined;
  const middle = Math.ceil(length / 2);
  return [pieceOf(batch, 0, middle), pieceOf(batch, middle, length)];
}

/** The providers of the attempts that served a batch. */
function serversOf(attempts: readonly AttemptReport[]): readonly string[] {
  return [
    ...new Set(attempts.filter(({ outcome }) => outcome === 'success').map(({ provider }) => provider)),
  ];
}

/** Embeds texts with one model. @throws what `FreeLLM.embed` does. */
export async function embed(
  pool: Pool,
  calls: Calls,
  input: string | readonly string[],
  given: EmbedOptions,
): Promise<EmbedResponse> {
  check(schema, given, 'options');
  const inputs = readInputs(input);
  const { model, dimensions, inputType, privacy, signal } = given;
  const options = signal === undefined ? given : { ...given, signal: nativeSignal(signal) };
  options.signal?.throwIfAborted();
  const whole = batchOf({ options: { dimensions, inputType }, dimensions: undefined }, inputs);
  let chosen: EmbeddingChoice | undefined;
  const find = (): Place => {
    chosen = pool.embedding({ model, dimensions, privacy });
    return { name: `vectors of ${chosen.model}`, stages: chosen.stages };
  };
  const needs = pool.embed.needs(whole);
  const call = await calls.begin({ operation: 'embed', request: whole, needs, find }, options);
  const parts = await calls.answers(call, batchesOf(pool, call.stages, whole), pool.embed, halvesOf);
  const vectors = parts.flatMap((part) => part.vectors);
  const usage = parts.reduce<TokenUsage | undefined>((sum, part) => addUsage(sum, part.usage), undefined);
  if (chosen === undefined || usage === undefined) throw new Error('the loop ended without an answer');
  return Object.freeze({
    vectors: Object.freeze(vectors),
    model: chosen.model,
    dimensions: vectors[0]?.length ?? 0,
    usage: Object.freeze(usage),
    providers: Object.freeze(serversOf(call.attempts)),
    attempts: Object.freeze([...call.attempts]),
    latencyMs: pool.clock.monotonicMs() - call.startedMs,
  });
}
