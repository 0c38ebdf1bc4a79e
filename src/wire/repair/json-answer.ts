/** Finds the JSON value that an answer consists of, also within prose or a block of code. */

import { parseJson } from '../../core/json.ts';
import { textExcess } from '../response/answer-bounds.ts';
import { looseJson, LooseReader, MOST_REPAIRED } from './loose-json.ts';
import type { SchemaProblem } from './sound-arguments.ts';
import { thoughtsLength } from './thoughts.ts';

/** Places at which a value may begin. A text with more of them is no answer in JSON. */
const MAX_PLACES = 16;
const BLOCK = /```(?:\w*)\s*\n([^]*?)(?:\n?```|$)/g;
const OPENING = /[{[]/g;

/** The value of a text that is JSON and too long to be read in any other way. */
function longValue(text: string): unknown {
  return textExcess(text) === undefined ? parseJson(text) : undefined;
}

/** A value that was read, if there was one, and how much text it took to find that out. */
interface Attempt {
  readonly value: unknown;
  readonly length: number;
}

function* attemptsIn(text: string): Generator<Attempt, void, undefined> {
  for (const [, block = ''] of text.matchAll(BLOCK)) {
    const read = looseJson(block);
    yield { value: read?.missing === 'content' ? undefined : read?.value, length: block.length };
  }
  for (const { index } of text.matchAll(OPENING)) {
    const reader = new LooseReader(text, index);
    const value = reader.attempt(() => reader.value());
    yield { value: reader.missing === 'content' ? undefined : value, length: reader.at - index };
  }
}

function* valuesIn(text: string): Generator<unknown, void, undefined> {
  if (text.length > MOST_REPAIRED) {
    const value = longValue(text);
    if (value !== undefined) yield value;
    return;
  }
  const whole = looseJson(text);
  if (whole !== undefined && whole.missing !== 'content') yield whole.value;
  let places = 0;
  let length = 0;
  for (const attempt of attemptsIn(text)) {
    if (attempt.value !== undefined) yield attempt.value;
    places += 1;
    length += attempt.length;
    if (places >= MAX_PLACES || length >= MOST_REPAIRED) return;
  }
}

/** The value of a text that goes on, as far as it has come; `undefined` if it has not begun, and while it is long. */
export function partialJson(text: string): unknown {
  if (text.length > MOST_REPAIRED) return undefined;
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
