/** `embed()` over the simulated providers: batches, order, one model, failover. */

import { describe, expect, it } from 'vitest';
import type { EmbeddingFacts, EmbedOptions, EmbedResponse } from '../../src/index.ts';
import { simulatedVector } from '../../src/testing/embeddings.ts';
import {
  HOUR,
  type ModelSetup,
  type ProviderSetup,
  type SimulatedPool,
  simulatedPool,
  type SimulatedPoolOptions,
} from '../support/simulated-pool.ts';

const DIMENSIONS = 8;

/** An embedding model in the world and in the pool. */
function model(id: string, facts: EmbeddingFacts = {}, own: Partial<ModelSetup> = {}): ModelSetup {
  const { family: weights, dimensions = DIMENSIONS } = facts;
  const spec = { kind: 'embedding', embedding: { dimensions, ...facts } } as const;
  return { id, output: 'embeddings', dimensions, weights, ...own, spec };
}

/** Options with a member that TypeScript would refuse. */
const EXTRA: EmbedOptions & { readonly temperature: number } = { temperature: 1 };
const SEVERAL: EmbedOptions & object = Object.assign<EmbedOptions, object>({}, { model: ['one', 'two'] });
const TWO_KEYS = [['key-one'], ['key-two']];

/** A provider without limits of its own. */
function custom(facts: EmbeddingFacts = {}, setup: Partial<ProviderSetup> = {}): SimulatedPoolOptions {
  return { custom: { accounts: TWO_KEYS, models: [model('vectors', facts)], ...setup } };
}

function texts(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `text number ${index}`);
}

/** The texts of each request that arrived. */
function inputsOf({ transport }: SimulatedPool): readonly (readonly unknown[])[] {
  return transport.sent.map(({ body: { input } }) => {
    const inputs: readonly unknown[] = Array.isArray(input) ? input : [];
    return inputs;
  });
}

function expectVectors({ vectors }: EmbedResponse, inputs: readonly string[], weights = 'vectors'): void {
  const wanted = inputs.map((text) => simulatedVector(weights, text, DIMENSIONS));
  expect(vectors).toHaveLength(wanted.length);
  const off = vectors.findIndex((vector, index) =>
    vector.some((number, at) => Math.abs(number - (wanted[index]?.[at] ?? Number.NaN)) > 1e-9),
  );
  expect(off).toBe(-1);
}

describe('an embedding', () => {
  it('has a vector, its model and its tokens', async () => {
    const pool = simulatedPool(custom());
    const response = await pool.run(pool.llm.embed('a cat'));
    expectVectors(response, ['a cat']);
    expect(response).toMatchObject({
      model: 'vectors',
      dimensions: DIMENSIONS,
      providers: ['custom'],
      usage: { promptTokens: 2, completionTokens: 0, totalTokens: 2 },
      attempts: [{ provider: 'custom', outcome: 'success' }],
    });
  });

  it('is frozen', async () => {
    const pool = simulatedPool(custom());
    const response = await pool.run(pool.llm.embed(['a', 'b']));
    const parts = [response, response.vectors, response.usage, response.providers, response.attempts];
    expect(parts.filter((part) => !Object.isFrozen(part))).toEqual([]);
  });

  it('has estimated tokens if the provider reports none', async () => {
    const setup = {
      accounts: [['AIza-one']],
      models: [model('gemini-embedding-001', {}, { dimensions: 8 })],
    };
    const pool = simulatedPool({ google: setup });
    const { usage } = await pool.run(pool.llm.embed('a cat'));
    expect(usage).toMatchObject({ estimated: true, completionTokens: 0 });
    expect(usage.totalTokens).toBeGreaterThan(0);
  });

  it('emits the events of one call, however many batches it has', async () => {
    const pool = simulatedPool(custom({ maxInputs: 2 }));
    await pool.run(pool.llm.embed(texts(6)));
    const types = pool.events.map(({ type }) => type).filter((type) => type !== 'discovery');
    const attempt = ['attempt-start', 'attempt-end'];
    expect(types).toEqual(['call-start', ...attempt, ...attempt, ...attempt, 'call-end']);
    expect(pool.events.filter(({ type }) => type === 'call-start')).toMatchObject([{ operation: 'embed' }]);
    expect(pool.events.filter(({ type }) => type === 'call-end')).toMatchObject([
      { outcome: 'success', attempts: 3, usage: { totalTokens: 24 } },
    ]);
  });
});

describe('many texts', () => {
  it.each<readonly [string, EmbeddingFacts, readonly number[]]>([
    ['the texts of one request', { maxInputs: 4 }, [4, 4, 2]],
    ['the tokens of one request', { maxTokens: 30 }, [6, 4]],
  ])('are split by %s, in order', async (_, facts, sizes) => {
    const pool = simulatedPool(custom(facts));
    const response = await pool.run(pool.llm.embed(texts(10)));
    expectVectors(response, texts(10));
    expect(inputsOf(pool).map(({ length }) => length)).toEqual(sizes);
    expect(inputsOf(pool).flat()).toEqual(texts(10));
  });

  it('take no more than a quarter of a limit that counts texts', async () => {
    const setup = { accounts: [['AIza-one']], models: [model('gemini-embedding-001')] };
    const pool = simulatedPool({ google: setup, wait: true, maxWaitMs: HOUR, timeoutMs: HOUR });
    await pool.run(pool.llm.embed(texts(60)));
    expect(inputsOf(pool).map(({ length }) => length)).toEqual([25, 25, 10]);
  });

  it('wait for the quota that counts them, and are never refused', async () => {
    const setup = { accounts: [['AIza-one']], models: [model('gemini-embedding-001')] };
    const pool = simulatedPool({ google: setup, wait: true, maxWaitMs: HOUR, timeoutMs: HOUR });
    const { attempts } = await pool.run(pool.llm.embed(texts(500)));
    expect(attempts.filter(({ outcome }) => outcome !== 'success')).toEqual([]);
    expect(pool.clock.now() - (attempts[0]?.startedAt ?? 0)).toBeGreaterThan(4 * 60_000);
  });

  it('are halved if a batch is too long after all, without sending served ones again', async () => {
    const pool = simulatedPool(custom({ maxInputs: 8 }));
    pool.transport.network = {
      answer: ({ body: { input } }) =>
        Array.isArray(input) && input.length > 3
          ? {
              status: 400,
              body: JSON.stringify({
                error: {
                  message: "This model's maximum context length is 20 tokens",
                  code: 'context_length_exceeded',
                },
              }),
            }
          : undefined,
    };
    const response = await pool.run(pool.llm.embed(texts(10)));
    expectVectors(response, texts(10));
    const served = inputsOf(pool).filter(({ length }) => length <= 3);
    expect(served.flat()).toEqual(texts(10));
  });
});

describe('a batch that fails', () => {
  it.each([
    { kind: 'server-error' },
    { kind: 'congested' },
    { kind: 'malformed' },
    { kind: 'cut' },
    { kind: 'bad-vectors', as: 'merged' },
    { kind: 'bad-vectors', as: 'shorter' },
    { kind: 'bad-vectors', as: 'null' },
    { kind: 'bad-vectors', as: 'zeros' },
    { kind: 'bad-vectors', as: 'misnumbered' },
  ] as const)('goes to another key or again: $kind $as', async (fault) => {
    const pool = simulatedPool(
      custom({ maxInputs: 2 }, { faults: [{ ...fault, route: 'embeddings', skip: 1, times: 1 }] }),
    );
    const response = await pool.run(pool.llm.embed(texts(6), { maxAttempts: 4 }));
    expectVectors(response, texts(6));
    const sent = inputsOf(pool).map(([first]) => first);
    expect(sent).toEqual(['text number 0', 'text number 2', 'text number 2', 'text number 4']);
    expect(response.attempts).toHaveLength(4);
  });

  it('goes to another provider of the same weights only', async () => {
    const same = { family: 'shared', dimensions: DIMENSIONS };
    const pool = simulatedPool({
      nim: { accounts: [['nvapi-one']], models: [model('acme/shared-embed', same)] },
      custom: { models: [model('other', {}), model('shared', same)] },
    });
    pool.world.nim.script({ kind: 'outage', route: 'any' });
    const response = await pool.run(pool.llm.embed(['a', 'b'], { model: 'acme/shared-embed' }));
    expectVectors(response, ['a', 'b'], 'shared');
    expect(response).toMatchObject({ model: 'shared', providers: ['custom'] });
    expect(pool.transport.sent.map((sent) => sent.model)).not.toContain('other');
  });

  it('fails the call rather than changing the model', async () => {
    const pool = simulatedPool({
      nim: { accounts: [['nvapi-one']], models: [model('acme/one-embed')] },
      custom: { models: [model('two')] },
    });
    pool.world.nim.script({ kind: 'outage', route: 'any' });
    const error = await pool.fails(pool.llm.embed('a', { model: 'acme/one-embed', maxAttempts: 2 }));
    expect(error).toMatchObject({ code: 'no_providers_available' });
    expect(pool.transport.sent.map((sent) => sent.model)).toEqual(['acme/one-embed', 'acme/one-embed']);
  });

  it('may try as often as each other batch', async () => {
    const pool = simulatedPool(
      custom({ maxInputs: 1 }, { faults: [{ kind: 'server-error', route: 'embeddings', share: 0.4 }] }),
    );
    const response = await pool.run(
      pool.llm.embed(texts(40), { maxAttempts: 8, timeoutMs: HOUR, wait: true, maxWaitMs: HOUR }),
    );
    expectVectors(response, texts(40));
    expect(response.attempts.length).toBeGreaterThan(40);
  });
});

describe('the model', () => {
  const pools: readonly (readonly [string, SimulatedPoolOptions, EmbedOptions, string])[] = [
    ['is the first of the pool', { custom: { models: [model('one'), model('two')] } }, {}, 'one'],
    ['is the one of that id', { custom: { models: [model('one'), model('two')] } }, { model: 'two' }, 'two'],
    [
      'is the one with that family',
      { custom: { models: [model('one'), model('x', { family: 'two' })] } },
      { model: 'two' },
      'two',
    ],
    [
      'is the one that most providers have',
      {
        nim: { models: [model('acme/a'), model('acme/shared', { family: 'shared' })] },
        custom: { models: [model('shared', { family: 'shared' })] },
      },
      {},
      'shared',
    ],
    [
      'is one that the user prefers',
      { custom: { models: [model('one'), model('two')], prefer: ['two'] } },
      {},
      'two',
    ],
    ['is no chat model', { custom: { models: ['chats', model('one')] } }, {}, 'one'],
  ];

  it.each(pools)('%s', async (_, options, asked, expected) => {
    const pool = simulatedPool(options);
    const response = await pool.run(pool.llm.embed('a', asked));
    expect(response.model).toBe(expected);
  });

  it('is the own one of the pool for a name that no provider has, if the pool takes any name', async () => {
    const models = [model('one')];
    const pool = simulatedPool({ nim: { models }, unknownModels: 'auto' });
    expect(await pool.run(pool.llm.embed('a', { model: 'text-embedding-3-small' }))).toMatchObject({
      model: 'one',
    });
  });

  it('stays the same when a list of models comes', async () => {
    const listed = { id: 'listed-embed', output: 'embeddings', dimensions: DIMENSIONS } as const;
    const pool = simulatedPool({
      custom: { models: [listed], discover: true },
      nim: { models: [model('acme/told-embed')] },
    });
    const first = await pool.run(pool.llm.embed('a'));
    await pool.run(pool.llm.refreshModels());
    expect(pool.llm.models()).toMatchObject([
      { id: 'listed-embed', kind: 'embedding' },
      { id: 'acme/told-embed', kind: 'embedding' },
    ]);
    const later = await pool.run(pool.sibling().embed('a'));
    expect([first.model, later.model]).toEqual(['acme/told-embed', 'acme/told-embed']);
  });

  it('is one that a list names, if nothing else is known: the call waits for the list', async () => {
    const listed = { id: 'listed-embed', output: 'embeddings', dimensions: DIMENSIONS } as const;
    const pool = simulatedPool({ custom: { models: ['chats', listed], discover: true } });
    expect(await pool.run(pool.llm.embed('a'))).toMatchObject({ model: 'listed-embed' });
  });

  it('that the result names gives the same vectors again', async () => {
    const pool = simulatedPool({
      nim: { models: [model('acme/shared', { family: 'shared' })] },
      custom: { models: [model('shared', { family: 'shared' })] },
    });
    const first = await pool.run(pool.llm.embed('a'));
    const again = await pool.run(pool.llm.embed('a', { model: first.model }));
    expect(again.vectors).toEqual(first.vectors);
  });

  it('gets the kind of input and the number of dimensions', async () => {
    const facts = { inputTypes: { query: 'query', document: 'passage' }, dimensions: 16, shorter: [8] };
    const models = [model('acme/asymmetric', facts, { asymmetric: true, shortens: true })];
    const pool = simulatedPool({ nim: { models } });
    await pool.run(pool.llm.embed('a'));
    const { dimensions } = await pool.run(pool.llm.embed('a', { inputType: 'query', dimensions: 8 }));
    expect(dimensions).toBe(8);
    expect(pool.transport.sent.map(({ body }) => body)).toEqual([
      { model: 'acme/asymmetric', input: ['a'], input_type: 'passage' },
      { model: 'acme/asymmetric', input: ['a'], input_type: 'query', dimensions: 8 },
    ]);
  });

  it('gets vectors of length 1 if its provider does not scale them', async () => {
    const facts = { dimensions: 16, shorter: 'any', scales: true } as const;
    const pool = simulatedPool(custom(facts, { models: [model('vectors', facts, { shortens: true })] }));
    const { vectors } = await pool.run(pool.llm.embed('a', { dimensions: 4 }));
    expect(Math.hypot(...(vectors[0] ?? []))).toBeCloseTo(1, 9);
  });
});

it('a call that waits for vectors does not keep a chat waiting', async () => {
  const setup = { accounts: [['AIza-one']], models: [model('gemini-embedding-001'), 'gemini-3.8-flash'] };
  const pool = simulatedPool({ google: setup, wait: true, maxWaitMs: HOUR, timeoutMs: HOUR });
  const many = pool.run(pool.llm.embed(texts(300)));
  const { latencyMs } = await pool.run(pool.llm.chat('Hello'));
  expect(latencyMs).toBeLessThan(1000);
  expectVectors(await many, texts(300), 'gemini-embedding-001');
});

it('an aborted call rejects with the reason of its signal, and sends no further batch', async () => {
  const controller = new AbortController();
  const pool = simulatedPool({
    ...custom({ maxInputs: 1 }),
    onEvent: ({ type }) => {
      if (type === 'attempt-end') controller.abort('enough');
    },
  });
  expect(await pool.fails(pool.llm.embed(texts(5), { signal: controller.signal }))).toBe('enough');
  expect(pool.requests()).toBe(1);
  expect([pool.clock.pending, pool.transport.open]).toEqual([0, 0]);
});

it('a pool that is closed ends a call for vectors', async () => {
  const setup = { accounts: [['AIza-one']], models: [model('gemini-embedding-001')] };
  const pool = simulatedPool({ google: setup, wait: true, maxWaitMs: HOUR, timeoutMs: HOUR });
  const failed = pool.fails(pool.llm.embed(texts(300)));
  await pool.clock.advance(1000);
  await pool.llm.close();
  expect(await failed).toMatchObject({ code: 'closed' });
});

describe('a call is refused before anything is sent', () => {
  const mixed: SimulatedPoolOptions = { custom: { models: ['chats', model('vectors')] } };
  const cases: readonly (readonly [
    string,
    SimulatedPoolOptions,
    string | readonly string[],
    EmbedOptions,
    RegExp,
  ])[] = [
    [
      'without an embedding model',
      { custom: { models: ['chats'] } },
      'a',
      {},
      /^No provider of this pool \(custom\) has an embedding model\. Add a provider that has one \(OpenRouter, Google AI Studio, /,
    ],
    [
      'with a chat model',
      mixed,
      'a',
      { model: 'chats' },
      /^"chats" is a chat model and gives no vectors\. .* name an embedding model: vectors\.$/,
    ],
    ['with an alias of chat models', mixed, 'a', { model: 'chat:fast' }, /^"chat:fast" is a chat model/],
    [
      'with a number of dimensions that the model does not give',
      mixed,
      'a',
      { dimensions: 4 },
      /^options\.dimensions: "vectors" gives vectors of 8 numbers, not of 4\. Leave it out\.$/,
    ],
    [
      'if no provider is known to keep its demand for privacy',
      mixed,
      'a',
      { privacy: 'no-training' },
      /^options\.privacy is "no-training", but no provider of this pool is known to meet this/,
    ],
    ['with several models', mixed, 'a', SEVERAL, /^options\.model: must be the name of a model/],
    [
      'with a text that is too long',
      mixed,
      'a'.repeat(20_000_001),
      {},
      /^input: is 20000001 characters long/,
    ],
    ['without texts', mixed, [], {}, /^input: must not be empty/],
    ['with an empty text', mixed, ['a', ' '], {}, /^input\[1\]: must not be empty/],
    ['with an unknown option', mixed, 'a', EXTRA, /temperature/],
  ];

  it.each(cases)('%s', async (_, options, input, asked, message) => {
    const pool = simulatedPool(options);
    expect(await pool.fails(pool.llm.embed(input, asked))).toMatchObject({
      message: expect.stringMatching(message) as unknown,
    });
    expect(pool.requests()).toBe(0);
  });

  it('and so is a chat with an embedding model', async () => {
    const pool = simulatedPool(mixed);
    expect(await pool.fails(pool.llm.chat('a', { model: 'vectors' }))).toMatchObject({
      message:
        'Model "vectors" turns texts into vectors and cannot chat. Pass it to embed(), or choose a chat model.',
    });
    await pool.run(pool.llm.chat('a'));
    expect(pool.transport.sent.map((sent) => sent.model)).toEqual(['chats']);
  });
});
