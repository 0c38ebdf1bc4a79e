/** Bounds what an answer may hold, so that reading it costs no more than its size is worth. The bounds are data. */

import bounds from '../../../spec/bounds.json' with { type: 'json' };
import { elementsOf, type JsonObject } from '../../core/json.ts';
import { jsonExcess, jsonValues } from '../../core/json-scan.ts';

/** The bounds of one answer. */
export const MOST: Readonly<typeof bounds.answer> = bounds.answer;

/** The words of a bound that was exceeded, e.g. `more than 10000 tool calls`. */
export function moreThan(most: number, what: string): string {
  return `more than ${most} ${what}`;
}

const TOO_DEEP = moreThan(MOST.depth, 'levels of nesting');

/**
 * Which bound a JSON text exceeds, in words; undefined if none. Parses nothing.
 * @param values - The most values. Default: those of a whole answer.
 */
// spec 13.11
export function textExcess(text: string, values: number = MOST.values): string | undefined {
  // Each level takes two characters.
  if (text.length < 2 * MOST.depth) return undefined;
  const excess = jsonExcess(text, { depth: MOST.depth, values });
  if (excess === undefined) return undefined;
  return excess === 'depth' ? TOO_DEEP : moreThan(values, 'values');
}

/** Which bound the arguments of all calls of an answer exceed. Parses nothing. */
// spec 13.11
export function argumentsExcess(texts: readonly string[]): string | undefined {
  let characters = 0;
  let values = 0;
  for (const text of texts) {
    characters += text.length;
    if (characters > MOST.callCharacters) return moreThan(MOST.callCharacters, 'characters of arguments');
    const more = jsonValues(text, { depth: MOST.depth, values: MOST.callValues - values });
    if (more === 'depth') return TOO_DEEP;
    if (more === 'values') return moreThan(MOST.callValues, 'values in its arguments');
    values += more;
  }
  return undefined;
}

/** Which bound the choices of an answer or a chunk exceed. */
export function choicesExcess(choices: readonly unknown[]): string | undefined {
  return choices.length > MOST.choices ? moreThan(MOST.choices, 'choices') : undefined;
}

/** Which bound a message or a delta exceeds. */
export function messageExcess(message: JsonObject): string | undefined {
  if (elementsOf(message['content']).length > MOST.contentParts)
    return moreThan(MOST.contentParts, 'parts of its content');
  if (Object.keys(message).length > MOST.extraFields) return moreThan(MOST.extraFields, 'fields');
  return callsExcess(elementsOf(message['tool_calls']).length);
}

/** Whether so many tool calls exceed their bound. */
export function callsExcess(count: number): string | undefined {
  return count > MOST.toolCalls ? moreThan(MOST.toolCalls, 'tool calls') : undefined;
}
