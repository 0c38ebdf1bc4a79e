/** Runs the vectors of embeddings. */

import * as z from 'zod/mini';
import type { EmbeddingFacts } from '../../src/core/embedding.ts';
import type { Limit } from '../../src/core/limits/limit.ts';
import { boundsOf, splitBatches } from '../../src/core/routing/batches.ts';
import { embedBody, type EmbedRequest } from '../../src/wire/request/embed-body.ts';
import { readEmbedResponse } from '../../src/wire/response/embed-response.ts';
import { deepFreeze } from '../support/deep-freeze.ts';

const facts = z.custom<EmbeddingFacts>((value) => typeof value === 'object');
const limit = z.custom<Limit>((value) => typeof value === 'object');

const batchesInput = z.strictObject({
  takers: z.array(z.strictObject({ facts, limits: z.array(limit) })),
  tokens: z.array(z.number()),
});

const requestInput = z.strictObject({
  facts,
  request: z.custom<EmbedRequest>((value) => typeof value === 'object'),
});

const answerInput = z.strictObject({
  body: z.unknown(),
  count: z.number(),
  dimensions: z.optional(z.number()),
  scales: z.optional(z.boolean()),
});

function read(input: unknown): unknown {
  const { body, count, dimensions, scales = false } = answerInput.parse(input);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer: unknown = JSON.parse(JSON.stringify(readEmbedResponse(text, { count, dimensions, scales })));
  return answer;
}

/** By the name of the vector file. */
export const runners: Record<string, (input: unknown) => unknown> = {
  'embedding-batches': (input) => {
    const { takers, tokens } = deepFreeze(batchesInput.parse(input));
    const bounds = boundsOf(takers);
    return { bounds, batches: splitBatches(tokens, bounds) };
  },
  'embedding-request': (input) => {
    const given = deepFreeze(requestInput.parse(input));
    const body: unknown = JSON.parse(embedBody(given.request, 'm', given.facts));
    return body;
  },
  'embedding-answer': read,
};
