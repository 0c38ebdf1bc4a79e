/** Checks values from outside against schemas. What it says of them is short, however long they are. */

import * as z from 'zod/mini';
import { isJsonObject } from './core/json.ts';
import { ConfigError } from './errors.ts';
import { suggestions } from './suggest.ts';

/** The most characters of a name from outside that a message shows. */
const MAX_SHOWN_LENGTH = 100;
/** The most names from outside that a message lists. */
const MAX_SHOWN_NAMES = 5;

function shown(name: string): string {
  return name.length <= MAX_SHOWN_LENGTH ? name : `${name.slice(0, MAX_SHOWN_LENGTH)}…`;
}

function pathOf(what: string, path: readonly PropertyKey[]): string {
  let text = what;
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : `.${shown(String(step))}`;
  return text;
}

function listed(names: readonly string[]): string {
  const first = names.slice(0, MAX_SHOWN_NAMES).map((name) => `"${shown(name)}"`);
  const others = names.length - first.length;
  return `${first.join(', ')}${others === 0 ? '' : ` and ${others} others`}`;
}

/** Reports the first of `members` that does not match `item`, and stops there. */
function checkEach(
  item: z.ZodMiniType,
  members: Iterable<readonly [step: PropertyKey, value: unknown]>,
  issues: z.core.$ZodRawIssue[],
): void {
  for (const [step, value] of members) {
    const [issue] = item.safeParse(value).error?.issues ?? [];
    if (issue === undefined) continue;
    issues.push({ code: 'custom', message: issue.message, input: value, path: [step, ...issue.path] });
    return;
  }
}

/** Whether a schema takes a missing member. */
function isOptional(field: z.ZodMiniType): boolean {
  return field.safeParse(undefined).success;
}

/**
 * A quick test for plain objects whose members all are fields that match. The objects that it does not pass may match, too:
 * the schema says so, or what is wrong. It costs as much as an object has members; a schema costs as much as it has fields.
 */
export function quickMatch(fields: Readonly<Record<string, z.ZodMiniType>>): (value: object) => boolean {
  const known = new Map(Object.entries(fields));
  const required = [...known].filter(([, field]) => !isOptional(field)).map(([name]) => name);
  return (value) => {
    // A schema reads inherited members as well.
    if (Object.getPrototypeOf(value) !== Object.prototype) return false;
    if (!required.every((name) => Object.hasOwn(value, name))) return false;
    return Object.getOwnPropertyNames(value).every(
      (name) => known.get(name)?.safeParse(Reflect.get(value, name)).success === true,
    );
  };
}

/** A list whose elements match `item`. `z.array` makes an issue for each element that does not; this one stops at the first. */
export function listOf<Item>(item: z.ZodMiniType<Item>, message: string): z.ZodMiniType<readonly Item[]> {
  return z
    .custom<readonly Item[]>(Array.isArray, { message, abort: true })
    .check(({ value, issues }) => checkEach(item, value.entries(), issues));
}

/** An object whose members match `item`. It stops at the first that does not, and keeps a member named `__proto__`. */
export function recordOf<Item>(
  item: z.ZodMiniType<Item>,
  message: string,
): z.ZodMiniType<Readonly<Record<string, Item>>> {
  return z
    .custom<Readonly<Record<string, Item>>>(isJsonObject, { message, abort: true })
    .check(({ value, issues }) => checkEach(item, Object.entries(value), issues));
}

/** The names of a schema's own members. */
function membersOf(schema: z.ZodMiniType): readonly string[] {
  return schema instanceof z.ZodMiniObject ? Object.keys(schema.shape) : [];
}

/**
 * The first problem of a value that its schema refused, as a sentence: the field and what is wrong with it.
 * @param schema - If given, unknown names are compared with its members.
 */
export function problemIn(
  { issues: [issue] }: z.core.$ZodError,
  what: string,
  schema?: z.ZodMiniType,
): string {
  if (issue === undefined) return `${what} is not right.`;
  const field = pathOf(what, issue.path);
  if (issue.code !== 'unrecognized_keys') return `${field}: ${issue.message}.`;
  const known = issue.path.length === 0 && schema !== undefined ? membersOf(schema) : [];
  const meant = suggestions(issue.keys.slice(0, MAX_SHOWN_NAMES), known);
  return `${field} has no option ${listed(issue.keys)}.${meant}`;
}

/** The first problem that `schema` finds in `value`, as a sentence. Undefined if there is none. */
export function firstProblem(schema: z.ZodMiniType, value: unknown, what: string): string | undefined {
  const { error } = schema.safeParse(value);
  return error === undefined ? undefined : problemIn(error, what, schema);
}

/** @throws ConfigError that names the field if `value` does not match `schema`. */
export function check(schema: z.ZodMiniType, value: unknown, what: string): void {
  const problem = firstProblem(schema, value, what);
  if (problem !== undefined) throw new ConfigError(problem);
}
