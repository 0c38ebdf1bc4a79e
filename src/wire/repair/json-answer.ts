/** Finds the JSON value that an answer consists of, also within prose or a block of code. */

import { looseJson, LooseReader } from './loose-json.ts';
import type { SchemaProblem } from './sound-arguments.ts';
import { thoughtsLength } from './thoughts.ts';

/** Places at which a value may begin. A text with more of them is no answer in JSON. */
const MAX_PLACES = 16;
const BLOCK = /```(?:\w*)\s*\n([^]*?)(?:\n?```|$)/g;
const OPENING = /[{[]/g;

function* valuesIn(text: string): Generator<unknown, void, undefined> {
  const whole = looseJson(text);
  if (whole !== undefined && whole.missing !== 'content') yield whole.value;
  let places = 0;
  for (const [, block = ''] of text.matchAll(BLOCK)) {
    places += 1;
    if (places > MAX_PLACES) return;
    const value = looseJson(block);
    if (value !== undefined && value.missing !== 'content') yield value.value;
  }
  for (const { index } of text.matchAll(OPENING)) {
    places += 1;
    if (places > MAX_PLACES) return;
    const reader = new LooseReader(text, index);
    const read = reader.attempt(() => ({ value: reader.value() }));
    if (read !== undefined && reader.missing !== 'content') yield read.value;
  }
}

/** The value of a text that goes on, as far as it has come; `undefined` if it has not begun. */
export function partialJson(text: string): unknown {
  const thoughts = thoughtsLength(text);
  if (thoughts === undefined) return undefined;
  const answer = text.slice(thoughts);
  const start = answer.search(/[{[]/);
  if (start < 0) return undefined;
  const reader = new LooseReader(answer, start);
  return reader.attempt(() => reader.value());
}

/** What a text holds: a value that was accepted, or what is wrong with the first value; no problems: there is no value. */
export type JsonAnswer<T = unknown> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly SchemaProblem[] };

/**
 * The first value in a text that is accepted.
 * @param read - Checks a value, and may repair it.
 */
// spec 13.12
export function jsonAnswer(text: string, read: (value: unknown) => JsonAnswer): JsonAnswer {
  let first: JsonAnswer | undefined;
  for (const value of valuesIn(text.slice(thoughtsLength(text) ?? 0).trim())) {
    const found = read(value);
    if (found.ok) return found;
    first ??= found;
  }
  return first ?? { ok: false, problems: [] };
}
