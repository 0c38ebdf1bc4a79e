import fc from '../../support/fast-check.ts';
import * as z from 'zod/mini';
import { describe, expect, it } from 'vitest';
import { SPECS } from '../../../src/providers/spec.ts';
import { chatBody } from '../../../src/wire/request/chat-body.ts';
import type { ChatMessage } from '../../../src/wire/request/chat-request.ts';

/** Ids of several providers, and such that collide once they are rewritten. */
const anyId = fc.oneof(
  fc.constantFrom(
    'call_1',
    'call_1_2',
    'call_2',
    'functions.look:0',
    'abcdefghi',
    '000000001',
    '000000002',
    '1',
    '',
  ),
  fc.string({ maxLength: 12 }),
  fc.uuid(),
);

/** Turns of calls, each with its result. Ids may come again in a later turn, or in the same. */
const anyTurns = fc.array(fc.array(anyId, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });

function conversationOf(turns: readonly (readonly string[])[]): readonly ChatMessage[] {
  let number = 0;
  return turns.flatMap((ids): readonly ChatMessage[] => {
    const made = ids.map((id) => ({ id, text: `result ${(number += 1)}` }));
    const calls = made.map(({ id }) => ({
      id,
      type: 'function',
      function: { name: 'look', arguments: '{}' },
    }));
    return [
      { role: 'user', content: 'Look.' },
      { role: 'assistant', content: null, tool_calls: calls },
      ...made.map(({ id, text }): ChatMessage => ({ role: 'tool', tool_call_id: id, content: text })),
    ];
  });
}

const sentMessages = z.object({
  messages: z.array(
    z.looseObject({
      tool_calls: z.optional(z.array(z.object({ id: z.string() }))),
      tool_call_id: z.optional(z.string()),
      content: z.optional(z.unknown()),
    }),
  ),
});

/** The ids of the calls as sent, and of the results by their number. */
function sentIds(turns: readonly (readonly string[])[], name: string, plain: boolean) {
  const shape = Object.values(SPECS).find((spec) => spec.name === name)?.request;
  const body = chatBody({ messages: conversationOf(turns), fields: {} }).for('m', { shape, plain });
  const { messages } = sentMessages.parse(JSON.parse(body));
  const calls = messages.flatMap((message) => (message.tool_calls ?? []).map(({ id }) => id));
  const results = messages
    .filter((message) => message.tool_call_id !== undefined)
    .toSorted((a, b) => numberIn(a.content) - numberIn(b.content))
    .map((message) => message.tool_call_id);
  return { calls, results };
}

function numberIn(content: unknown): number {
  return Number(/\d+/.exec(JSON.stringify(content))?.[0]);
}

describe.each(Object.values(SPECS).map(({ name }) => name))(
  'the ids of tool calls, as sent to %s',
  (name) => {
    it('are one for each call, and that of its result: no two become one, none becomes two', () => {
      fc.assert(
        fc.property(anyTurns, fc.boolean(), (turns, plain) => {
          const { calls, results } = sentIds(turns, name, plain);
          expect(calls).toHaveLength(turns.flat().length);
          expect(new Set(calls).size).toBe(calls.length);
          expect(results).toEqual(calls);
        }),
        { numRuns: 60 },
      );
    });

    it('stay the same as the conversation grows, if new ids are not those that were made up', () => {
      const lawful = fc.array(fc.array(fc.uuid(), { minLength: 1, maxLength: 2 }), {
        minLength: 2,
        maxLength: 4,
      });
      fc.assert(
        fc.property(lawful, (turns) => {
          const before = sentIds(turns.slice(0, -1), name, false).calls;
          expect(sentIds(turns, name, false).calls.slice(0, before.length)).toEqual(before);
        }),
        { numRuns: 20 },
      );
    });
  },
);
