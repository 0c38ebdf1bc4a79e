/** Checks of values against JSON schemas. */

import type * as zodModule from 'zod';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { SchemaCheck, SchemaProblem } from '../wire/repair/sound-arguments.ts';

/** Names that every object inherits. zod ignores `__proto__`, and finds the others in objects that do not have them. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));
/** Marks such a name in a schema and in the values that are checked. A private character, so that no other name has it. */
const MARK = '\u{F8FF}';

function markedName(name: string): string {
  return INHERITED.has(name) ? name + MARK : name;
}

function unmarked(text: string): string {
  return text.replaceAll(MARK, '');
}

/** A copy with marked names. */
function marked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(marked);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [markedName(name), marked(one)]));
}

/** A copy of a schema with marked names. No keyword is one of them. */
function markedSchema(schema: JsonObject): JsonObject {
  const members = Object.entries(schema);
  return Object.fromEntries(members.map(([name, one]) => [markedName(name), markedMember(one, name)]));
}

function markedMember(value: unknown, keyword: string): unknown {
  if (isJsonObject(value)) return markedSchema(value);
  if (Array.isArray(value)) return value.map((one: unknown) => markedMember(one, keyword));
  if (typeof value !== 'string') return value;
  if (keyword === 'required') return markedName(value);
  return keyword === '$ref' ? value.split('/').map(markedName).join('/') : value;
}

type Zod = typeof zodModule;
type Issue = zodModule.core.$ZodIssue;

/** zod is slow to load. The first call with a schema loads it. */
let zod: Zod | undefined;

/** Whether {@link schemaCheck} can be used. */
export function areChecksLoaded(): boolean {
  return zod !== undefined;
}

/** Must have been awaited before {@link schemaCheck} is called. */
export async function loadChecks(): Promise<void> {
  zod ??= await import('zod');
}

const known = new WeakMap<JsonObject, SchemaCheck | 'none'>();

type Step = string | number;

function stepsOf(path: readonly PropertyKey[]): readonly Step[] {
  return path.map((step) => (typeof step === 'number' ? step : unmarked(String(step))));
}

function problemsOf(issue: Issue): readonly SchemaProblem[] {
  const path = stepsOf(issue.path);
  const message = unmarked(issue.message);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, unmarked(key)], message, isUnknown: true }));
  // A format such as `email` is only a description. Providers and tools interpret it in different ways.
  return issue.code === 'invalid_format' && issue.format !== 'regex' ? [] : [{ path, message }];
}

function checkFor({ fromJSONSchema, safeParse }: Zod, schema: JsonObject): SchemaCheck | 'none' {
  try {
    const type = fromJSONSchema(markedSchema(schema));
    return (value) => issuesOf(() => safeParse(type, marked(value))).flatMap(problemsOf);
  } catch {
    return 'none';
  }
}

/** A schema that refers to itself endlessly cannot be checked, so there are no issues. */
function issuesOf(parse: () => zodModule.ZodSafeParseResult<unknown>): readonly Issue[] {
  try {
    return parse().error?.issues ?? [];
  } catch {
    return [];
  }
}

/** The check of a schema; undefined if the schema cannot be checked, or before {@link loadChecks}. */
export function schemaCheck(schema: JsonObject): SchemaCheck | undefined {
  if (zod === undefined) return undefined;
  let check = known.get(schema);
  if (check === undefined) {
    check = checkFor(zod, schema);
    known.set(schema, check);
  }
  return check === 'none' ? undefined : check;
}
