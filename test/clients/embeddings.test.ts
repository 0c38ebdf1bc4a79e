/** The clients' own calls for embeddings, over both faces of a pool that fails over. */

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { OpenAIEmbeddings } from '@langchain/openai';
import { embedMany } from 'ai';
import RealOpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import OpenAI from '../../src/compat.ts';
import { FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { simulatedVector } from '../../src/testing/embeddings.ts';
import type { World } from '../../src/testing.ts';
import { temporaryFolder, world } from '../client/support.ts';
import { type Face, FACES, placeOf, type Place } from './served-pool.ts';

const DIMENSIONS = 8;
const TEXTS = Array.from({ length: 7 }, (_, index) => `text ${index}`);
const FACTS = { family: 'shared', dimensions: DIMENSIONS, maxInputs: 3 };

interface Embedded {
  readonly world: World;
  readonly llm: FreeLLM;
  readonly place: Place;
}

/** Two providers of the same weights, the first of which is down now and then, and a chat model. */
async function embeddingPool(face: Face): Promise<Embedded> {
  const weights = { output: 'embeddings', dimensions: DIMENSIONS, weights: 'shared' } as const;
  const simulated = await world({
    openrouter: { keys: [] },
    google: { keys: [] },
    custom: {
      keys: 1,
      models: [{ id: 'vectors', ...weights }, 'chats'],
      faults: [{ kind: 'outage', route: 'embeddings', skip: 1, times: 1 }],
    },
    nim: { keys: 1, models: [{ id: 'acme/vectors', ...weights }] },
  });
  const { custom, nim } = simulated;
  const first = [{ id: 'vectors', kind: 'embedding', embedding: FACTS } as const, 'chats'];
  const second = [{ id: 'acme/vectors', kind: 'embedding', embedding: FACTS } as const];
  const llm = new FreeLLM({
    providers: [
      new OpenAICompatible([...custom.keys], { name: 'first', baseUrl: custom.baseUrl, models: first }),
      new OpenAICompatible([...nim.keys], { name: 'second', baseUrl: nim.baseUrl, models: second }),
    ],
    strategy: 'priority',
    cacheDir: temporaryFolder(),
    persist: false,
  });
  onTestFinished(() => llm.close());
  return { world: simulated, llm, place: await placeOf(face, llm) };
}

/** The vectors of {@link TEXTS}; what comes as Base64 has 32-bit numbers. */
function expectVectors(vectors: readonly (readonly number[])[]): void {
  expect(vectors).toHaveLength(TEXTS.length);
  for (const [index, text] of TEXTS.entries()) {
    const wanted = simulatedVector('shared', text, DIMENSIONS);
    expect(vectors[index]).toHaveLength(DIMENSIONS);
    for (const [at, number] of (vectors[index] ?? []).entries())
      expect(number).toBeCloseTo(wanted[at] ?? 9, 6);
  }
}

type Embedder = (pool: Embedded, model: string) => Promise<readonly (readonly number[])[]>;

const CLIENTS: readonly (readonly [string, Embedder])[] = [
  [
    'openai',
    async ({ place: { fetch, baseUrl } }, model) => {
      const client = new RealOpenAI({ apiKey: 'none', baseURL: baseUrl, fetch });
      const { data } = await client.embeddings.create({ model, input: TEXTS });
      return data.map(({ embedding }) => embedding);
    },
  ],
  [
    'the AI SDK',
    async ({ place: { fetch, baseUrl } }, model) => {
      const provider = createOpenAICompatible({ name: 'freelm', baseURL: baseUrl, fetch });
      const { embeddings } = await embedMany({ model: provider.textEmbeddingModel(model), values: TEXTS });
      return embeddings;
    },
  ],
  [
    'LangChain',
    ({ place: { fetch, baseUrl } }, model) =>
      new OpenAIEmbeddings({
        model,
        apiKey: 'none',
        configuration: { baseURL: baseUrl, fetch },
      }).embedDocuments(TEXTS),
  ],
];

describe.each(FACES)('over %s', (face) => {
  it.each(CLIENTS)('%s gets the vectors of one model while a provider fails', async (_, embedder) => {
    const pool = await embeddingPool(face);
    expectVectors(await embedder(pool, 'auto'));
    const { calls } = pool.world;
    expect(calls.map(({ route }) => route)).toEqual(calls.map(() => 'embeddings'));
    expect(calls.some(({ outcome }) => outcome === 'outage')).toBe(true);
  });

  it.each(CLIENTS)('%s is told that a chat model gives no vectors', async (_, embedder) => {
    const pool = await embeddingPool(face);
    await expect(embedder(pool, 'chats')).rejects.toThrow('is a chat model and gives no vectors');
    expect(pool.world.calls).toEqual([]);
  });

  it('the SDK gets lists of numbers or Base64, as it asks', async () => {
    const { fetch, baseUrl } = (await embeddingPool(face)).place;
    const client = new RealOpenAI({ apiKey: 'none', baseURL: baseUrl, fetch });
    const body = { model: 'shared', input: 'text 0' };
    const float = await client.embeddings.create({ ...body, encoding_format: 'float' });
    const base64 = await client.embeddings.create({ ...body, encoding_format: 'base64' });
    expect(float).toMatchObject({
      object: 'list',
      model: 'shared',
      usage: { prompt_tokens: 2, total_tokens: 2 },
    });
    expect(float.data[0]?.embedding).toHaveLength(DIMENSIONS);
    expect(base64.data[0]?.embedding).toBe(
      Buffer.from(Float32Array.from(float.data[0]?.embedding ?? []).buffer).toString('base64'),
    );
  });

  it('a chat is never asked of an embedding model', async () => {
    const { place, world: simulated } = await embeddingPool(face);
    const client = new RealOpenAI({ apiKey: 'none', baseURL: place.baseUrl, fetch: place.fetch });
    const chat = client.chat.completions.create({
      model: 'vectors',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    await expect(chat).rejects.toThrow('turns texts into vectors and cannot chat');
    expect(simulated.calls).toEqual([]);
  });
});

it('freelm/compat gives the same vectors as the SDK', async () => {
  const { llm } = await embeddingPool('llm.fetch');
  const { data, model } = await new OpenAI({ freelm: llm }).embeddings.create({ input: TEXTS });
  expectVectors(data.map(({ embedding }) => embedding));
  expect(model).toBe('shared');
});
