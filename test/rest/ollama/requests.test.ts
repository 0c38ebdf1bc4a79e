/** What of a request of Ollama's API becomes what of a call. */

import { describe, expect, it } from 'vitest';
import { type JsonObject, member } from '../../../src/core/json.ts';
import { BEGINNINGS } from '../../support/images.ts';
import { CHAT, GENERATE, posted, user } from './support.ts';

function base64(type: string): string {
  return Buffer.from(BEGINNINGS[type] ?? []).toString('base64');
}

function called(name: string, input: JsonObject, more: JsonObject = {}): JsonObject {
  return { ...more, function: { name, arguments: input } };
}

interface Row {
  readonly name: string;
  readonly path?: string;
  readonly body: JsonObject;
  readonly messages?: readonly JsonObject[];
  readonly fields?: JsonObject;
  readonly leftOut?: string;
}

const TOOL = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } };
const SCHEMA = { type: 'object', properties: { age: { type: 'integer' } } };

const ROWS: readonly Row[] = [
  { name: 'a chat', body: {}, messages: [user('Hi')], fields: {} },
  {
    name: 'roles in capitals',
    body: { messages: [{ role: 'User', content: 'Hi' }] },
    messages: [user('Hi')],
  },
  {
    name: 'a prompt, with instructions',
    path: GENERATE,
    body: { system: 'Be brief.', raw: true },
    messages: [{ role: 'system', content: 'Be brief.' }, user('Hi')],
    fields: {},
  },
  ...Object.keys(BEGINNINGS).map((type): Row => {
    const url = `data:${type};base64,${base64(type)}`;
    return {
      name: `an image, whose type is found out: ${type}`,
      body: { messages: [user('Which?', { images: [base64(type), url] })] },
      messages: [
        user([
          { type: 'text', text: 'Which?' },
          { type: 'image_url', image_url: { url } },
          { type: 'image_url', image_url: { url } },
        ]),
      ],
    };
  }),
  {
    name: 'an image with a prompt',
    path: GENERATE,
    body: { images: [base64('image/png')] },
    messages: [
      user([
        { type: 'text', text: 'Hi' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${base64('image/png')}` } },
      ]),
    ],
  },
  {
    name: 'thoughts, calls, and results that belong to them by name, by id and by their order',
    body: {
      tools: [TOOL],
      messages: [
        user('Hi'),
        {
          role: 'assistant',
          content: '',
          thinking: 'Hm.',
          tool_calls: [
            called('weather', { city: 'Oslo' }),
            called('time', { city: 'Rome' }),
            called('weather', { city: 'Bonn' }, { id: 'mine', extra_content: { google: 1 }, odd: true }),
            called('weather', { city: 'Kyiv' }),
          ],
        },
        { role: 'tool', tool_name: 'time', content: 'noon' },
        { role: 'tool', tool_call_id: 'mine', content: 'fog' },
        { role: 'tool', tool_name: 'weather', content: 'snow' },
        { role: 'tool', content: 'rain' },
      ],
    },
    messages: [
      user('Hi'),
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'Hm.',
        tool_calls: [
          { id: 'call_1_0', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
          { id: 'call_1_1', type: 'function', function: { name: 'time', arguments: '{"city":"Rome"}' } },
          {
            id: 'mine',
            extra_content: { google: 1 },
            type: 'function',
            function: { name: 'weather', arguments: '{"city":"Bonn"}' },
          },
          { id: 'call_1_3', type: 'function', function: { name: 'weather', arguments: '{"city":"Kyiv"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1_1', content: 'noon' },
      { role: 'tool', tool_call_id: 'mine', content: 'fog' },
      { role: 'tool', tool_call_id: 'call_1_0', content: 'snow' },
      { role: 'tool', tool_call_id: 'call_1_3', content: 'rain' },
    ],
    fields: { tools: [TOOL] },
  },
  {
    name: 'options for the model; those of the runner mean nothing here, and others are left out',
    body: {
      keep_alive: '5m',
      truncate: true,
      shift: false,
      template: '{{ .Prompt }}',
      options: {
        temperature: 0,
        top_p: 0.9,
        top_k: 20,
        seed: 42,
        num_predict: 100,
        stop: ['\n'],
        presence_penalty: 1,
        frequency_penalty: null,
        num_ctx: 8192,
        num_gpu: 1,
        mirostat: 1,
      },
    },
    fields: {
      temperature: 0,
      top_p: 0.9,
      top_k: 20,
      seed: 42,
      max_tokens: 100,
      stop: ['\n'],
      presence_penalty: 1,
    },
    leftOut: 'template, options.mirostat',
  },
  { name: 'an answer without an end', body: { options: { num_predict: -1 } }, fields: {} },
  { name: 'JSON', body: { format: 'json' }, fields: { response_format: { type: 'json_object' } } },
  { name: 'no format', body: { format: '' }, fields: {} },
  {
    name: 'a schema',
    path: GENERATE,
    body: { format: SCHEMA },
    fields: {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: SCHEMA, strict: true },
      },
    },
  },
  { name: 'thinking', body: { think: true }, fields: {} },
  { name: 'no thinking', body: { think: false }, fields: { reasoning_effort: 'low' } },
  { name: 'much thinking', body: { think: 'max' }, fields: { reasoning_effort: 'high' } },
  {
    name: 'probabilities of tokens',
    body: { logprobs: true, top_logprobs: 3 },
    fields: { logprobs: true, top_logprobs: 3 },
  },
];

describe.each([false, true])('a request; streamed: %s', (stream) => {
  it.each(ROWS.map((row) => [row.name, row] as const))('with %s', async (_name, row) => {
    const { path = CHAT, body, messages, fields, leftOut = null } = row;
    const { response, calls } = await posted(path, { ...body, stream });
    expect(response.status).toBe(200);
    if (messages !== undefined) expect(calls[0]?.messages).toEqual(messages);
    if (fields !== undefined) expect(calls[0]?.fields).toEqual(fields);
    expect(response.headers.get('x-freelm-left-out')).toBe(leftOut);
  });
});

describe('the name of a model', () => {
  const offered = [{ id: 'qwen3:latest', provider: 'mine' }];

  it.each([
    ['auto:latest', 'auto'],
    ['chat:fast', 'chat:fast'],
    ['qwen3:latest', 'qwen3:latest'],
  ])('%s asks for %s', async (model, name) => {
    expect((await posted(CHAT, { model, stream: false }, { offered })).calls[0]?.model).toBe(name);
  });
});

const REFUSED: readonly (readonly [path: string, body: JsonObject | string, start: string])[] = [
  [CHAT, '', 'The request has no body'],
  [CHAT, '[]', 'The request has a body that is no JSON object'],
  [CHAT, { model: '' }, 'model: must not be empty'],
  [CHAT, { messages: {} }, 'messages: must be a list of messages'],
  [CHAT, { messages: ['Hi'] }, 'messages[0]: must be a message'],
  [CHAT, { messages: [{ role: 'developer', content: '' }] }, 'messages[0].role: must be'],
  [CHAT, { messages: [user(['Hi'])] }, 'messages[0].content: must be a text'],
  [CHAT, { messages: [user('', { images: 'a' })] }, 'messages[0].images: must be a list'],
  [CHAT, { messages: [user('', { images: [1] })] }, 'messages[0].images[0]: must be an image'],
  [CHAT, { messages: [user('', { images: ['AAAA'] })] }, 'messages[0].images[0]: must be a PNG'],
  [CHAT, { messages: [user('', { audios: ['AAAA'] })] }, 'messages[0].audios: is not taken here'],
  [CHAT, { messages: [{ role: 'tool', content: 'snow' }] }, 'messages[0]: no call of a tool'],
  [
    CHAT,
    {
      messages: [
        { role: 'assistant', content: '', tool_calls: [{ function: { name: 'a', arguments: '{}' } }] },
      ],
    },
    'messages[0].tool_calls[0].function.arguments: must be an object',
  ],
  [CHAT, { format: 'xml' }, 'format: must be "json" or a JSON schema'],
  [CHAT, { think: 'deeply' }, 'think: must be'],
  [CHAT, { freelm: [] }, 'freelm: must be an object'],
  [GENERATE, { prompt: 1 }, 'prompt: must be a text'],
  [GENERATE, { suffix: 'return' }, 'suffix: is not available'],
];

describe('a request that cannot be read', () => {
  it.each(REFUSED)('%s %j: %s', async (path, body, start) => {
    const { response, calls } = await posted(path, body);
    expect(response.status).toBe(400);
    const error = String(member(await response.json(), 'error'));
    expect(error.slice(0, start.length)).toBe(start);
    expect(calls).toEqual([]);
  });
});

describe('a request without a prompt', () => {
  it.each([
    [CHAT, { messages: [] }, 'load'],
    [CHAT, { messages: [], keep_alive: 0 }, 'unload'],
    [GENERATE, { prompt: '' }, 'load'],
    [GENERATE, { prompt: '', keep_alive: 0 }, 'unload'],
  ])('%s %j asks no model: %s', async (path, body, reason) => {
    const { response, calls } = await posted(path, body);
    expect(await response.json()).toMatchObject({ model: 'auto', done: true, done_reason: reason });
    expect(calls).toEqual([]);
  });
});
