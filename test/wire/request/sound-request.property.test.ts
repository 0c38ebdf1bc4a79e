import fc from '../../support/fast-check.ts';
import * as z from 'zod/mini';
import { describe, expect, it } from 'vitest';
import { SPECS } from '../../../src/providers/spec.ts';
import { chatBody } from '../../../src/wire/request/chat-body.ts';
import type { ChatMessage, ChatRequest } from '../../../src/wire/request/chat-request.ts';
import { lawfulNamesOf, withLawfulNames } from '../../../src/wire/request/function-names.ts';
import { soundRequest, wellFormedJson } from '../../../src/wire/request/sound-request.ts';
import { deepFreeze } from '../../support/deep-freeze.ts';
import { anyConversation, anyFields, soundConversation } from './conversations.ts';

const anyRequest: fc.Arbitrary<ChatRequest> = fc.record({ messages: anyConversation, fields: anyFields });
const calls = z.array(z.object({ id: z.string(), function: z.object({ name: z.string() }) }));
const sent = z.object({ messages: z.array(z.custom<ChatMessage>()), model: z.string() });

function sound(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return soundRequest({ messages, fields: {} }).messages;
}

/** Texts that are not blank, in order. */
function textsOf(messages: readonly ChatMessage[]): readonly unknown[] {
  return messages
    .map(({ content }) => content)
    .filter((content) => typeof content === 'string' && content.trim() !== '');
}

describe('a sound request', () => {
  it('is sound, and the given one is not mutated', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const once = soundRequest(deepFreeze(request));
        expect(soundRequest(once)).toBe(once);
      }),
    );
  });

  it('has all texts, in order', () => {
    fc.assert(
      fc.property(soundConversation, (messages) => {
        expect(textsOf(sound(messages))).toEqual(textsOf(messages));
      }),
    );
  });

  it('has an id for each call, and each result after its call', () => {
    fc.assert(
      fc.property(soundConversation, (messages) => {
        const known = new Map<unknown, string>();
        let open: readonly string[] = [];
        for (const { role, tool_calls: made, tool_call_id: id, content } of sound(messages)) {
          if (role === 'tool') {
            expect(open).toContain(id);
            expect(content).toBe(`result of ${known.get(id) ?? 'no call'}`);
            continue;
          }
          const turn = calls.parse(made ?? []);
          for (const call of turn) {
            expect(call.id).not.toBe('');
            expect(known.has(call.id)).toBe(false);
            known.set(call.id, call.function.name);
          }
          open = turn.map((call) => call.id);
        }
      }),
    );
  });
});

describe('a body', () => {
  const FIRST: ChatMessage = { role: 'user', content: 'Hello' };
  const anyUnits = fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 6 });
  const anyText = anyUnits.map((units) => String.fromCharCode(0x5c, ...units, 0x5c, 0x75, 0x64));

  it('has no lone surrogate, and every other character as it was', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.boolean(), (text, name, plain) => {
        const messages: readonly ChatMessage[] = [{ role: 'user', content: text, name }];
        const written = chatBody({ messages, fields: { stop: [text] } }).for('m', { plain });
        expect(wellFormedJson(written)).toBe(written);
        const replaced = text.replaceAll(/\p{Surrogate}/gu, '\ufffd');
        expect(sent.parse(JSON.parse(written)).messages[0]?.content).toBe(replaced);
        expect(written).toContain(`"stop":${JSON.stringify([replaced])}`);
      }),
    );
  });

  it.each([undefined, ...Object.keys(SPECS)])('in its plain form, at %s, changes no more', (name) => {
    const shape = Object.entries(SPECS).find(([known]) => known === name)?.[1].request;
    fc.assert(
      fc.property(soundConversation, anyFields, (conversation, given) => {
        const request = {
          messages: [FIRST, ...conversation],
          fields: z.record(z.string(), z.unknown()).parse(JSON.parse(JSON.stringify(given))),
        };
        const options = { plain: true, shape };
        const once = chatBody(request).for('m', options);
        const { model: _model, messages, ...fields } = z.looseObject(sent.shape).parse(JSON.parse(once));
        expect(JSON.parse(chatBody({ messages, fields }).for('m', options))).toEqual(JSON.parse(once));
      }),
      { numRuns: 30 },
    );
  });
});

describe('lawful names of functions', () => {
  const anyName = fc.oneof(
    fc.string({ maxLength: 5 }),
    fc.constantFrom('a.b', 'a_b', 'a_b_2', '1a', '_1a', 'x'.repeat(64), 'x'.repeat(65), `${'x'.repeat(65)}y`),
  );
  const anyTools = fc.uniqueArray(anyName, { maxLength: 8 });

  it('are lawful and distinct, and lead back to the given ones', () => {
    fc.assert(
      fc.property(anyTools, (names) => {
        const tools = names.map((name) => ({ type: 'function', function: { name } }));
        const request = { messages: [{ role: 'user' as const, content: 'x' }], fields: { tools } };
        const named = z.array(z.object({ function: z.object({ name: z.string() }) }));
        const written = named.parse(withLawfulNames(request).fields['tools'] ?? []);
        const after = written.map((tool) => tool.function.name);
        for (const name of after) expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/);
        expect(new Set(after).size).toBe(names.length);
        const body = chatBody(request);
        expect(after.map((name) => body.nameOf(name))).toEqual(names);
        expect(lawfulNamesOf(withLawfulNames(request)).size).toBe(0);
      }),
    );
  });
});
