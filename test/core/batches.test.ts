/** A batch of texts: what it takes of limits, what must fit into a context, and how a call is split into batches. */

import { describe, expect, it } from 'vitest';
import type { Limit } from '../../src/core/limits/limit.ts';
import { EMPTY_PROVIDER } from '../../src/core/records/provider.ts';
import { splitBatches } from '../../src/core/routing/batches.ts';
import { cautious, costOf } from '../../src/core/routing/cost.ts';
import { unfitReason } from '../../src/core/routing/fitness.ts';
import type { RequestNeeds, TokenEstimate } from '../../src/core/routing/question.ts';
import fc from '../support/fast-check.ts';
import { candidateOf } from '../vectors/pool.ts';
import { providerOf } from './pool-world.ts';

function tokens(prompt: number): () => TokenEstimate {
  return () => ({ prompt, least: prompt, maxTokens: 0 });
}

/** A batch of texts, each of 100 characters and 20 tokens but one of 1,000 and 200. */
function batch(inputs: number): RequestNeeds {
  return {
    size: 900 + inputs * 100,
    tokens: tokens(180 + inputs * 20),
    batch: { inputs, longest: 1000, longestTokens: tokens(200) },
    capabilities: [],
  };
}

function limit(more: Partial<Pick<Limit, 'unit' | 'counts'>>): Limit {
  return { id: 'x', kind: 'fixed-window', unit: 'requests', per: 'account', max: 100, marginMs: 0, ...more };
}

describe('a batch costs', () => {
  it.each<readonly [string, Partial<Pick<Limit, 'unit' | 'counts'>>, number, number]>([
    ['one request', {}, 100, 1],
    ['a request for each text, where they count', { counts: 'inputs' }, 100, 30],
    ['all of a limit that has less than its texts: the limit may be wrong', { counts: 'inputs' }, 20, 20],
    ['the tokens of its texts, and none of an answer', { unit: 'tokens' }, 5000, cautious(780)],
  ])('%s', (_, counted, max, cost) => {
    expect(costOf(limit(counted), { needs: batch(30), maxTokens: undefined }, max)).toBe(cost);
  });

  it('and a request that is no batch costs one, also where texts count', () => {
    const needs = { size: 10, capabilities: [] };
    expect(costOf(limit({ counts: 'inputs' }), { needs, maxTokens: undefined }, 100)).toBe(1);
  });
});

describe('a model takes a batch', () => {
  const { provider } = candidateOf(providerOf(1, 1), 0);
  const learnt = {
    ...EMPTY_PROVIDER,
    models: { m: { breaker: EMPTY_PROVIDER.breaker, tooLong: 900, tooLongAt: 0 } },
  };

  it.each([
    ['if its longest text fits into the context, however long all are', 256, EMPTY_PROVIDER, undefined],
    ['not if that text does not fit', 150, EMPTY_PROVIDER, 'context_too_long'],
    ['not if a text of that length was too long before', 256, learnt, 'context_too_long'],
  ])('%s', (_, ctx, record, reason) => {
    expect(unfitReason(provider, record, { id: 'm', ctx }, batch(30), 0)).toBe(reason);
  });
});

describe('batches', () => {
  const given = fc.tuple(
    fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 60 }),
    fc.record({ inputs: fc.integer({ min: 1, max: 9 }), tokens: fc.integer({ min: 1, max: 1000 }) }),
  );

  it('have all texts, keep to the bounds, and are as few as the order allows', () => {
    fc.assert(
      fc.property(given, ([texts, bounds]) => {
        const costs = texts.map(cautious);
        const sizes = splitBatches(texts, bounds);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(texts.length);
        let from = 0;
        for (const size of sizes) {
          const sum = costs.slice(from, from + size).reduce((all, cost) => all + cost, 0);
          expect(size === 1 || (size <= bounds.inputs && sum <= bounds.tokens)).toBe(true);
          const next = costs[from + size];
          if (next !== undefined) expect(size === bounds.inputs || sum + next > bounds.tokens).toBe(true);
          from += size;
        }
      }),
    );
  });
});
