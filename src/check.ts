import type * as z from 'zod/mini';
import { ConfigError } from './errors.ts';

function pathOf(what: string, path: readonly PropertyKey[]): string {
  let text = what;
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : `.${String(step)}`;
  return text;
}

/** The first problem that `schema` finds in `value`: the field and what is wrong with it. Undefined if there is none. */
export function firstProblem(schema: z.ZodMiniType, value: unknown, what: string): string | undefined {
  const result = schema.safeParse(value);
  const issue = result.success ? undefined : result.error.issues[0];
  if (issue === undefined) return undefined;
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => `"${key}"`).join(', ');
    return `${pathOf(what, issue.path)} has no option ${names}`;
  }
  return `${pathOf(what, issue.path)}: ${issue.message}`;
}

/** @throws ConfigError that names the field if `value` does not match `schema`. */
export function check(schema: z.ZodMiniType, value: unknown, what: string): void {
  const problem = firstProblem(schema, value, what);
  if (problem !== undefined) throw new ConfigError(`${problem}.`);
}
