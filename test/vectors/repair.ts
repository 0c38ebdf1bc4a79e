/** Runs the vectors of tool calls that models wrote badly. */

import * as z from 'zod/mini';
import { loadChecks, schemaCheck } from '../../src/client/schema-check.ts';
import { parseJson } from '../../src/core/json.ts';
import { soundArguments } from '../../src/wire/repair/sound-arguments.ts';
import { writtenCalls } from '../../src/wire/repair/written-calls.ts';
import type { DeclaredTools } from '../../src/wire/request/declared-tools.ts';

await loadChecks();

/** The tools that the vectors of written calls speak of. */
export const declaredForVectors: DeclaredTools = new Map([
  [
    'get_weather',
    {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' } },
      required: ['city'],
    },
  ],
  ['search', { type: 'object', properties: { q: { type: 'string' } } }],
  ['now', {}],
]);

function findCalls(input: unknown): unknown {
  const { text } = z.strictObject({ text: z.string() }).parse(input);
  const found = writtenCalls(text, declaredForVectors);
  if (found.kind !== 'calls') return found;
  const calls = found.calls.map((call) => ({ ...call, arguments: parseJson(call.arguments) }));
  return { ...found, calls };
}

const argumentsInput = z.strictObject({
  schema: z.record(z.string(), z.unknown()),
  text: z.string(),
});

function repair(input: unknown): unknown {
  const { schema, text } = argumentsInput.parse(input);
  const read = soundArguments(text, schema, schemaCheck(schema));
  return read.ok
    ? { ok: true, arguments: parseJson(read.text), unchanged: read.text === text }
    : { ok: false };
}

export const runners: Record<string, (input: unknown) => unknown> = {
  'written-calls': findCalls,
  'tool-arguments': repair,
};
