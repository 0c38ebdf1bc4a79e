import { isJsonObject, member } from '../../core/json.ts';
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
/** Deeper levels are left as they are. */
const MAX_DEPTH = 100;

function schemaWithoutKeys(schema: unknown, keys: ReadonlySet<string>, depth = 0): unknown {
  if (depth > MAX_DEPTH) return schema;
  if (Array.isArray(schema))
    return mapSame<unknown>(schema, (item) => schemaWithoutKeys(item, keys, depth + 1));
  if (!isJsonObject(schema)) return schema;
  return mapMembers(schema, (value, name) => {
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
  const keys = new Set(names);
  const strip = (schema: unknown): unknown => schemaWithoutKeys(schema, keys);
  const stripTool = (tool: unknown): unknown => withChangeAt(tool, ['function', 'parameters'], strip);
  const { tools, response_format: format } = fields;
  const nextTools = Array.isArray(tools) ? mapSame<unknown>(tools, stripTool) : tools;
  const nextFormat = withChangeAt(format, ['json_schema', 'schema'], strip);
  const withTools = nextTools === tools ? fields : { ...fields, tools: nextTools };
  return nextFormat === format ? withTools : { ...withTools, response_format: nextFormat };
}
