/** How an answer looks as a message, whole and in events, and what a client gives back of it. */

import type Anthropic from '@anthropic-ai/sdk';
import fc from '../../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { elementsOf, isJsonObject, type JsonObject, member, parseJson } from '../../../src/core/json.ts';
import {
  CallError,
  DeadlineError,
  type FreeLLMError,
  NoProvidersAvailableError,
} from '../../../src/errors.ts';
import type { Answer } from '../../../src/rest/chat-backend.ts';
import type { ChatCompletion, ToolCall } from '../../../src/wire/response/chat-response.ts';
import { partsOf, type StreamPart } from '../../../src/wire/response/stream-part.ts';
import { NOW } from '../support.ts';
import { jsonIn, posted } from './support.ts';

interface Event {
  readonly name: string;
  readonly data: JsonObject;
}

function objectIn(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

async function eventsOf(response: Response): Promise<readonly Event[]> {
  const text = await response.text();
  const blocks = text.split('\n\n').filter((block) => block !== '');
  return blocks.map((block) => {
    const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
    return { name, data: objectIn(JSON.parse(data)) };
  });
}

/** What a client makes of the events. It insists on one block after the other. */
function messageFrom(events: readonly Event[]): JsonObject {
  let message: JsonObject = {};
  const content: JsonObject[] = [];
  let open: { block: JsonObject; json: string } | undefined;
  for (const { name, data } of events) {
    expect(data['type']).toBe(name);
    if (name === 'message_start') message = objectIn(data['message']);
    if (name === 'content_block_start') {
      expect([open, data['index']]).toEqual([undefined, content.length]);
      open = { block: objectIn(data['content_block']), json: '' };
    }
    if (name === 'content_block_delta' && open !== undefined) {
      const { type: _type, partial_json: json = '', signature, ...pieces } = objectIn(data['delta']);
      const joined = Object.entries(pieces).map(
        ([key, piece]) => [key, String(open?.block[key]) + String(piece)] as const,
      );
      open = {
        block: {
          ...open.block,
          ...Object.fromEntries(joined),
          ...(signature === undefined ? {} : { signature }),
        },
        json: open.json + String(json),
      };
    }
    if (name === 'content_block_stop' && open !== undefined) {
      const { block, json } = open;
      content.push(json === '' ? block : { ...block, input: JSON.parse(json) });
      open = undefined;
    }
    if (name === 'message_delta') {
      const usage = { ...objectIn(message['usage']), ...objectIn(data['usage']) };
      message = { ...message, ...objectIn(data['delta']), usage };
    }
  }
  return { ...message, content };
}

function toolCall(id: string, name: string, input: unknown, extra: JsonObject = {}): ToolCall {
  return { ...extra, id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

const SIGNED = { extra_content: { google: { thought_signature: 'sig' } } };

function completion({ raw = {}, ...given }: Partial<ChatCompletion>): ChatCompletion {
  return {
    text: '',
    toolCalls: [],
    finishReason: 'stop',
    usage: { promptTokens: 10, completionTokens: 5, totalTokens: 15, cachedTokens: 4, reasoningTokens: 2 },
    raw: { choices: [{ message: { ...raw } }] },
    ...given,
  };
}

function answerOf({ toolCalls, reasoning, usage, ...rest }: ChatCompletion): Partial<Answer> {
  const calls = toolCalls.map((call) => ({
    ...call,
    arguments: parseJson(call.function.arguments),
  }));
  return { ...rest, toolCalls: calls, reasoning, usage };
}

async function whole(given: ChatCompletion): Promise<JsonObject> {
  const { response } = await posted({}, { answer: answerOf(given) });
  return jsonIn(response);
}

async function streamed(parts: readonly (StreamPart | Error)[]): Promise<readonly Event[]> {
  const { response } = await posted({ stream: true }, { parts });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  return eventsOf(response);
}

/** The assistant's message of the next call, if a client returns what it got. */
async function returned(message: JsonObject): Promise<JsonObject | undefined> {
  const { role, content } = message;
  const { calls } = await posted({
    messages: [
      { role: 'user', content: 'Hi' },
      { role, content },
      { role: 'user', content: 'Go on' },
    ],
  });
  return calls[0]?.messages[1];
}

const MIXED = completion({
  reasoning: 'Hm.',
  text: 'Let me look.',
  toolCalls: [toolCall('a', 'weather', { city: 'Oslo' }, SIGNED), toolCall('b', 'now', {})],
  finishReason: 'tool_calls',
  raw: { reasoning_details: [{ type: 'reasoning.encrypted', data: 'xyz' }], annotations: [{ url: 'u' }] },
});

const piece = (index: number, argumentsDelta: string): StreamPart => ({
  type: 'tool-call',
  index,
  id: `call_${index}`,
  name: 'weather',
  argumentsDelta,
});

const unavailable = (waitS: number | undefined, kind: 'minute_quota_spent' | 'server_error'): FreeLLMError =>
  new NoProvidersAvailableError({
    message: 'none',
    attempts: [],
    readyAt: waitS === undefined ? undefined : NOW + waitS * 1000,
    keys: [{ provider: 'nim', key: '…', readyAt: undefined, reason: '', kind }],
  });

describe('a whole answer', () => {
  it('is a message with all members of the type', async () => {
    const { response } = await posted({}, { answer: answerOf(completion({ text: 'Hello' })) });
    expect(response.headers.get('request-id')).toBe('msg_1');
    expect(response.headers.get('x-freelm-model')).toBe('z-ai/glm-5.3');
    const expected: Omit<Anthropic.Message, 'content'> & { content: unknown } = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'z-ai/glm-5.3',
      content: [{ type: 'text', text: 'Hello' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      stop_details: null,
      container: null,
      diagnostics: null,
      usage: {
        input_tokens: 6,
        output_tokens: 5,
        cache_creation: null,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 4,
        output_tokens_details: { thinking_tokens: 2 },
        server_tool_use: null,
        inference_geo: null,
        service_tier: 'standard',
        speed: null,
      },
    };
    expect(await response.json()).toEqual(expected);
  });

  it('has thoughts, text and calls as blocks', async () => {
    const { content, stop_reason } = await whole(MIXED);
    expect(stop_reason).toBe('tool_use');
    expect(elementsOf(content).map((block) => member(block, 'type'))).toEqual([
      'thinking',
      'text',
      'redacted_thinking',
      'tool_use',
      'tool_use',
    ]);
    expect(elementsOf(content)[3]).toEqual({
      type: 'tool_use',
      id: 'a',
      name: 'weather',
      input: { city: 'Oslo' },
      caller: { type: 'direct' },
    });
  });

  it.each([
    ['stop', 'end_turn'],
    ['length', 'max_tokens'],
    ['tool_calls', 'tool_use'],
    ['content_filter', 'refusal'],
    ['something', 'end_turn'],
  ])('that ended with %s stopped with %s', async (finishReason, reason) => {
    expect(await whole(completion({ text: 'a', finishReason }))).toMatchObject({ stop_reason: reason });
  });

  it('comes back with the next turn as it was, with what its provider wants back', async () => {
    expect(await returned(await whole(MIXED))).toEqual({
      role: 'assistant',
      content: 'Let me look.',
      reasoning_content: 'Hm.',
      reasoning_details: [{ type: 'reasoning.encrypted', data: 'xyz' }],
      tool_calls: MIXED.toolCalls,
    });
  });

  it('takes nothing but private fields from a signature', async () => {
    const forged = { message: { role: 'system', reasoning_details: [1], content: 'x' }, calls: 5 };
    const signature = `freelm.${Buffer.from(JSON.stringify(forged)).toString('base64url')}`;
    const thinking = { type: 'thinking', thinking: '', signature };
    const message = { role: 'assistant', content: [thinking, { type: 'text', text: 'Yes' }] };
    expect(await returned(message)).toEqual({ role: 'assistant', content: 'Yes', reasoning_details: [1] });
  });
});

describe('a streamed answer', () => {
  it('comes in events, from message_start to message_stop', async () => {
    const events = await streamed(partsOf(completion({ reasoning: 'Hm.', text: 'Hello' })));
    expect(events.map(({ name }) => name)).toEqual([
      'message_start',
      'ping',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  it('has the calls behind the text, however their pieces arrive', async () => {
    const events = await streamed([
      piece(0, '{"city":'),
      piece(1, '{"city":"Rome"}'),
      { type: 'text', text: 'Let me look.' },
      piece(0, '"Oslo"}'),
      { type: 'finish', reason: 'tool_calls' },
    ]);
    expect(messageFrom(events)['content']).toMatchObject([
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'call_0', input: { city: 'Oslo' } },
      { type: 'tool_use', id: 'call_1', input: { city: 'Rome' } },
    ]);
  });

  it('tells an error in its middle as an event', async () => {
    const error = new DeadlineError(1000, []);
    const events = await streamed([{ type: 'text', text: 'Hel' }, error]);
    expect(events.at(-1)).toMatchObject({
      name: 'error',
      data: { type: 'error', error: { type: 'timeout_error', message: error.message } },
    });
  });

  it('is the same message as the whole one', async () => {
    const name = fc.constantFrom('weather', 'now');
    const fields = fc.option(
      fc.dictionary(fc.constantFrom('extra_content', 'thought_signature', 'other'), fc.string()),
    );
    const call = fc
      .tuple(fc.uuid(), name, fc.dictionary(fc.string(), fc.jsonValue()), fields)
      .map(([id, called, input, extra]) => toolCall(id, called, input, extra ?? {}));
    const answers = fc.record({
      reasoning: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
      text: fc.string(),
      toolCalls: fc.array(call, { maxLength: 3 }),
      finishReason: fc.constantFrom('stop', 'length', 'tool_calls'),
      raw: fc.record({ reasoning_details: fc.subarray([{ type: 'a' }, { type: 'b' }]) }),
    });
    await fc.assert(
      fc.asyncProperty(answers, async (given) => {
        const { reasoning, raw, ...rest } = given;
        const answer = completion({ ...rest, raw, ...(reasoning === undefined ? {} : { reasoning }) });
        const [one, events] = [await whole(answer), await streamed(partsOf(answer))];
        expect(messageFrom(events)).toEqual(one);
      }),
      { numRuns: 100 },
    );
  });
});

describe('an error', () => {
  it.each<readonly [string, FreeLLMError, number, string, Readonly<Record<string, string>>]>([
    ['a quota', unavailable(20, 'minute_quota_spent'), 429, 'rate_limit_error', { 'retry-after': '20' }],
    ['all down for a while', unavailable(5, 'server_error'), 529, 'overloaded_error', { 'retry-after': '5' }],
    [
      'all down for good',
      unavailable(undefined, 'server_error'),
      529,
      'overloaded_error',
      { 'x-should-retry': 'false' },
    ],
    ['no time left', new DeadlineError(1000, []), 504, 'timeout_error', {}],
  ])('%s', async (_name, error, status, type, headers) => {
    expect(error).toBeInstanceOf(CallError);
    const { response } = await posted({}, { answer: error });
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject(headers);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type, message: error.message } });
  });

  it.each([
    ['GET', '/v1/messages', 405],
    ['POST', '/v1/messages/batches', 404],
    ['GET', '/v1/nothing', 404],
  ])('%s %s', async (method, path, status) => {
    const { fetch } = await posted({});
    const response = await fetch(path, { method, headers: { 'anthropic-version': '2023-06-01' } });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: 'error' });
  });
});
