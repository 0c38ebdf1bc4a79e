/** What the bodies of all requests share: their bounds, their common fields, and the errors for them. */

import * as z from 'zod/mini';
import { recordOf } from '../check.ts';
import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts';
import { jsonExcess, type JsonBounds } from '../core/json-scan.ts';
import { HttpError } from '../http-error.ts';

/** Far more than any conversation needs. A body beyond it would be costly to parse and to check. */
export const BODY_BOUNDS: JsonBounds = { depth: 256, values: 200_000 };
const EXCESS_TEXTS: Readonly<Record<keyof JsonBounds, string>> = {
  depth: `is nested more than ${BODY_BOUNDS.depth} levels deep`,
  values: `has more than ${BODY_BOUNDS.values} values`,
};

type Optional<T> = z.ZodMiniOptional<z.ZodMiniType<T>>;
/** The fields that all bodies share. */
export const modelField: Optional<string> = z.optional(
  z.string('must be the name of a model').check(z.minLength(1, 'must not be empty')),
);
export const optionsField: Optional<Record<string, unknown>> = z.optional(
  recordOf(z.unknown(), 'must be an object of options'),
);

/** OpenAI treats null as an absent field, and some of its clients send nulls. */
export function withoutNulls(object: JsonObject, kept?: string): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(([name, value]) => value !== null || name === kept),
  );
}

/** Parses a body, unless that would be costly. */
export function parseBody(text: string, field: string): JsonObject {
  const excess = jsonExcess(text, BODY_BOUNDS);
  if (excess !== undefined) {
    const message = `The body of the request ${EXCESS_TEXTS[excess]}. Send a smaller one.`;
    throw new HttpError({ status: 400, code: 'bad_request', message });
  }
  const json = parseJson(text);
  if (isJsonObject(json)) return json;
  const problem = text.trim() === '' ? 'has no body' : 'has a body that is no JSON object';
  throw new HttpError({ status: 400, message: `The request ${problem}. Send one with "${field}".` });
}

/** The error for a body with a problem. The text of the problem begins with the field. */
export function badBody(problem: string): HttpError {
  const param = /^[\w.[\]]+(?=:| has no )/.exec(problem)?.[0];
  return new HttpError({ status: 400, message: problem, param });
}
