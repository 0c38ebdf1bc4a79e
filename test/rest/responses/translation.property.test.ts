/** What the translation keeps of any request, and that both kinds of answers say the same. */

import { describe, expect, it } from 'vitest';
import { elementsOf, isJsonObject, type JsonObject, member } from '../../../src/core/json.ts';
import type { Answer, ChatCall } from '../../../src/rest/chat-backend.ts';
import type { ChatMessage } from '../../../src/wire/request/chat-request.ts';
import { PartCollector, type StreamPart } from '../../../src/wire/response/stream-part.ts';
import fc from '../../support/fast-check.ts';
import { respond, streamOf } from './support.ts';

const TOOLS = [
  { type: 'function', name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: true },
  { type: 'custom', name: 'patch', description: 'Patches.' },
  { type: 'namespace', name: 'git', description: '', tools: [{ type: 'function', name: 'log' }] },
] as const;
/** By the name of a function: the tool that it stands for. */
const BY_FUNCTION: Readonly<Record<string, JsonObject>> = {
  look: { type: 'function_call', name: 'look' },
  patch: { type: 'custom_tool_call', name: 'patch' },
  git__log: { type: 'function_call', name: 'log', namespace: 'git' },
};

const anyText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });

const part = fc.oneof(
  anyText.map((text) => ({ type: 'input_text', text })),
  fc
    .record({ url: fc.webUrl(), detail: fc.constantFrom('low', 'high', undefined) })
    .map(({ url, detail }) => ({
      type: 'input_image',
      image_url: url,
      ...(detail === undefined ? {} : { detail }),
    })),
  anyText.map((name) => ({
    type: 'input_file',
    filename: name,
    file_data: 'data:application/pdf;base64,AA==',
  })),
);

/** One text alone is that text. */
const content = fc.oneof(anyText, fc.array(part, { minLength: 2, maxLength: 3 }));

const said = fc
  .record({ role: fc.constantFrom('user', 'system', 'developer'), content })
  .map((message): JsonObject[] => [{ type: 'message', ...message }]);

const tool = fc.constantFrom('look', 'patch', 'git__log');
const call = fc.record({ tool, given: anyText, result: anyText });

/** A turn of the assistant: thoughts, a text, and calls with their results, all of which may be missing. */
const turn = fc
  .record({
    thoughts: fc.option(anyText, { nil: undefined }),
    text: fc.option(anyText, { nil: undefined }),
    calls: fc.array(call, { minLength: 1, maxLength: 3 }),
  })
  .map(({ thoughts, text, calls }): JsonObject[] => [
    ...(thoughts === undefined
      ? []
      : [{ type: 'reasoning', summary: [{ type: 'summary_text', text: thoughts }] }]),
    ...(text === undefined ? [] : [{ type: 'message', role: 'assistant', content: text }]),
    ...calls.map(({ tool: name, given }, index) => {
      const base = BY_FUNCTION[name] ?? {};
      const input = base['type'] === 'custom_tool_call' ? { input: given } : { arguments: given };
      return { ...base, call_id: `call_${index}`, ...input };
    }),
    ...calls.map(({ tool: name, result }, index) => ({
      type: name === 'patch' ? 'custom_tool_call_output' : 'function_call_output',
      call_id: `call_${index}`,
      output: result,
    })),
  ]);

const request = fc.record(
  {
    input: fc.array(fc.oneof(said, turn), { minLength: 1, maxLength: 5 }).map((items) => items.flat()),
    tools: fc.constant(TOOLS),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    max_output_tokens: fc.integer({ min: 1, max: 9999 }),
    parallel_tool_calls: fc.boolean(),
    reasoning: fc.record({ effort: fc.constantFrom('low', 'high') }),
    text: fc.record({
      format: fc.record({
        type: fc.constant('json_schema'),
        name: fc.constant('answer'),
        schema: fc.dictionary(anyText, fc.integer()),
        strict: fc.boolean(),
      }),
    }),
    stop: fc.array(anyText, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ['input', 'tools'] },
);

function partBack(one: unknown): JsonObject {
  const { type, text, image_url: image, file } = isJsonObject(one) ? one : {};
  if (type === 'text') return { type: 'input_text', text };
  if (type === 'file') return { type: 'input_file', ...(isJsonObject(file) ? file : {}) };
  const { url, ...detail } = isJsonObject(image) ? image : {};
  return { type: 'input_image', image_url: url, ...detail };
}

function contentBack(value: unknown): unknown {
  return Array.isArray(value) ? value.map(partBack) : value;
}

/** The items that a message was made of, by rules of this test. */
function itemsBack(message: ChatMessage, toolOf: Map<unknown, unknown>): readonly JsonObject[] {
  const { role, reasoning_content: thoughts, tool_call_id: id, content: value } = message;
  if (role === 'tool') {
    const type = toolOf.get(id) === 'patch' ? 'custom_tool_call_output' : 'function_call_output';
    return [{ type, call_id: id, output: value }];
  }
  if (role !== 'assistant') return [{ type: 'message', role, content: contentBack(value) }];
  const calls = elementsOf(message.tool_calls).map((one) => {
    const called = member(one, 'function');
    const name = String(member(called, 'name'));
    toolOf.set(member(one, 'id'), name);
    const given = member(called, 'arguments');
    const base = BY_FUNCTION[name] ?? {};
    const input =
      name === 'patch' ? { input: member(JSON.parse(String(given)), 'input') } : { arguments: given };
    return { ...base, call_id: member(one, 'id'), ...input };
  });
  return [
    ...(thoughts === undefined
      ? []
      : [{ type: 'reasoning', summary: [{ type: 'summary_text', text: thoughts }] }]),
    ...(value === null ? [] : [{ type: 'message', role, content: value }]),
    ...calls,
  ];
}

function fieldsBack({ fields }: Pick<ChatCall, 'fields'>): JsonObject {
  const {
    max_tokens: limit,
    reasoning_effort: effort,
    response_format: format,
    tools: _tools,
    ...same
  } = fields;
  const schema = member(format, 'json_schema');
  return {
    ...same,
    ...(limit === undefined ? {} : { max_output_tokens: limit }),
    ...(effort === undefined ? {} : { reasoning: { effort } }),
    ...(isJsonObject(schema) ? { text: { format: { type: 'json_schema', ...schema } } } : {}),
  };
}

/** Parts as they come: thoughts, then a text, then calls, which are whole. */
const streamed = fc
  .record({
    thoughts: fc.array(anyText, { maxLength: 3 }),
    texts: fc.array(anyText, { maxLength: 4 }),
    calls: fc.array(fc.record({ tool, given: anyText, signature: fc.option(anyText, { nil: undefined }) }), {
      maxLength: 3,
    }),
    details: fc.option(anyText, { nil: undefined }),
    reason: fc.constantFrom('stop', 'length', 'content_filter', 'tool_calls'),
  })
  .map(({ thoughts, texts, calls, details, reason }): readonly StreamPart[] => [
    ...thoughts.map((text) => ({ type: 'reasoning', text }) as const),
    ...(details === undefined
      ? []
      : [{ type: 'extra', fields: { reasoning_details: [{ type: 'x', data: details }] } } as const]),
    ...texts.map((text) => ({ type: 'text', text }) as const),
    ...calls.map(({ tool: name, given, signature }, index) => ({
      type: 'tool-call' as const,
      index,
      id: `call_${index}`,
      name,
      argumentsDelta: name === 'patch' ? JSON.stringify({ input: given }) : given,
      ...(signature === undefined ? {} : { extra: { extra_content: { signature } } }),
    })),
    { type: 'usage', usage: { promptTokens: 3, completionTokens: 4, totalTokens: 7 } },
    { type: 'finish', reason },
  ]);

function wholeOf(parts: readonly StreamPart[]): Partial<Answer> {
  const collector = new PartCollector();
  for (const one of parts) collector.add(one);
  const { reasoning, usage, finishReason, ...rest } = collector.answer();
  return { ...rest, reasoning, usage, finishReason, raw: collector.raw() };
}

describe('the translation', () => {
  it('keeps everything of a request that is not listed as lost', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (body) => {
        const { call: asked, body: refusal } = await respond(body);
        if (asked === undefined) throw new Error(JSON.stringify(refusal));
        const toolOf = new Map<unknown, unknown>();
        const { tools: _tools, ...others } = body;
        expect({
          ...fieldsBack(asked),
          input: asked.messages.flatMap((message) => itemsBack(message, toolOf)),
        }).toEqual(others);
      }),
      { numRuns: 100 },
    );
  });

  it('says the same in a stream as in a whole answer', async () => {
    await fc.assert(
      fc.asyncProperty(streamed, async (parts) => {
        const body = { input: 'x', tools: TOOLS };
        const events = await streamOf(body, { parts });
        const { body: whole } = await respond(body, { answer: wholeOf(parts) });
        expect(events.at(-1)?.data['response']).toEqual(whole);
      }),
      { numRuns: 100 },
    );
  });
});
