/** How the texts of a call are split into requests. */

import type { EmbeddingFacts } from '../embedding.ts';
import type { Limit } from '../limits/limit.ts';
import { cautious } from './cost.ts';

/** The most that one request may have. */
export interface BatchBounds {
  readonly inputs: number;
  readonly tokens: number;
}

/** A model that may serve a batch, with the limits of its accounts. */
export interface BatchTaker {
  readonly facts: EmbeddingFacts;
  readonly limits: readonly Limit[];
}

/** The bounds if a provider states none. */
const USUAL: BatchBounds = { inputs: 50, tokens: 32_000 };
/** More texts are not sent at once, because all of them are lost if the request fails. */
const MOST_INPUTS = 128;
/** A request takes at most this part of a limit, so that a limit that is partly spent admits the next one. */
const PART_OF_LIMIT = 1 / 4;
/** The most numbers of one answer: fewer than `values` in `bounds.json`. */
const MOST_NUMBERS = 400_000;
/** A longer vector is rare. */
const USUAL_DIMENSIONS = 4096;

function smallest(limits: readonly Limit[], counts: (limit: Limit) => boolean): number {
  const most = limits.filter(counts).map(({ max }) => Math.floor(max * PART_OF_LIMIT));
  return Math.max(1, Math.min(...most, Number.POSITIVE_INFINITY));
}

/** What a request may have so that each of the models can take it. */
// spec 17.5
export function boundsOf(takers: readonly BatchTaker[]): BatchBounds {
  const each = takers.map(({ facts, limits }): BatchBounds => {
    const { maxInputs = USUAL.inputs, maxTokens = USUAL.tokens, dimensions = USUAL_DIMENSIONS } = facts;
    const texts = smallest(limits, ({ counts }) => counts === 'inputs');
    return {
      inputs: Math.max(1, Math.min(maxInputs, texts, Math.floor(MOST_NUMBERS / dimensions))),
      tokens: Math.min(
        maxTokens,
        smallest(limits, ({ unit }) => unit === 'tokens'),
      ),
    };
  });
  return {
    inputs: Math.min(MOST_INPUTS, ...each.map(({ inputs }) => inputs)),
    tokens: Math.min(...each.map(({ tokens }) => tokens)),
  };
}

/**
 * Splits texts into batches, in order.
 * @param tokens - The estimated tokens of each text.
 * @returns how many texts each batch has. A text that exceeds the bound of tokens by itself is a batch of its own.
 */
// spec 17.5
export function splitBatches(tokens: readonly number[], bounds: BatchBounds): readonly number[] {
  const batches: number[] = [];
  let inputs = 0;
  let sum = 0;
  for (const prompt of tokens) {
    const cost = cautious(prompt);
    if (inputs > 0 && (inputs >= bounds.inputs || sum + cost > bounds.tokens)) {
      batches.push(inputs);
      inputs = 0;
      sum = 0;
    }
    inputs += 1;
    sum += cost;
  }
  if (inputs > 0) batches.push(inputs);
  return batches;
}
