/** Checks of values against JSON schemas. */

import { fromJSONSchema, safeParse, type core } from 'zod';
import type { JsonObject } from '../core/json.ts';
import type { SchemaCheck, SchemaProblem } from '../wire/repair/sound-arguments.ts';

const known = new WeakMap<JsonObject, SchemaCheck | 'none'>();

type Step = string | number;

function stepsOf(path: readonly PropertyKey[]): readonly Step[] {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}

function problemsOf(issue: core.$ZodIssue): readonly SchemaProblem[] {
  const path = stepsOf(issue.path);
  const { message } = issue;
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key], message, isUnknown: true }));
  // A format such as `email` describes; providers and tools read it in different ways.
  return issue.code === 'invalid_format' && issue.format !== 'regex' ? [] : [{ path, message }];
}

function checkFor(schema: JsonObject): SchemaCheck | 'none' {
  try {
    const type = fromJSONSchema(schema);
    return (value) => issuesOf(type, value).flatMap(problemsOf);
  } catch {
    return 'none';
  }
}

/** A schema that refers to itself without end cannot be checked, and nothing speaks against the value. */
function issuesOf(type: core.$ZodType, value: unknown): readonly core.$ZodIssue[] {
  try {
    return safeParse(type, value).error?.issues ?? [];
  } catch {
    return [];
  }
}

/** The check of a schema; undefined if the schema cannot be checked. */
export function schemaCheck(schema: JsonObject): SchemaCheck | undefined {
  let check = known.get(schema);
  if (check === undefined) {
    check = checkFor(schema);
    known.set(schema, check);
  }
  return check === 'none' ? undefined : check;
}
