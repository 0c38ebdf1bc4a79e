/** A conversation that no model can hold is refused in the words by which agents know it, so that they shorten it. */

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { type FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { endpoint, open } from '../client/support.ts';
import { json, posted, says, serve } from '../support/server.ts';
import { rejection } from '../support/rejection.ts';

const WINDOW = 4096;
const LONG = 'many words in a long conversation '.repeat(2000);

function small(url: string): OpenAICompatible {
  const models = [
    { id: 'a', ctx: 2048, tags: ['chat', 'large', 'tools'] },
    { id: 'b', ctx: WINDOW, tags: ['chat', 'large', 'tools'] },
    { id: 'c', tags: ['chat'] },
  ];
  return new OpenAICompatible(['k'], { name: 'mine', baseUrl: url, models, discover: false });
}

async function lengthOf(name: string, options: object): Promise<unknown> {
  const server = await serve(says('Hi'));
  const llm = open({ providers: [small(server.url)], ...options });
  const response = await llm.fetch(`/v1/models/${name}`);
  return response.json();
}

describe('a prompt that is longer than all models hold', () => {
  it('is refused by the Messages API with both numbers, and nothing is sent', async () => {
    const server = await serve(says('Hi'));
    const { fetch } = open({ providers: [small(server.url)] });
    const { messages } = new Anthropic({ apiKey: 'any', baseURL: 'http://freelm.invalid', fetch });
    const body = { model: 'large', messages: [{ role: 'user' as const, content: LONG }] };
    const { input_tokens: counted } = await messages.countTokens(body);
    const error = await rejection(messages.create({ ...body, max_tokens: 10 }));
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(String(error)).toContain(`prompt is too long: ${counted} tokens > ${WINDOW} maximum`);
    expect(posted(server)).toEqual([]);
  });

  it.each([false, true])('is refused as OpenAI does; streamed: %s', async (stream) => {
    const server = await serve(says('Hi'));
    const { fetch } = open({ providers: [small(server.url)] });
    const { chat } = new OpenAI({ apiKey: 'any', fetch });
    const messages = [{ role: 'user' as const, content: LONG }];
    const error = await rejection(
      Promise.resolve(chat.completions.create({ model: 'large', messages, stream })),
    );
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded' });
    expect(String(error)).toContain(`This model's maximum context length is ${WINDOW} tokens. However`);
  });

  it('is refused with what the provider says of its length', async () => {
    const server = await serve((_request, response) => {
      const message =
        "This model's maximum context length is 1000 tokens. However, your messages resulted in 5000 tokens.";
      json(response, { error: { message, code: 'context_length_exceeded' } }, 400);
    });
    const { fetch } = open({ providers: [endpoint(server)] });
    const { messages } = new Anthropic({ apiKey: 'any', baseURL: 'http://freelm.invalid', fetch });
    const body = { model: 'auto', max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hello' }] };
    const error = await rejection(messages.create(body));
    expect(String(error)).toContain('prompt is too long: 1001 tokens > 1000 maximum');
  });
});

describe('the context length that clients are told', () => {
  it.each([
    ['the smallest of the models', 'large', {}, 2048],
    ['that of the model', 'b', {}, WINDOW],
    ['that of what stands in for the name', 'claude-opus-5-5', {}, 2048],
    ["that of the user's own map", 'o3', { modelMap: { o3: 'b' } }, WINDOW],
    ["the user's, for names of several models", 'large', { contextTokens: 100_000 }, 100_000],
    ['none, if none is known', 'c', {}, undefined],
  ])('is %s', async (_what, name, options, expected) => {
    const model = await lengthOf(name, options);
    expect(model).toMatchObject({ id: name });
    expect(Reflect.get(Object(model), 'context_length')).toBe(expected);
  });
});

/** By path: a request with one text, and the words by which its clients know that it is too long. */
const REQUESTS: readonly (readonly [path: string, body: (text: string) => object, words: RegExp])[] = [
  [
    '/v1/chat/completions',
    (content) => ({ messages: [{ role: 'user', content }] }),
    /"This model's maximum context length is 1000 tokens\. However, your messages resulted in \d+ tokens\..*"code":"context_length_exceeded"/,
  ],
  [
    '/v1/completions',
    (prompt) => ({ prompt }),
    /"This model's maximum context length is 1000 tokens\..*"code":"context_length_exceeded"/,
  ],
  [
    '/v1/responses',
    (input) => ({ input }),
    /context_length_exceeded.*maximum context length is 1000 tokens|maximum context length is 1000 tokens.*context_length_exceeded/,
  ],
  [
    '/v1/messages',
    (content) => ({ max_tokens: 9, messages: [{ role: 'user', content }] }),
    /"invalid_request_error","message":"prompt is too long: \d+ tokens > 1000 maximum/,
  ],
  [
    '/api/chat',
    (content) => ({ messages: [{ role: 'user', content }] }),
    /"error":"the input length exceeds the context length: \d+ tokens > 1000\./,
  ],
  ['/api/generate', (prompt) => ({ prompt }), /"error":"the input length exceeds the context length/],
];
/** More than 1,000 tokens, and fewer than the models hold. */
const TOLD = 'many words in a long conversation '.repeat(200);

describe.each(REQUESTS)(
  'a prompt that is longer than the window that clients were told: %s',
  (path, body, words) => {
    const post = (llm: FreeLLM, model: string, text: string, stream: boolean): Promise<Response> =>
      llm.fetch(path, { method: 'POST', body: JSON.stringify({ model, stream, ...body(text) }) });

    it.each([false, true])('is refused in the words of the protocol; streamed: %s', async (stream) => {
      const server = await serve(says('Hi'));
      const llm = open({ providers: [small(server.url)], contextTokens: 1000 });
      const refused = await post(llm, 'large', TOLD, stream);
      // A stream of Responses begins before it says so.
      expect(refused.status).toBe(stream && path === '/v1/responses' ? 200 : 400);
      expect(await refused.text()).toMatch(words);
      expect(posted(server)).toEqual([]);
      expect(await (await post(llm, 'large', 'Hello', stream)).text()).toContain('Hi');
      // A model of its own name has the window that lists show of it.
      expect(await (await post(llm, 'b', TOLD, stream)).text()).toContain('Hi');
    });

    it('is served where clients were told of no window', async () => {
      const server = await serve(says('Hi'));
      const llm = open({ providers: [small(server.url)] });
      expect(await (await post(llm, 'large', TOLD, false)).text()).toContain('Hi');
    });
  },
);
