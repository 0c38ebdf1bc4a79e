/** Where a JSON schema (2020-12, and what draft 7 named differently) has schemas within it. */

import { elementsOf, isJsonObject, type JsonObject } from '../../core/json.ts';
import { mapMembers, mapSame } from './copy-on-change.ts';

/** Keywords whose value is a schema. */
const SINGLE: ReadonlySet<string> = new Set([
  'additionalItems',
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);
/** Keywords whose value is a list of schemas. `items` was one in draft 7. */
const LISTS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'items', 'oneOf', 'prefixItems']);
/** Keywords that map names of the schema's author to schemas. */
const NAMED: ReadonlySet<string> = new Set([
  '$defs',
  'definitions',
  'dependencies',
  'dependentSchemas',
  'patternProperties',
  'properties',
]);

type Change = (schema: unknown) => unknown;

/** The value of a keyword with each schema in it changed; the same value if nothing changes. */
export function mapSchemas(keyword: string, value: unknown, change: Change): unknown {
  if (LISTS.has(keyword) && Array.isArray(value)) return mapSame<unknown>(value, change);
  if (SINGLE.has(keyword)) return change(value);
  // The lists of names in `dependencies` are none.
  if (NAMED.has(keyword) && isJsonObject(value))
    return mapMembers(value, (inner) => (Array.isArray(inner) ? inner : change(inner)));
  return value;
}

/** The schemas in the value of a keyword. */
function schemasIn(keyword: string, value: unknown): readonly unknown[] {
  if (LISTS.has(keyword) && Array.isArray(value)) return elementsOf(value);
  if (SINGLE.has(keyword)) return [value];
  return NAMED.has(keyword) && isJsonObject(value) ? Object.values(value) : [];
}

/** Whether a schema, or one within it, passes a test. Each level counts against `depth`. */
export function someSchema(schema: unknown, test: (found: JsonObject) => boolean, depth: number): boolean {
  if (!isJsonObject(schema)) return false;
  if (depth <= 0 || test(schema)) return true;
  return Object.entries(schema).some(([keyword, value]) =>
    schemasIn(keyword, value).some((inner) => someSchema(inner, test, depth - 1)),
  );
}
