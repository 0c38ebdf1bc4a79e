import { isJsonObject, type JsonObject, member } from '../../core/json.ts';
import type { RequestFields } from './chat-request.ts';
import { mapMembers, mapSame } from './copy-on-change.ts';

/** Keywords that map names of the schema's author to schemas. */
const NAMED_SCHEMAS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
]);
/** Keywords whose values are data, not schemas. */
const DATA: ReadonlySet<string> = new Set(['enum', 'const', 'default', 'example', 'examples', 'required']);
/** Keywords without which a schema means something else. They are never removed. */
const ESSENTIAL: ReadonlySet<string> = new Set([
  '$defs',
  '$ref',
  'allOf',
  'anyOf',
  'definitions',
  'description',
  'enum',
  'items',
  'oneOf',
  'properties',
  'required',
  'type',
]);
/** Keywords that only narrow or annotate, and that several providers do not know (Google's compatible API, 2026-10). */
const UNCOMMON: ReadonlySet<string> = new Set([
  '$anchor',
  '$comment',
  '$id',
  '$schema',
  'const',
  'contains',
  'contentEncoding',
  'contentMediaType',
  'dependentRequired',
  'dependentSchemas',
  'deprecated',
  'else',
  'examples',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'if',
  'maxContains',
  'minContains',
  'multipleOf',
  'not',
  'patternProperties',
  'propertyNames',
  'readOnly',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
  'uniqueItems',
  'writeOnly',
]);
const UNCOMMON_OR_OPEN: ReadonlySet<string> = new Set([...UNCOMMON, 'additionalProperties']);
/** Deeper levels are left as they are. */
const MAX_DEPTH = 100;

/** A constant text is the only value of an `enum`. */
function withEnumForConst(schema: JsonObject): JsonObject {
  const value = schema['const'];
  return typeof value === 'string' && schema['enum'] === undefined ? { ...schema, enum: [value] } : schema;
}

function schemaWithoutKeys(schema: unknown, keys: ReadonlySet<string>, depth = 0): unknown {
  if (depth > MAX_DEPTH) return schema;
  if (Array.isArray(schema))
    return mapSame<unknown>(schema, (item) => schemaWithoutKeys(item, keys, depth + 1));
  if (!isJsonObject(schema)) return schema;
  const kept = keys.has('const') ? withEnumForConst(schema) : schema;
  return mapMembers(kept, (value, name) => {
    if (keys.has(name)) return undefined;
    if (DATA.has(name)) return value;
    if (NAMED_SCHEMAS.has(name) && isJsonObject(value))
      return mapMembers(value, (inner) => schemaWithoutKeys(inner, keys, depth + 2));
    return schemaWithoutKeys(value, keys, depth + 1);
  });
}

/** An object with the value at a path of member names changed; the same object if nothing changes. */
function withChangeAt(
  value: unknown,
  [name, ...rest]: readonly string[],
  change: (found: unknown) => unknown,
): unknown {
  if (name === undefined) return change(value);
  const given = member(value, name);
  if (!isJsonObject(value) || given === undefined) return value;
  const next = withChangeAt(given, rest, change);
  return next === given ? value : { ...value, [name]: next };
}

/** The fields without some keywords in the JSON schemas of tools and of `response_format`. */
export function withoutSchemaKeys(fields: RequestFields, names: readonly string[]): RequestFields {
  const keys = new Set(names.filter((name) => !ESSENTIAL.has(name)));
  return withChangedSchemas(fields, (schema) => schemaWithoutKeys(schema, keys));
}

function withChangedSchemas(
  fields: RequestFields,
  change: (schema: unknown, isStrict: boolean) => unknown,
): RequestFields {
  const changeIn = (value: unknown, name: string, schema: string): unknown => {
    const isStrict = member(member(value, name), 'strict') === true;
    return withChangeAt(value, [name, schema], (found) => change(found, isStrict));
  };
  const { tools, response_format: format } = fields;
  const nextTools = Array.isArray(tools)
    ? mapSame<unknown>(tools, (tool) => changeIn(tool, 'function', 'parameters'))
    : tools;
  const nextFormat = changeIn(format, 'json_schema', 'schema');
  const withTools = nextTools === tools ? fields : { ...fields, tools: nextTools };
  return nextFormat === format ? withTools : { ...withTools, response_format: nextFormat };
}

export function commonSchemaKeys(fields: RequestFields): RequestFields {
  return withChangedSchemas(fields, (schema) => schemaWithoutKeys(schema, UNCOMMON));
}

/** Drops `additionalProperties` as well, but not from a strict schema: strict providers insist on it. */
export function basicSchemaKeys(fields: RequestFields): RequestFields {
  return withChangedSchemas(fields, (schema, isStrict) =>
    schemaWithoutKeys(schema, isStrict ? UNCOMMON : UNCOMMON_OR_OPEN),
  );
}
