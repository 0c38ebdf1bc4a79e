import fc from '../support/fast-check.ts';
import { describe, expect, test } from 'vitest';
import { SPECS } from '../../src/providers/spec.ts';
import { readModelList, type ReadModelListOptions } from '../../src/catalog/discover.ts';

const options: ReadModelListOptions = { now: 1_790_000_000_000, builtIn: [], freeOnly: false, exclude: [] };

/** Lists of entries with valid and arbitrary fields. */
const almostList = fc.record({
  data: fc.array(
    fc.record(
      {
        id: fc.oneof(fc.string(), fc.constantFrom('a/b', 'a/c:free', 'models/d'), fc.jsonValue()),
        name: fc.oneof(fc.string(), fc.jsonValue()),
        created: fc.jsonValue(),
        context_length: fc.oneof(fc.integer(), fc.jsonValue()),
        architecture: fc.oneof(
          fc.record({
            input_modalities: fc.jsonValue(),
            output_modalities: fc.jsonValue(),
            modality: fc.jsonValue(),
          }),
          fc.jsonValue(),
        ),
        pricing: fc.jsonValue(),
        top_provider: fc.jsonValue(),
        supported_parameters: fc.jsonValue(),
        expiration_date: fc.oneof(fc.string(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    ),
  ),
});

/** Ids that could do harm where they are shown, logged, stored or sent. */
const HOSTILE_IDS: readonly string[] = [
  'a\nb',
  'a\r\nset-cookie: x',
  'a\u0000b',
  'a\u001b[2Jb',
  'a\u009bb',
  'a\u2028b',
  'a\u202eb',
  'a\u2066b',
  'a\ud800b',
  '\udc00',
  '',
  ' ',
  'a b',
  'x'.repeat(201),
  'x'.repeat(1_000_000),
];

describe('reading a model list', () => {
  test.each(HOSTILE_IDS)('skips a hostile id: %j', (id) => {
    const body = { data: [{ id }, { id: 'a/b' }, { id: `models/${id}` }] };
    expect(readModelList(body, options).map((model) => model.id)).toEqual(['a/b']);
  });

  test('accepts any JSON: ids are plain and unique, context lengths positive, and chat is always a tag', () => {
    fc.assert(
      fc.property(fc.oneof(almostList, fc.jsonValue()), (body) => {
        const models = readModelList(body, options);
        const ids = models.map((model) => model.id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const model of models) {
          expect(model.id).toMatch(/^\S{1,200}$/u);
          expect(model.ctx ?? 1).toBeGreaterThan(0);
          expect(model.tags).toContain('chat');
        }
      }),
    );
  });

  test('returns only ids that match the free pattern, whatever the list contains', () => {
    const guarded = { ...options, freeOnly: true, freePattern: ':free$' };
    fc.assert(
      fc.property(almostList, (body) => {
        for (const model of readModelList(body, guarded)) expect(model.id).toMatch(/:free$/);
      }),
    );
  });

  test('returns only free models from any JSON, with the rules of every provider', () => {
    const specs = Object.values(SPECS);
    fc.assert(
      fc.property(
        fc.constantFrom(...specs),
        fc.oneof(almostList, fc.jsonValue()),
        ({ discovery = { exclude: [] }, models, freeOnlyPattern = '' }, body) => {
          const read = readModelList(body, { ...options, ...discovery, freeOnly: true, builtIn: models });
          for (const { id } of read) expect(id).toMatch(new RegExp(freeOnlyPattern));
        },
      ),
    );
  });

  test('at most 5,000 entries are read', () => {
    const data = Array.from({ length: 6000 }, (_, index) => ({ id: `vendor/model-${index}` }));
    expect(readModelList({ data }, options)).toHaveLength(5000);
  });
});
