/** A small validator of JSON schemas (2020-12), written for tests independently of what is tested, and random schemas. */

import { isDeepStrictEqual } from 'node:util';
import fc from './fast-check.ts';

type Json = unknown;
type Obj = Readonly<Record<string, Json>>;

function isObject(value: Json): value is Obj {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

function hasType(value: Json, type: Json): boolean {
  if (type === 'integer') return typeof value === 'number' && Number.isInteger(value);
  return typeOf(value) === type;
}

function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function boundIn(schema: Obj, name: string, fallback: number): number {
  const given = schema[name];
  return typeof given === 'number' ? given : fallback;
}

function isWithin(schema: Obj, value: number, least: string, most: string): boolean {
  return value >= boundIn(schema, least, -Infinity) && value <= boundIn(schema, most, Infinity);
}

function isInRange(schema: Obj, value: number): boolean {
  if (!isWithin(schema, value, 'minimum', 'maximum')) return false;
  if (value <= boundIn(schema, 'exclusiveMinimum', -Infinity)) return false;
  if (value >= boundIn(schema, 'exclusiveMaximum', Infinity)) return false;
  return Number.isInteger(value / boundIn(schema, 'multipleOf', value || 1));
}

function hasForm(schema: Obj, value: string): boolean {
  const { pattern } = schema;
  return (
    isWithin(schema, value.length, 'minLength', 'maxLength') &&
    (typeof pattern !== 'string' || new RegExp(pattern).test(value))
  );
}

/** Validates by one root schema. */
class Validator {
  readonly #root: Json;

  constructor(root: Json) {
    this.#root = root;
  }

  /** @param fuel - Bounds a schema that refers to itself without end. */
  accepts(schema: Json, value: Json, fuel = 60): boolean {
    if (typeof schema === 'boolean') return schema;
    if (!isObject(schema) || fuel === 0) return true;
    // OpenAPI 3.0: null is allowed, whatever the type is.
    if (value === null && schema['nullable'] === true) return true;
    const next = (inner: Json, part: Json = value): boolean => this.accepts(inner, part, fuel - 1);
    return (
      this.#acceptsRef(schema['$ref'], next) &&
      this.#acceptsValue(schema, value) &&
      this.#acceptsChoices(schema, next) &&
      (!isObject(value) || this.#acceptsMembers(schema, value, next)) &&
      (!Array.isArray(value) || this.#acceptsElements(schema, value, next))
    );
  }

  #acceptsRef(ref: Json, next: (schema: Json) => boolean): boolean {
    if (typeof ref !== 'string') return true;
    let found: Json = this.#root;
    for (const step of ref.split('/').slice(1)) found = isObject(found) ? found[step] : undefined;
    return next(found ?? {});
  }

  #acceptsValue(schema: Obj, value: Json): boolean {
    const { type, enum: values, const: constant } = schema;
    const types = type === undefined ? undefined : Array.isArray(type) ? listOf(type) : [type];
    if (types !== undefined && !types.some((one) => hasType(value, one))) return false;
    if (Array.isArray(values) && !values.some((one) => isDeepStrictEqual(one, value))) return false;
    if ('const' in schema && !isDeepStrictEqual(constant, value)) return false;
    if (typeof value === 'number') return isInRange(schema, value);
    if (typeof value === 'string') return hasForm(schema, value);
    return !Array.isArray(value) || isWithin(schema, value.length, 'minItems', 'maxItems');
  }

  #acceptsChoices(schema: Obj, next: (schema: Json) => boolean): boolean {
    const { allOf, anyOf, oneOf, not, if: condition, then: yes, else: no } = schema;
    if (!listOf(allOf).every((one) => next(one))) return false;
    if (Array.isArray(anyOf) && !anyOf.some((one) => next(one))) return false;
    if (Array.isArray(oneOf) && oneOf.filter((one) => next(one)).length !== 1) return false;
    if (not !== undefined && next(not)) return false;
    if (condition === undefined) return true;
    return next((next(condition) ? yes : no) ?? {});
  }

  #acceptsMembers(schema: Obj, value: Obj, next: (schema: Json, part: Json) => boolean): boolean {
    const {
      properties = {},
      patternProperties = {},
      additionalProperties = {},
      required,
      propertyNames,
    } = schema;
    const { dependentSchemas = {}, dependentRequired = {} } = schema;
    if (!listOf(required).every((name) => Object.hasOwn(value, String(name)))) return false;
    return Object.entries(value).every(([name, part]) => {
      const own = isObject(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
      const matching = Object.entries(isObject(patternProperties) ? patternProperties : {})
        .filter(([pattern]) => new RegExp(pattern).test(name))
        .map(([, inner]) => inner);
      const known = [...own, ...matching];
      const dependent = isObject(dependentSchemas) ? dependentSchemas[name] : undefined;
      const needed = isObject(dependentRequired) ? listOf(dependentRequired[name]) : [];
      return (
        (known.length > 0 ? known : [additionalProperties]).every((inner) => next(inner, part)) &&
        (propertyNames === undefined || next(propertyNames, name)) &&
        (dependent === undefined || next(dependent, value)) &&
        needed.every((other) => Object.hasOwn(value, String(other)))
      );
    });
  }

  #acceptsElements(
    schema: Obj,
    value: readonly Json[],
    next: (schema: Json, part: Json) => boolean,
  ): boolean {
    const { prefixItems, items, additionalItems, contains, uniqueItems } = schema;
    const first = Array.isArray(items) ? listOf(items) : listOf(prefixItems);
    const rest = Array.isArray(items) ? additionalItems : items;
    if (!value.every((part, index) => next((index < first.length ? first[index] : rest) ?? {}, part)))
      return false;
    if (uniqueItems === true && new Set(value.map((part) => JSON.stringify(part))).size < value.length)
      return false;
    if (contains === undefined) return true;
    const { minContains = 1, maxContains = Infinity } = schema;
    const count = value.filter((part) => next(contains, part)).length;
    return count >= Number(minContains) && count <= Number(maxContains);
  }
}

/** Whether a schema accepts a value. */
export function accepts(schema: Json, value: Json): boolean {
  return new Validator(schema).accepts(schema, value);
}

const name = fc.constantFrom('a', 'b', 'c');
const text = fc.constantFrom('', 'a', 'b', 'ab', 'c');
const small = fc.integer({ min: -1, max: 3 });
const type = fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', 'array', 'object');

/** Values that schemas of {@link anySchema} speak about. */
export const anyValue: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'value' },
    fc.oneof(fc.constant(null), fc.boolean(), small, text, fc.constant(0.5)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }),
  ),
})).value;

const anyDefinition = fc.constantFrom('one', 'two', 'loop');

/** Schemas with every keyword that the validator knows: nested, with unions, conditions and references. */
const anyPart: fc.Arbitrary<Json> = fc.letrec<{ schema: Json }>((tie) => {
  const schema = tie('schema');
  const schemas = fc.array(schema, { minLength: 1, maxLength: 3 });
  const named = fc.dictionary(name, schema, { maxKeys: 3 });
  const keywords = {
    type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })),
    enum: fc.array(fc.oneof(text, small, fc.constant(null)), { minLength: 1, maxLength: 3 }),
    const: fc.oneof(text, small, fc.constant(null)),
    minimum: small,
    maximum: small,
    exclusiveMinimum: small,
    exclusiveMaximum: small,
    multipleOf: fc.constantFrom(1, 2),
    minLength: fc.constantFrom(0, 1),
    maxLength: fc.constantFrom(1, 2),
    pattern: fc.constantFrom('^a', 'b$'),
    format: fc.constantFrom('email', 'date'),
    description: text,
    default: fc.constant({ not: {} }),
    properties: named,
    required: fc.uniqueArray(name, { maxLength: 2 }),
    additionalProperties: fc.oneof(fc.boolean(), schema),
    patternProperties: fc.dictionary(fc.constantFrom('^a', '^b', '.'), schema, { maxKeys: 2 }),
    propertyNames: schema,
    dependentSchemas: named,
    dependentRequired: fc.dictionary(name, fc.uniqueArray(name, { maxLength: 2 }), { maxKeys: 2 }),
    items: fc.oneof(schema, fc.boolean(), schemas),
    prefixItems: schemas,
    additionalItems: schema,
    contains: schema,
    minContains: fc.constantFrom(0, 1, 2),
    maxContains: fc.constantFrom(0, 1, 2),
    minItems: fc.constantFrom(0, 1),
    maxItems: fc.constantFrom(1, 2),
    uniqueItems: fc.boolean(),
    allOf: schemas,
    anyOf: schemas,
    oneOf: schemas,
    not: schema,
    if: schema,
    // oxlint-disable-next-line no-thenable -- the keyword is called so
    then: schema,
    else: schema,
    $ref: anyDefinition.map((definition) => `#/$defs/${definition}`),
    $comment: text,
  };
  const someOf = fc
    .subarray(Object.keys(keywords), { maxLength: 4 })
    .chain((chosen) =>
      fc.record(Object.fromEntries(Object.entries(keywords).filter(([key]) => chosen.includes(key)))),
    );
  return {
    schema: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'schema' },
      fc.oneof(
        type.map((one) => ({ type: one })),
        fc.constant({}),
        fc.boolean(),
      ),
      { arbitrary: someOf, weight: 4 },
    ),
  };
}).schema;

/** A whole schema with definitions, one of which refers to itself. */
export const anySchema: fc.Arbitrary<Obj> = fc
  .record({ part: anyPart, one: anyPart, two: anyPart, loop: anyPart })
  .map(({ part, one, two, loop }) => ({
    ...(isObject(part) ? part : { allOf: [part] }),
    $defs: {
      one,
      two: { ...(isObject(two) ? two : {}), description: 'second' },
      loop: { anyOf: [loop, { type: 'object', properties: { a: { $ref: '#/$defs/loop' } } }] },
    },
  }));
