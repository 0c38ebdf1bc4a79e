/** Reduces a JSON schema to the keywords that a provider takes. What it accepted before, it accepts afterwards. */

import { isJsonObject, type JsonObject, member } from '../../core/json.ts';
import { without } from './copy-on-change.ts';
import { openApiForm } from './schema-openapi.ts';
import { mapSchemas, someSchema } from './schema-parts.ts';
import { joined, targetOf } from './schema-refs.ts';

/** What a provider takes of JSON schemas. */
export interface SchemaDialect {
  /** The keywords that it takes. Default: all. */
  readonly takes?: readonly string[] | undefined;
  /** Keywords that it refuses. Without `$ref`, the definitions are written in place of references. */
  readonly refuses?: readonly string[] | undefined;
  /** Whether its schemas are those of OpenAPI 3.0. Default false. */
  readonly openApi?: boolean | undefined;
}

/** Deeper levels accept anything. */
const MAX_DEPTH = 100;
/** References can multiply a schema. Copies beyond these accept anything. */
const MAX_COPIES = 5000;
const REFS: ReadonlySet<string> = new Set(['$ref', '$defs', 'definitions']);
/** Keywords of lists whose elements each have a schema. */
const TUPLE: ReadonlySet<string> = new Set(['additionalItems', 'items', 'prefixItems']);
const ANYTHING: JsonObject = {};

/** Whether a keyword is taken. References and their definitions are taken together. */
function takenBy({ takes, refuses }: SchemaDialect): (keyword: string) => boolean {
  const given = takes === undefined ? undefined : new Set(takes);
  const refused = new Set(refuses);
  const isTaken = (keyword: string): boolean => given?.has(keyword) !== false && !refused.has(keyword);
  const takesRefs = given?.has('$ref') !== false && ![...REFS].some((keyword) => refused.has(keyword));
  return (keyword) => (REFS.has(keyword) ? takesRefs : isTaken(keyword));
}

function hasReference(schema: unknown): boolean {
  return someSchema(
    schema,
    (found) => found['$ref'] !== undefined || found['$dynamicRef'] !== undefined,
    MAX_DEPTH,
  );
}

/** A schema while its keywords are removed. */
type Draft = Record<string, unknown>;

function drop(draft: Draft, ...keywords: readonly string[]): void {
  for (const keyword of keywords) Reflect.deleteProperty(draft, keyword);
}

/** Whether the schemas of a keyword mean what they meant. A reference may lead to one that was widened. */
function isKept(given: JsonObject, draft: Draft, keyword: string): boolean {
  return draft[keyword] === given[keyword] && !hasReferenceIn(keyword, given[keyword]);
}

function hasReferenceIn(keyword: string, value: unknown): boolean {
  return hasReference({ [keyword]: value });
}

/** Where exactly one choice must hold, widened choices could overlap: any of them may hold. */
function loosenChoices(given: JsonObject, draft: Draft, choices: unknown, takesAny: boolean): void {
  if (given['oneOf'] === undefined || isKept(given, draft, 'oneOf')) return;
  drop(draft, 'oneOf');
  if (takesAny && given['anyOf'] === undefined) draft['anyOf'] = choices;
}

/** By bound: the keyword that excludes it, which was a flag in draft 4. */
const EXCLUSIONS = [
  ['minimum', 'exclusiveMinimum'],
  ['maximum', 'exclusiveMaximum'],
] as const;

/** Removes what would narrow the schema now, because something beside or within it was removed or widened. */
function withoutNarrowing(given: JsonObject, draft: Draft): void {
  const isLost = (keyword: string): boolean => given[keyword] !== undefined && draft[keyword] === undefined;
  if (isLost('properties') || isLost('patternProperties')) drop(draft, 'additionalProperties');
  if (isLost('prefixItems')) drop(draft, 'items', 'additionalItems');
  if (isLost('minContains') || isLost('contains')) drop(draft, 'contains', 'minContains', 'maxContains');
  if (!isKept(given, draft, 'contains')) drop(draft, 'maxContains');
  if (!isKept(given, draft, 'if') || isLost('then') || isLost('else')) drop(draft, 'if', 'then', 'else');
  if (!isKept(given, draft, 'not')) drop(draft, 'not');
  for (const [bound, exclusion] of EXCLUSIONS)
    if (isLost(bound) && given[exclusion] === true) drop(draft, exclusion);
}

/** Which of its parts a value has used cannot be said if a part was widened. */
function withoutLeftovers(given: JsonObject, draft: Draft): void {
  if (given['unevaluatedItems'] === undefined && given['unevaluatedProperties'] === undefined) return;
  const isSame = Object.keys(given).every((keyword) => isKept(given, draft, keyword));
  if (!isSame) drop(draft, 'unevaluatedItems', 'unevaluatedProperties');
}

class Reduction {
  readonly #root: JsonObject;
  readonly #isTaken: (keyword: string) => boolean;
  readonly #openApi: boolean;
  #copies = 0;

  constructor(root: JsonObject, dialect: SchemaDialect) {
    this.#root = root;
    this.#isTaken = takenBy(dialect);
    this.#openApi = dialect.openApi === true;
  }

  /** Whether a keyword has to go. */
  get mustDrop(): boolean {
    const has = (schema: JsonObject): boolean =>
      Object.keys(schema).some((keyword) => !this.#isTaken(keyword));
    return someSchema(this.#root, has, MAX_DEPTH);
  }

  /** @param trail - The references that led here. */
  reduce(schema: unknown, trail: readonly string[], depth: number): unknown {
    if (!isJsonObject(schema)) return this.#openApi && typeof schema === 'boolean' ? ANYTHING : schema;
    this.#copies += trail.length > 0 ? 1 : 0;
    if (depth > MAX_DEPTH || this.#copies > MAX_COPIES) return ANYTHING;
    const { $ref: ref, allOf, ...beside } = schema;
    if (typeof ref === 'string' && !this.#isTaken('$ref')) {
      // What refers to itself has no end.
      if (trail.includes(ref)) return ANYTHING;
      const { $ref: _ref, ...rest } = schema;
      return this.reduce(joined(targetOf(this.#root, ref), rest), [...trail, ref], depth + 1);
    }
    if (Array.isArray(allOf) && !this.#isTaken('allOf'))
      return this.#reduceAll(allOf, { ...beside, ...(ref === undefined ? {} : { $ref: ref }) }, trail, depth);
    return this.#reduced(schema, trail, depth);
  }

  /** Writes schemas that all hold as one. */
  #reduceAll(all: readonly unknown[], beside: JsonObject, trail: readonly string[], depth: number): unknown {
    const refs: string[] = [];
    const targets = all.map((one) => {
      const ref = isJsonObject(one) && !this.#isTaken('$ref') ? one['$ref'] : undefined;
      if (!isJsonObject(one) || typeof ref !== 'string') return one;
      const { $ref: _ref, ...rest } = one;
      refs.push(ref);
      return trail.includes(ref) ? ANYTHING : joined(targetOf(this.#root, ref), rest);
    });
    const whole = targets.reduce<unknown>(
      (one, target) => (isJsonObject(one) ? joined(target, one) : one),
      beside,
    );
    return this.reduce(whole, [...trail, ...refs], depth + 1);
  }

  #reduced(schema: JsonObject, trail: readonly string[], depth: number): JsonObject {
    const draft: Draft = {};
    const changeIn = (keyword: string, value: unknown): unknown =>
      mapSchemas(keyword, value, (inner) =>
        isOpenness(keyword, inner) ? inner : this.reduce(inner, trail, depth + 1),
      );
    for (const [keyword, value] of Object.entries(schema))
      if (this.#isTaken(keyword)) draft[keyword] = changeIn(keyword, value);
    const choices = changeIn('oneOf', schema['oneOf']);
    loosenChoices(schema, draft, choices, this.#isTaken('anyOf'));
    withoutNarrowing(schema, draft);
    withoutLeftovers(schema, draft);
    this.#keepConstant(schema, draft);
    const form = this.#form(draft);
    return isSameObject(schema, form) ? schema : form;
  }

  /** A constant text is the only value of an `enum`. */
  #keepConstant({ const: value, enum: values }: JsonObject, draft: Draft): void {
    const isLost = typeof value === 'string' && draft['const'] === undefined;
    if (isLost && values === undefined && this.#isTaken('enum')) draft['enum'] = [value];
  }

  #form(schema: JsonObject): JsonObject {
    if (!this.#openApi) return schema;
    // A list of schemas for elements is none of OpenAPI.
    const lists = Array.isArray(schema['items']) ? without(schema, (name) => TUPLE.has(name)) : schema;
    return openApiForm(lists);
  }
}

/** Whether a value says that more members or elements are allowed, or none. Every provider that takes the keyword takes it. */
function isOpenness(keyword: string, value: unknown): boolean {
  return (
    typeof value === 'boolean' && (keyword.startsWith('additional') || keyword.startsWith('unevaluated'))
  );
}

function isSameObject(a: JsonObject, b: JsonObject): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === member(b, name));
}

/**
 * A schema with the keywords that a provider takes, and in its form; the same schema if nothing changes. It accepts every value
 * that it accepted before, perhaps more.
 */
// spec 12.17
export function reducedSchema(schema: unknown, dialect: SchemaDialect): unknown {
  if (!isJsonObject(schema)) return schema;
  const reduction = new Reduction(schema, dialect);
  return dialect.openApi === true || reduction.mustDrop ? reduction.reduce(schema, [], 0) : schema;
}
