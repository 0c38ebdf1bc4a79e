/** Ten thousand texts over three providers of the same weights, under their quotas and while things fail, in virtual time. */

import { expect, it } from 'vitest';
import type { EmbeddingFacts } from '../../src/index.ts';
import { simulatedVector } from '../../src/testing/embeddings.ts';
import type { Fault } from '../../src/testing.ts';
import { DAY, MINUTE, type ModelSetup, SECOND, simulatedPool } from '../support/simulated-pool.ts';

const COUNT = 10_000;
const DIMENSIONS = 8;
const FACTS: EmbeddingFacts = { family: 'shared', dimensions: DIMENSIONS, maxInputs: 40 };

function shared(id: string): ModelSetup {
  const spec = { kind: 'embedding', embedding: FACTS } as const;
  return { id, output: 'embeddings', dimensions: DIMENSIONS, weights: 'shared', latencyMs: 300, spec };
}

/** One in five requests fails in some way, and one provider is down for a while. */
const FAULTS: readonly Fault[] = (
  [
    { kind: 'server-error', share: 0.05 },
    { kind: 'congested', share: 0.05 },
    { kind: 'bad-vectors', as: 'merged', share: 0.03 },
    { kind: 'bad-vectors', as: 'null', share: 0.03 },
    { kind: 'malformed', share: 0.02 },
    { kind: 'cut', share: 0.02 },
    { kind: 'hang', share: 0.01 },
  ] as const
).map((fault) => ({ ...fault, route: 'embeddings' }));

it('are embedded in order, by one model, each once', async () => {
  const pool = simulatedPool({
    google: {
      accounts: [['AIza-one'], ['AIza-two']],
      models: [shared('gemini-embedding-001')],
      faults: FAULTS,
    },
    nim: {
      accounts: [['nvapi-one'], ['nvapi-two']],
      models: [shared('acme/shared-embed')],
      faults: FAULTS,
      rpm: 30,
    },
    custom: {
      accounts: [['sk-one']],
      models: [shared('shared')],
      limits: { rpm: 10 },
      rpm: 10,
      faults: FAULTS,
    },
    wait: true,
  });
  const { clock, llm, transport, world } = pool;
  const start = clock.now();
  world.nim.script({ kind: 'outage', route: 'any', from: start + MINUTE, until: start + 3 * MINUTE });
  const texts = Array.from(
    { length: COUNT },
    (_, index) => `text ${index}, of which ${index % 7} is the rest`,
  );

  const response = await pool.run(
    llm.embed(texts, { timeoutMs: DAY, maxWaitMs: DAY, maxAttempts: 50, attemptTimeoutMs: 10 * SECOND }),
  );

  const wrong = response.vectors.findIndex((vector, index) => {
    const wanted = simulatedVector('shared', texts[index] ?? '', DIMENSIONS);
    return vector.some((number, at) => Math.abs(number - (wanted[at] ?? Number.NaN)) > 1e-9);
  });
  expect([response.vectors.length, wrong]).toEqual([COUNT, -1]);
  expect(response).toMatchObject({ model: 'shared', dimensions: DIMENSIONS });
  expect(response.providers.toSorted()).toEqual(['custom', 'google', 'nim']);

  const served = transport.sent.filter(({ noted }) => noted?.outcome === 'served');
  expect(served.flatMap(({ body: { input } }) => input)).toEqual(texts);
  const failed = response.attempts.filter(({ outcome }) => outcome !== 'success');
  expect(failed.length).toBeGreaterThan(20);
  const refused = transport.sent.filter(({ noted }) => noted?.outcome.endsWith('-limit') === true);
  expect(refused).toEqual([]);
});
