/** Takes keywords out of the JSON schemas of a request, for providers that do not know them. */

import { isJsonObject, member } from '../../core/json.ts';
import type { RequestFields } from './chat-request.ts';

/** Keywords whose members are named by the schema's author; each of them is a schema. */
const NAMED_SCHEMAS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
]);
/** Keywords whose values are data and no schemas. */
const DATA: ReadonlySet<string> = new Set(['enum', 'const', 'default', 'example', 'examples', 'required']);
/** What lies deeper is left alone. */
const MAX_DEPTH = 100;

type Keys = ReadonlySet<string>;

/** The members of an object changed; the same object when none is. */
function mapMembers(
  value: Readonly<Record<string, unknown>>,
  change: (member: unknown, name: string) => unknown,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(value);
  const changed = entries.map(([name, given]) => [name, change(given, name)] as const);
  const isSame = changed.every(([, next], index) => next === entries[index]?.[1]);
  return isSame ? value : Object.fromEntries(changed.filter(([, next]) => next !== undefined));
}

function stripped(schema: unknown, keys: Keys, depth = 0): unknown {
  if (depth > MAX_DEPTH) return schema;
  if (Array.isArray(schema)) return mapSame<unknown>(schema, (item) => stripped(item, keys, depth + 1));
  if (!isJsonObject(schema)) return schema;
  return mapMembers(schema, (value, name) => {
    if (keys.has(name)) return undefined;
    if (DATA.has(name)) return value;
    if (NAMED_SCHEMAS.has(name) && isJsonObject(value))
      return mapMembers(value, (inner) => stripped(inner, keys, depth + 2));
    return stripped(value, keys, depth + 1);
  });
}

/** An object with what lies at a path of member names changed; the same object when nothing is. */
function changedAt(
  value: unknown,
  [name, ...rest]: readonly string[],
  change: (found: unknown) => unknown,
): unknown {
  if (name === undefined) return change(value);
  const given = member(value, name);
  if (!isJsonObject(value) || given === undefined) return value;
  const next = changedAt(given, rest, change);
  return next === given ? value : { ...value, [name]: next };
}

/** A request's fields without some keywords in the schemas of its tools and of its answer's format. */
export function withoutSchemaKeys(fields: RequestFields, names: readonly string[]): RequestFields {
  const keys = new Set(names);
  const strip = (schema: unknown): unknown => stripped(schema, keys);
  const stripTool = (tool: unknown): unknown => changedAt(tool, ['function', 'parameters'], strip);
  let changed = fields;
  const tools = fields['tools'];
  if (Array.isArray(tools)) {
    const next = mapSame<unknown>(tools, stripTool);
    if (next !== tools) changed = { ...changed, tools: next };
  }
  const format = changedAt(fields['response_format'], ['json_schema', 'schema'], strip);
  return format === fields['response_format'] ? changed : { ...changed, response_format: format };
}

/** The list with each item changed; the same list when none is. */
export function mapSame<T>(list: readonly T[], change: (item: T) => T): readonly T[] {
  let changed: T[] | undefined;
  for (const [index, item] of list.entries()) {
    const next = change(item);
    if (changed === undefined && next !== item) changed = list.slice(0, index);
    changed?.push(next);
  }
  return changed ?? list;
}

/** The object without the members for which `leaves` holds; the same object when there are none. */
export function without<T extends object>(value: T, leaves: (name: string) => boolean): T {
  if (!Object.keys(value).some(leaves)) return value;
  const kept = { ...value };
  for (const name of Object.keys(kept)) if (leaves(name)) Reflect.deleteProperty(kept, name);
  return kept;
}
