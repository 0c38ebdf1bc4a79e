/** Arbitrary conversations, sound and malformed. */

import fc from '../../support/fast-check.ts';
import type { ChatMessage, ChatRequest, ContentPart } from '../../../src/wire/request/chat-request.ts';

const anyText = fc.string({ maxLength: 12 });
const anyId = fc.oneof(fc.constantFrom('', 'call_0', 'call_1', 'abcdefghi', '000000001'), anyText);

const anyPart: fc.Arbitrary<ContentPart> = fc.oneof(
  fc.record({ type: fc.constant('text'), text: anyText }),
  fc.record({ type: fc.constant('image_url'), image_url: fc.record({ url: anyText }) }),
  fc.record({ type: anyText, text: fc.jsonValue() }),
);
const anyContent = fc.oneof(
  anyText,
  fc.constantFrom(null, undefined, ''),
  fc.array(anyPart, { minLength: 0, maxLength: 3 }),
);

const anyCall = fc.record(
  {
    id: anyId,
    type: fc.constant('function'),
    function: fc.record({
      name: anyText,
      arguments: fc.oneof(anyText, fc.dictionary(anyText, fc.jsonValue())),
    }),
    extra_content: fc.jsonValue(),
    index: fc.nat(),
  },
  { requiredKeys: [] },
);

/** A message of any role with fields of any kind. */
const anyMessage: fc.Arbitrary<ChatMessage> = fc
  .record(
    {
      role: fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool'),
      content: anyContent,
      name: anyText,
      tool_calls: fc.oneof(
        fc.array(fc.oneof(anyCall, fc.jsonValue()), { maxLength: 3 }),
        fc.constant(undefined),
      ),
      tool_call_id: anyId,
      reasoning: anyText,
      extra_content: fc.jsonValue(),
    },
    { requiredKeys: ['role'] },
  )
  .map((message) => ({ ...message }));

/** An assistant message with tool calls, and the results of all of them. */
const anyToolTurn: fc.Arbitrary<readonly ChatMessage[]> = fc
  .uniqueArray(anyId, { minLength: 1, maxLength: 3 })
  .chain((ids) =>
    fc.shuffledSubarray(ids, { minLength: ids.length }).map((order) => [
      {
        role: 'assistant' as const,
        content: null,
        tool_calls: ids.map((id) => ({
          id,
          type: 'function',
          function: { name: `f${id}`, arguments: '{}' },
        })),
      },
      ...order.map((id) => ({ role: 'tool' as const, tool_call_id: id, content: `result of f${id}` })),
    ]),
  );

const plainMessage = fc.record({
  role: fc.constantFrom('system', 'developer', 'user', 'assistant'),
  content: anyText,
});

/** A conversation in which every call has its result. */
export const soundConversation: fc.Arbitrary<readonly ChatMessage[]> = fc
  .array(
    fc.oneof(
      plainMessage.map((message) => [message]),
      anyToolTurn,
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((turns) => turns.flat());

/** Any messages at all. */
export const anyConversation: fc.Arbitrary<readonly ChatMessage[]> = fc.oneof(
  fc.array(anyMessage, { minLength: 1, maxLength: 8 }),
  soundConversation,
);

const anySchema = fc.dictionary(
  fc.oneof(
    anyText,
    fc.constantFrom('properties', 'items', '$schema', 'additionalProperties', 'enum', 'type'),
  ),
  fc.jsonValue(),
);
const anyTool = fc.oneof(
  fc.record({ type: fc.constant('function'), function: fc.record({ name: anyText, parameters: anySchema }) }),
  fc.jsonValue(),
);

/** The other fields of a request. */
export const anyFields: fc.Arbitrary<ChatRequest['fields']> = fc.record(
  {
    temperature: fc.double({ noNaN: true }),
    seed: fc.oneof(fc.integer(), fc.constant(null)),
    max_tokens: fc.oneof(fc.nat(), fc.jsonValue()),
    max_completion_tokens: fc.nat(),
    n: fc.constantFrom(1, 2),
    reasoning: fc.oneof(fc.record({ effort: anyText }), fc.jsonValue()),
    reasoning_effort: fc.constantFrom('none', 'low', 'constructor', '__proto__'),
    tools: fc.oneof(fc.array(anyTool, { maxLength: 3 }), fc.jsonValue()),
    tool_choice: fc.oneof(
      fc.constantFrom('auto', 'required', 'toString'),
      fc.record({ function: fc.record({ name: anyText }) }),
    ),
    response_format: fc.oneof(
      fc.record({ type: fc.constant('json_schema'), json_schema: fc.record({ schema: anySchema }) }),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: [] },
);
