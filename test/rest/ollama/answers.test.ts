/** How answers, errors and models look in Ollama's API. */

import { describe, expect, it } from 'vitest';
import { type JsonObject, member } from '../../../src/core/json.ts';
import { BadRequestError, DeadlineError, NoProvidersAvailableError } from '../../../src/errors.ts';
import type { StreamPart } from '../../../src/wire/response/stream-part.ts';
import { freelmHeaders, NOW, scripted } from '../support.ts';
import { CHAT, GENERATE, linesOf, posted } from './support.ts';

const CALL = {
  id: 'c1',
  type: 'function',
  function: { name: 'weather', arguments: '{"city":"Oslo"}' },
} as const;
const PARTS: readonly StreamPart[] = [
  { type: 'reasoning', text: 'Hm.' },
  { type: 'text', text: 'Let me ' },
  { type: 'text', text: 'look.' },
  { type: 'extra', fields: { reasoning_details: [{ signature: 'sig' }], annotations: [1] } },
  { type: 'tool-call', index: 0, id: 'c1', name: 'weather', argumentsDelta: '{"city":' },
  { type: 'tool-call', index: 0, id: 'c1', name: 'weather', argumentsDelta: '"Oslo"}' },
  { type: 'usage', usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } },
  { type: 'finish', reason: 'tool_calls' },
];
const ANSWER = {
  text: 'Let me look.',
  reasoning: 'Hm.',
  toolCalls: [CALL],
  finishReason: 'tool_calls',
  raw: { choices: [{ message: { reasoning_details: [{ signature: 'sig' }], annotations: [1] } }] },
};
const HEAD = { model: 'z-ai/glm-5.3', created_at: new Date(NOW).toISOString() };
const END = {
  done: true,
  done_reason: 'stop',
  total_duration: 1_000_000,
  load_duration: 0,
  prompt_eval_count: 3,
  prompt_eval_duration: 1_000_000,
  eval_count: 2,
  eval_duration: 1_000_000,
};
const CALLED = [{ id: 'c1', function: { index: 0, name: 'weather', arguments: { city: 'Oslo' } } }];

describe('an answer', () => {
  it('whole: a message, with calls whose arguments are objects', async () => {
    const { response } = await posted(CHAT, { stream: false }, { answer: ANSWER });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(freelmHeaders(response)).toMatchObject({ 'x-freelm-provider': 'nim', 'x-freelm-attempts': '2' });
    expect(await response.json()).toEqual({
      ...HEAD,
      message: {
        role: 'assistant',
        content: 'Let me look.',
        thinking: 'Hm.',
        tool_calls: CALLED,
        reasoning_details: [{ signature: 'sig' }],
        extra_content: { freelm: { 'nim/z-ai/glm-5.3': true } },
      },
      ...END,
    });
  });

  it('in lines, unless the request says otherwise', async () => {
    const { response } = await posted(CHAT, {}, { parts: PARTS });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const message = (more: JsonObject): JsonObject => ({
      ...HEAD,
      message: { role: 'assistant', content: '', ...more },
      done: false,
    });
    expect(await linesOf(response)).toEqual([
      message({ thinking: 'Hm.' }),
      message({ content: 'Let me ' }),
      message({ content: 'look.' }),
      message({ tool_calls: CALLED, reasoning_details: [{ signature: 'sig' }] }),
      { ...HEAD, message: { role: 'assistant', content: '' }, ...END },
    ]);
  });

  it('of the older form: texts', async () => {
    const whole = await posted(GENERATE, { stream: false }, { answer: { ...ANSWER, toolCalls: [] } });
    expect(await whole.response.json()).toEqual({
      ...HEAD,
      response: 'Let me look.',
      thinking: 'Hm.',
      ...END,
    });
    const parts = PARTS.filter(({ type }) => type !== 'tool-call' && type !== 'extra');
    const lines = await linesOf((await posted(GENERATE, {}, { parts })).response);
    expect(lines).toEqual([
      { ...HEAD, response: '', thinking: 'Hm.', done: false },
      { ...HEAD, response: 'Let me ', done: false },
      { ...HEAD, response: 'look.', done: false },
      { ...HEAD, response: '', ...END },
    ]);
  });

  it('has no thoughts for a client that wants none', async () => {
    const whole = await posted(CHAT, { think: false, stream: false }, { answer: ANSWER });
    const lines = await posted(CHAT, { think: false }, { parts: PARTS });
    for (const { response } of [whole, lines]) expect(await response.text()).not.toContain('Hm.');
  });

  it('that was cut by its length says so', async () => {
    const answer = { finishReason: 'length' };
    const whole = await posted(CHAT, { stream: false }, { answer });
    expect(await whole.response.json()).toMatchObject({ done_reason: 'length' });
    const lines = await posted(CHAT, {}, { parts: [{ type: 'finish', reason: 'length' }] });
    expect((await linesOf(lines.response)).at(-1)).toMatchObject({ done_reason: 'length' });
  });

  it('has the probabilities of its tokens, if they were asked for', async () => {
    const content = [{ token: 'Hi', logprob: -0.1, bytes: null, top_logprobs: [] }];
    const raw = { choices: [{ message: { content: 'Hi' }, logprobs: { content } }] };
    const { response } = await posted(CHAT, { logprobs: true, stream: false }, { answer: { raw } });
    expect(await response.json()).toMatchObject({ logprobs: content });
  });
});

const ERRORS = [
  [
    'a prompt that no model takes',
    400,
    new BadRequestError({
      message: 'Shorten it.',
      code: 'context_too_long',
      length: { promptTokens: 900, contextLength: 500 },
    }),
    'the input length exceeds the context length: 900 tokens > 500. Shorten it.',
  ],
  ['no time left', 504, new DeadlineError(10, []), 'No answer within timeoutMs = 10 ms'],
] as const;

describe('an error', () => {
  it.each(ERRORS)('for %s has the status %i', async (_what, status, error, text) => {
    const { response } = await posted(CHAT, { stream: false }, { answer: error });
    expect(response.status).toBe(status);
    expect(String(member(await response.json(), 'error'))).toContain(text);
  });

  it('in a stream is its last line', async () => {
    const error = new NoProvidersAvailableError({
      message: 'All are down.',
      keys: [],
      readyAt: undefined,
      attempts: [],
    });
    const { response } = await posted(CHAT, {}, { parts: [{ type: 'text', text: 'He' }, error] });
    const lines = await linesOf(response);
    expect(lines).toHaveLength(2);
    expect(lines.at(-1)).toMatchObject({ error: 'All are down.' });
  });

  it('has no key', async () => {
    const { response } = await posted(CHAT, { think: 'sk-secret', format: 'sk-secret' });
    expect(await response.text()).not.toContain('sk-secret');
  });
});

describe('the models', () => {
  const offered = [
    { id: 'z-ai/glm-5.3', provider: 'nim', tags: ['chat', 'tools', 'reasoning'], ctx: 131_072 },
    { id: 'eyes', provider: 'mine', tags: ['chat', 'vision'] },
    { id: 'vectors', provider: 'mine', kind: 'embedding', tags: [] },
  ] as const;

  it('are listed, the virtual ones first', async () => {
    const response = await scripted({ offered }).fetch('/api/tags');
    expect(await response.json()).toMatchObject({
      models: [
        { name: 'auto', model: 'auto', capabilities: ['completion', 'tools', 'vision', 'thinking'] },
        { name: 'chat' },
        { name: 'tools', capabilities: ['completion', 'tools', 'thinking'] },
        { name: 'vision' },
        { name: 'reasoning' },
        { name: 'z-ai/glm-5.3', size: 0, details: { family: 'nim', context_length: 131_072 } },
        { name: 'eyes', capabilities: ['completion', 'vision'] },
        { name: 'vectors', capabilities: ['embedding'] },
      ],
    });
  });

  it.each([
    ['z-ai/glm-5.3', { 'general.architecture': 'nim', 'nim.context_length': 131_072 }],
    ['z-ai/glm-5.3:latest', { 'nim.context_length': 131_072 }],
    ['auto', { 'general.architecture': 'freelm' }],
    ['gpt-4o', { 'general.basename': 'gpt-4o' }],
  ])('are shown: %s', async (model, info) => {
    for (const body of [{ model }, { name: model }]) {
      const response = await scripted({ offered }).post(body, '/api/show');
      expect(await response.json()).toMatchObject({ model_info: info });
    }
  });

  it('are not shown where there is none of that name', async () => {
    const response = await scripted({ offered }).post({ model: 'nothing' }, '/api/show');
    expect([response.status, await response.json()]).toEqual([
      404,
      { error: "model 'nothing' not found", code: 'model_not_found' },
    ]);
    expect((await scripted().post({}, '/api/show')).status).toBe(400);
  });
});

it('the version is that of an Ollama with this API', async () => {
  const response = await scripted().fetch('/api/version');
  expect(await response.json()).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as unknown });
});
