import fc from '../../support/fast-check.ts';
import * as z from 'zod/mini';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ChatMessage } from '../../../src/wire/request/chat-request.ts';
import { FIELD_TRANSFORMS, MESSAGE_TRANSFORMS } from '../../../src/wire/request/transforms.ts';
import { deepFreeze } from '../../support/deep-freeze.ts';
import { anyConversation, anyFields, soundConversation } from './conversations.ts';

const calls = z.array(z.object({ id: z.string(), function: z.object({ name: z.string() }) }));

/** The call of each result: the latest one before it with its id. */
function pairs(messages: readonly ChatMessage[]): readonly string[] {
  const open = new Map<unknown, string>();
  const found: string[] = [];
  for (const { role, tool_calls: made, tool_call_id: id, content } of messages) {
    for (const call of calls.parse(made ?? [])) open.set(call.id, call.function.name);
    if (role === 'tool') found.push(`${open.get(id) ?? 'no call'}: ${JSON.stringify(content)}`);
  }
  return found.toSorted();
}

function ids(messages: readonly ChatMessage[]): readonly string[] {
  return messages.flatMap(({ tool_calls: made }) => calls.parse(made ?? []).map(({ id }) => id));
}

/** All texts of a conversation. */
function textsOf(messages: readonly ChatMessage[]): string {
  return JSON.stringify(messages.map(({ content }) => content));
}

describe.each(Object.entries(MESSAGE_TRANSFORMS))('%s', (_, transform) => {
  it('accepts any messages and mutates none', () => {
    fc.assert(
      fc.property(anyConversation, (messages) => {
        expect(Array.isArray(transform(deepFreeze(messages)))).toBe(true);
      }),
    );
  });

  it('returns its argument the second time', () => {
    fc.assert(
      fc.property(anyConversation, (messages) => {
        const once = transform(messages);
        expect(transform(once)).toBe(once);
      }),
    );
  });

  it('returns the same messages exactly if nothing changes', () => {
    fc.assert(
      fc.property(anyConversation, (messages) => {
        const changed = transform(messages);
        expect(changed === messages || !isDeepStrictEqual(changed, messages)).toBe(true);
      }),
    );
  });

  it('keeps each result with its call', () => {
    fc.assert(
      fc.property(soundConversation, (messages) => {
        expect(pairs(transform(messages))).toEqual(pairs(messages));
      }),
    );
  });

  it('loses no text', () => {
    fc.assert(
      fc.property(fc.uuid(), soundConversation, fc.nat(), (word, messages, place) => {
        const extended = messages.with(place % messages.length, {
          ...messages[place % messages.length],
          role: messages[place % messages.length]?.role ?? 'user',
          content: word,
        });
        expect(textsOf(transform(extended))).toContain(word);
      }),
    );
  });
});

describe('short ids', () => {
  it('have nine letters or digits and stay distinct', () => {
    fc.assert(
      fc.property(soundConversation, (messages) => {
        const before = ids(messages);
        const after = ids(MESSAGE_TRANSFORMS['short-tool-ids'](messages));
        for (const id of after) expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
        expect(new Set(after).size).toBe(new Set(before).size);
      }),
    );
  });
});

describe.each(Object.entries(FIELD_TRANSFORMS))('%s', (_, transform) => {
  it('accepts any fields, mutates none and changes nothing the second time', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const once = transform(deepFreeze(fields));
        expect(transform(once)).toBe(once);
        expect(once === fields || !isDeepStrictEqual(once, fields)).toBe(true);
      }),
    );
  });
});
