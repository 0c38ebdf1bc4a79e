import { describe, expect, test } from 'vitest';
import { readModelList } from '../../src/catalog/discover.ts';
import { offerTest } from '../../src/catalog/list-entry.ts';
import { kindOf, type ModelSpec } from '../../src/core/model.ts';
import { matchesGlob } from '../../src/providers/pattern.ts';
import { type ProviderSpec, SPECS } from '../../src/providers/spec.ts';

/** Providers that charge for their models. */
const BILLED: ReadonlySet<string> = new Set(['cerebras', 'ollama-cloud']);
const ALIASED = ['chat', 'large', 'fast', 'small', 'tools', 'vision', 'reasoning'];
const TAGS = [...ALIASED, 'audio', 'file', 'video'];

test.each([SPECS.openrouter, SPECS.google, SPECS.nim])('$title has models for every alias', ({ models }) => {
  const tags = new Set(models.flatMap((model) => model.tags ?? []));
  expect([...tags]).toEqual(expect.arrayContaining(ALIASED));
});

const services = Object.values(SPECS).filter(({ access }) => access !== 'local');

function chatModels({ models }: Pick<ProviderSpec, 'models'>): readonly ModelSpec[] {
  return models.filter((model) => kindOf(model) === 'chat');
}

describe.each(services)('the built-in list of $title', (spec) => {
  const { models, discovery } = spec;

  test('names each model once', () => {
    expect(new Set(models.map((model) => model.id)).size).toBe(models.length);
  });

  test('has embedding models without tags, whose vectors have a known length', () => {
    for (const model of models.filter((one) => kindOf(one) === 'embedding')) {
      const facts = spec.embeddings?.find((row) => matchesGlob(row.models, model.id));
      expect([model.free, model.tags]).toEqual([true, undefined]);
      expect(facts?.dimensions).toBeGreaterThan(0);
    }
  });

  test('names each chat model as free, with known tags in order', () => {
    for (const model of chatModels(spec)) {
      expect(model.tags).toEqual(TAGS.filter((tag) => model.tags?.includes(tag)));
      expect(model.tags).toContain('chat');
      expect(model.free).toBe(!BILLED.has(spec.name));
      expect(model.id).toMatch(new RegExp(spec.modelIdPattern ?? ''));
    }
  });

  test('is not excluded by the rules of its own discovery', () => {
    if (discovery === undefined) throw new Error('the specification has no discovery');
    const isOffered = offerTest({ ...discovery, freeOnly: true });
    expect(chatModels(spec).filter((model) => !isOffered(model.id))).toEqual([]);
  });
});

const plain = services.filter(
  ({ discovery }) => discovery?.shape === undefined && discovery?.freePrices === undefined,
);

test.each(plain)('a plain list of them is the built-in list of $title', (spec) => {
  const { discovery } = spec;
  const models = chatModels(spec);
  if (discovery === undefined) throw new Error('the specification has no discovery');
  const body = { data: models.toReversed().map(({ id }) => ({ id })) };
  expect(readModelList(body, { ...discovery, freeOnly: true, now: 0, builtIn: models })).toEqual(models);
});

const UNFIT = [
  {
    spec: SPECS.openrouter,
    ids: [
      'acme/text-embed-1b:free',
      'nvidia/llama-nemotron-rerank-vl-1b-v2:free',
      'deepgram/flux-tts:free',
      'nvidia/nemotron-3.5-content-safety:free',
      'thinkingmachines/inkling:free',
      'thinkingmachines/inkling-small:free',
      'openrouter/auto',
    ],
  },
  {
    spec: SPECS.google,
    ids: [
      'models/gemini-2.5-flash-preview-tts',
      'models/gemini-embedding-001',
      'models/imagen-4.0-generate-001',
      'models/veo-3.1-generate-preview',
      'models/gemini-3.1-flash-image',
      'models/gemini-flash-latest',
      'models/gemini-2.5-pro',
      'models/aqa',
    ],
  },
  {
    spec: SPECS.nim,
    ids: [
      'baai/bge-m3',
      'meta/llama-guard-4-12b',
      'nvidia/nemotron-4-340b-reward',
      'nvidia/nemotron-parse',
      'nvidia/riva-translate-4b-instruct',
    ],
  },
];

test.each(UNFIT.flatMap(({ spec, ids }) => ids.map((id) => ({ spec, id }))))(
  'discovery on $spec.title does not offer $id',
  ({ spec, id }) => {
    if (spec.discovery === undefined) throw new Error('the specification has no discovery');
    const rules = { ...spec.discovery, freeOnly: true, now: 0, builtIn: [] };
    expect(readModelList([{ id }], rules)).toEqual([]);
  },
);

test('the router over free models comes last in the list of OpenRouter', () => {
  expect(chatModels(SPECS.openrouter).at(-1)?.id).toBe('openrouter/free');
});
