/** What the translation keeps of any request of the Messages API. Answers: see `answers.test.ts`. */

import { expect, it } from 'vitest';
import { elementsOf, isJsonObject, type JsonObject, member } from '../../../src/core/json.ts';
import type { ChatCall } from '../../../src/rest/chat-backend.ts';
import type { ChatMessage } from '../../../src/wire/request/chat-request.ts';
import fc from '../../support/fast-check.ts';
import { posted } from './support.ts';

const anyText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const SOURCES = [
  { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' },
  { type: 'url', url: 'https://example.org/a.png' },
] as const;

const block = fc.oneof(
  anyText.map((text) => ({ type: 'text', text })),
  fc.constantFrom(...SOURCES).map((source) => ({ type: 'image', source })),
  anyText.map((title) => ({
    type: 'document',
    title,
    source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' },
  })),
);
/** One text alone is that text. */
const content = fc.oneof(anyText, fc.array(block, { minLength: 2, maxLength: 3 }));
const system = fc.oneof(
  anyText,
  fc.array(
    anyText.map((text) => ({ type: 'text', text })),
    { minLength: 2, maxLength: 3 },
  ),
);

const call = fc.record({
  name: fc.constantFrom('look', 'write'),
  input: fc.dictionary(anyText, fc.oneof(anyText, fc.integer(), fc.constant(null))),
  result: anyText,
  isError: fc.boolean(),
});

/** The assistant's thoughts, texts and calls, and what the user says after it, with the results. */
const turn = fc
  .record({
    thoughts: fc.option(anyText, { nil: undefined }),
    texts: fc.array(anyText, { maxLength: 2 }),
    calls: fc.array(call, { minLength: 1, maxLength: 3 }),
    said: fc.array(block, { maxLength: 2 }),
  })
  .map(({ thoughts, texts, calls, said }): readonly JsonObject[] => [
    {
      role: 'assistant',
      content: [
        ...(thoughts === undefined ? [] : [{ type: 'thinking', thinking: thoughts }]),
        ...texts.map((text) => ({ type: 'text', text })),
        ...calls.map(({ name, input }, index) => ({ type: 'tool_use', id: `call_${index}`, name, input })),
      ],
    },
    {
      role: 'user',
      content: [
        ...calls.map(({ result, isError }, index) => ({
          type: 'tool_result',
          tool_use_id: `call_${index}`,
          content: result,
          ...(isError ? { is_error: true } : {}),
        })),
        ...said,
      ],
    },
  ]);

const tool = fc.record(
  {
    name: fc.constant('look'),
    description: anyText,
    input_schema: fc.constant({ type: 'object', properties: { a: { type: 'string' } } }),
    strict: fc.boolean(),
  },
  { requiredKeys: ['name', 'input_schema'] },
);
const choice = fc
  .record({
    choice: fc.constantFrom(
      { type: 'auto' },
      { type: 'any' },
      { type: 'none' },
      { type: 'tool', name: 'look' },
    ),
    isSingle: fc.boolean(),
  })
  .map(({ choice: one, isSingle }) => ({ ...one, ...(isSingle ? { disable_parallel_tool_use: true } : {}) }));

const request = fc.record(
  {
    max_tokens: fc.integer({ min: 1, max: 9999 }),
    messages: fc
      .tuple(content, fc.array(turn, { maxLength: 3 }))
      .map(([first, turns]) => [{ role: 'user', content: first }, ...turns.flat()]),
    system,
    temperature: fc.double({ min: 0, max: 1, noNaN: true }),
    top_p: fc.double({ min: 0, max: 1, noNaN: true }),
    top_k: fc.integer({ min: 1, max: 99 }),
    stop_sequences: fc.array(anyText, { minLength: 1, maxLength: 2 }),
    tools: fc.tuple(tool),
    tool_choice: choice,
    output_config: fc.record({
      effort: fc.constantFrom('low', 'medium', 'high'),
      format: fc.record({
        type: fc.constant('json_schema'),
        schema: fc.dictionary(anyText, fc.integer()),
      }),
    }),
  },
  { requiredKeys: ['max_tokens', 'messages', 'tools'] },
);

function sourceBack(url: unknown): JsonObject {
  const [, media_type, data] = /^data:(.+?);base64,(.*)$/.exec(String(url)) ?? [];
  return data === undefined ? { type: 'url', url } : { type: 'base64', media_type, data };
}

function blockBack(part: unknown): JsonObject {
  const { type, text, image_url: image, file } = isJsonObject(part) ? part : {};
  if (type === 'text') return { type, text };
  if (type === 'image_url') return { type: 'image', source: sourceBack(member(image, 'url')) };
  const source = sourceBack(member(file, 'file_data'));
  return { type: 'document', title: member(file, 'filename'), source };
}

function blocksBack(value: ChatMessage['content']): readonly JsonObject[] {
  if (typeof value === 'string') return value === '' ? [] : [{ type: 'text', text: value }];
  return elementsOf(value).map(blockBack);
}

function contentBack(value: ChatMessage['content']): unknown {
  return typeof value === 'string' ? value : blocksBack(value);
}

const FAILED = /^Error: /;

function resultBack({ tool_call_id: id, content: value }: ChatMessage): JsonObject {
  const text = typeof value === 'string' ? value : '';
  const isError = FAILED.test(text);
  const result = { type: 'tool_result', tool_use_id: id, content: text.replace(FAILED, '') };
  return isError ? { ...result, is_error: true } : result;
}

function assistantBack({ content: value, reasoning_content: thoughts, tool_calls }: ChatMessage): JsonObject {
  const calls = elementsOf(tool_calls).map((one) => {
    const called = member(one, 'function');
    const input: unknown = JSON.parse(String(member(called, 'arguments')));
    return { type: 'tool_use', id: member(one, 'id'), name: member(called, 'name'), input };
  });
  const thinking = thoughts === undefined ? [] : [{ type: 'thinking', thinking: thoughts }];
  return { role: 'assistant', content: [...thinking, ...blocksBack(value), ...calls] };
}

/** The messages, by rules of this test: results and what the user says behind them are one message. */
function messagesBack(messages: readonly ChatMessage[]): readonly JsonObject[] {
  const back: JsonObject[] = [];
  let results: JsonObject[] = [];
  for (const message of messages) {
    if (message.role === 'tool') results.push(resultBack(message));
    else if (message.role === 'user' && results.length === 0)
      back.push({ role: 'user', content: contentBack(message.content) });
    else {
      const said = message.role === 'user' ? blocksBack(message.content) : [];
      if (results.length > 0) back.push({ role: 'user', content: [...results, ...said] });
      results = [];
      if (message.role === 'assistant') back.push(assistantBack(message));
    }
  }
  return results.length === 0 ? back : [...back, { role: 'user', content: results }];
}

const CHOICES: Readonly<Record<string, JsonObject>> = {
  auto: { type: 'auto' },
  required: { type: 'any' },
  none: { type: 'none' },
};

function choiceBack({ tool_choice: chosen, parallel_tool_calls: parallel }: JsonObject): JsonObject {
  if (chosen === undefined) return {};
  const named = { type: 'tool', name: member(member(chosen, 'function'), 'name') };
  const known = typeof chosen === 'string' ? CHOICES[chosen] : undefined;
  const single = parallel === false ? { disable_parallel_tool_use: true } : {};
  return { tool_choice: { ...(known ?? named), ...single } };
}

function toolBack(one: unknown): JsonObject {
  const called = member(one, 'function');
  const { parameters, ...same } = isJsonObject(called) ? called : {};
  return { ...same, input_schema: parameters };
}

function fieldsBack({ fields }: Pick<ChatCall, 'fields'>): JsonObject {
  const {
    stop,
    tools,
    tool_choice: _choice,
    parallel_tool_calls: _parallel,
    reasoning_effort: effort,
    response_format: format,
    ...same
  } = fields;
  const schema = member(member(format, 'json_schema'), 'schema');
  return {
    ...same,
    ...choiceBack(fields),
    tools: elementsOf(tools).map(toolBack),
    ...(stop === undefined ? {} : { stop_sequences: stop }),
    ...(effort === undefined ? {} : { output_config: { effort, format: { type: 'json_schema', schema } } }),
  };
}

function systemBack(message: ChatMessage | undefined): JsonObject {
  return message?.role === 'system' ? { system: contentBack(message.content) } : {};
}

it('the translation keeps everything of a request that is not listed as lost or changed', async () => {
  await fc.assert(
    fc.asyncProperty(request, async (body) => {
      const { calls, response } = await posted(body);
      const [asked] = calls;
      if (asked === undefined) throw new Error(await response.text());
      const [first] = asked.messages;
      const others = first?.role === 'system' ? asked.messages.slice(1) : asked.messages;
      const back = { ...fieldsBack(asked), ...systemBack(first), messages: messagesBack(others) };
      expect(back).toEqual(body);
    }),
    { numRuns: 200 },
  );
});
