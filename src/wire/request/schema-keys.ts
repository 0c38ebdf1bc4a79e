/** Reduces the JSON schemas of a request. */

import dialects from '../../../spec/dialect.json' with { type: 'json' };
import { isJsonObject, member } from '../../core/json.ts';
import type { RequestFields } from './chat-request.ts';
import { mapSame } from './copy-on-change.ts';
import { reducedSchema, type SchemaDialect } from './schema-reduction.ts';

/** Keywords without which a schema means something else. They are never removed because a model refuses them. */
const ESSENTIAL: ReadonlySet<string> = new Set([
  'allOf',
  'anyOf',
  'description',
  'enum',
  'items',
  'oneOf',
  'properties',
  'required',
  'type',
]);
const { uncommon } = dialects.schemas;
const STRICT: SchemaDialect = { refuses: uncommon };
const OPEN: SchemaDialect = { refuses: [...uncommon, 'additionalProperties'] };

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

/** The fields with the schemas of tools and of `response_format` reduced. */
function withReduced(fields: RequestFields, dialectOf: (isStrict: boolean) => SchemaDialect): RequestFields {
  const changeIn = (value: unknown, name: string, schema: string): unknown => {
    const dialect = dialectOf(member(member(value, name), 'strict') === true);
    return withChangeAt(value, [name, schema], (found) => reducedSchema(found, dialect));
  };
  const { tools, response_format: format } = fields;
  const nextTools = Array.isArray(tools)
    ? mapSame<unknown>(tools, (tool) => changeIn(tool, 'function', 'parameters'))
    : tools;
  const nextFormat = changeIn(format, 'json_schema', 'schema');
  const withTools = nextTools === tools ? fields : { ...fields, tools: nextTools };
  return nextFormat === format ? withTools : { ...withTools, response_format: nextFormat };
}

/** The fields with schemas as a provider takes them. */
export function withSchemas(fields: RequestFields, dialect: SchemaDialect): RequestFields {
  return withReduced(fields, () => dialect);
}

/** The fields without keywords that a model refused. */
export function withoutSchemaKeys(fields: RequestFields, names: readonly string[]): RequestFields {
  const refuses = names.filter((name) => !ESSENTIAL.has(name));
  return refuses.length === 0 ? fields : withSchemas(fields, { refuses });
}

/** Drops uncommon keywords, and `additionalProperties` but from a strict schema: strict providers insist on it. */
export function basicSchemaKeys(fields: RequestFields): RequestFields {
  return withReduced(fields, (isStrict) => (isStrict ? STRICT : OPEN));
}
