/** A conversation that no model can hold is refused in the words by which agents know it, so that they shorten it. */

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { OpenAICompatible } from '../../src/index.ts';
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
