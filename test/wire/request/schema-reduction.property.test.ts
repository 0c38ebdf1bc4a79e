import fc from '../../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import dialects from '../../../spec/dialect.json' with { type: 'json' };
import { loadChecks, schemaCheck } from '../../../src/client/schema-check.ts';
import { SPECS } from '../../../src/providers/spec.ts';
import { reducedSchema, type SchemaDialect } from '../../../src/wire/request/schema-reduction.ts';
import { deepFreeze } from '../../support/deep-freeze.ts';
import { accepts, anySchema, anyValue } from '../../support/json-schema.ts';

await loadChecks();

const OTHERS =
  'additionalProperties additionalItems allOf anyOf oneOf properties required items type enum minimum maximum format pattern minLength';
const KEYWORDS = [...dialects.schemas.uncommon, ...OTHERS.split(' ')];

/** What the files of the providers say, and what a request in its plain form has. */
const DIALECTS: readonly (readonly [string, SchemaDialect])[] = [
  ...Object.values(SPECS).flatMap(({ name, request }) =>
    request?.schemas === undefined ? [] : [[name, request.schemas] as const],
  ),
  ['the plain form', { refuses: dialects.schemas.uncommon }],
  ['the plain form of open objects', { refuses: [...dialects.schemas.uncommon, 'additionalProperties'] }],
];

const anyDialect: fc.Arbitrary<SchemaDialect> = fc.record(
  { refuses: fc.subarray(KEYWORDS), openApi: fc.boolean() },
  { requiredKeys: ['refuses'] },
);

const values = fc.array(anyValue, { minLength: 20, maxLength: 20 });

/** The values that the original accepts and the reduced schema does not. */
function lost(schema: object, dialect: SchemaDialect, given: readonly unknown[]): readonly unknown[] {
  const reduced = reducedSchema(schema, dialect);
  return given.filter((value) => accepts(schema, value) && !accepts(reduced, value));
}

/** All keywords of a schema, at any depth, that stand where schemas stand. */
function keywordsOf(schema: unknown): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap(keywordsOf);
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]: readonly [string, unknown]) => {
    if (['enum', 'const', 'default', 'required', 'type', 'dependentRequired'].includes(keyword))
      return [keyword];
    const isNamed = ['properties', 'patternProperties', '$defs', 'dependentSchemas'].includes(keyword);
    const inner: unknown =
      isNamed && typeof value === 'object' && value !== null ? Object.values(value) : value;
    return [keyword, ...keywordsOf(inner)];
  });
}

describe.each(DIALECTS)('a schema reduced for %s', (_, dialect) => {
  it('accepts every value that the original accepts', () => {
    let accepted = 0;
    fc.assert(
      fc.property(anySchema, values, (schema, given) => {
        accepted += given.filter((value) => accepts(schema, value)).length;
        expect(lost(schema, dialect, given)).toEqual([]);
      }),
      { numRuns: 150 },
    );
    // The test is worth something only if schemas accept some of the values.
    expect(accepted).toBeGreaterThan(300);
  });

  it('has only keywords that are taken, and changes no more the second time', () => {
    fc.assert(
      fc.property(anySchema, (schema) => {
        const once = reducedSchema(deepFreeze(schema), dialect);
        const { takes, refuses = [] } = dialect;
        const wrong = keywordsOf(once).filter(
          (keyword) => refuses.includes(keyword) || takes?.includes(keyword) === false,
        );
        expect(wrong).toEqual([]);
        expect(reducedSchema(once, dialect)).toBe(once);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a reduced schema', () => {
  it('accepts every value that the original accepts, whatever keywords are refused', () => {
    fc.assert(
      fc.property(anySchema, anyDialect, values, (schema, dialect, given) => {
        expect(lost(schema, dialect, given)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('says so by the validator of the library, too, where that knows the schemas', () => {
    let checked = 0;
    fc.assert(
      fc.property(anySchema, fc.constantFrom(...DIALECTS), values, (schema, [, dialect], given) => {
        const reduced = reducedSchema(schema, dialect);
        const before = schemaCheck(schema);
        const after =
          typeof reduced === 'object' && reduced !== null ? schemaCheck({ ...reduced }) : undefined;
        if (before === undefined || after === undefined || dialect.openApi === true) return;
        for (const value of given) {
          if (before(value).length > 0 || !accepts(schema, value)) continue;
          checked += 1;
          expect(after(value)).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
    expect(checked).toBeGreaterThan(100);
  });

  it('is the schema itself if nothing is refused', () => {
    fc.assert(
      fc.property(anySchema, (schema) => {
        expect(reducedSchema(schema, { refuses: ['x-unknown'] })).toBe(schema);
      }),
    );
  });
});
