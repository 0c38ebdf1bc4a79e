/** Names from outside that every object inherits: they are names like any others, in all places that hold one. */

import { describe, expect, it } from 'vitest';
import { type ChatInput, type ChatOptions, type FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { ask, CHAT, gatewayOver } from '../gateway/support.ts';
import { bodyOf, type Handler, json, serve } from '../support/server.ts';
import { open, recorder } from './support.ts';

const NAMES = ['constructor', '__proto__', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

/** Serves the first request, and then has the model no more, so that a failure is recorded for the name, too. */
function answers(name: string): Handler {
  let count = 0;
  return (_request, response) => {
    count += 1;
    if (count === 2) {
      json(response, { error: { message: `The model ${name} does not exist`, param: name } }, 404);
      return;
    }
    const call = { id: name, type: 'function', function: { name, arguments: `{"${name}":"a"}` } };
    const message = { role: 'assistant', content: null, tool_calls: [call], [name]: { cited: 1 } };
    response.setHeader(name, 'x');
    json(response, {
      choices: [{ index: 0, message, finish_reason: 'tool_calls', [name]: 1 }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, [name]: 1 },
      [name]: 1,
    });
  };
}

/** A request with the name wherever a caller can put one. */
interface Fields {
  readonly [field: string]: unknown;
  readonly tools: readonly object[];
  readonly tool_choice: object;
  readonly logit_bias: Readonly<Record<string, number>>;
}

function requestWith(name: string): { readonly fields: Fields; readonly messages: readonly object[] } {
  const parameters = { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] };
  return {
    fields: {
      tools: [{ type: 'function', function: { name, parameters } }],
      tool_choice: { type: 'function', function: { name } },
      logit_bias: { [name]: 1 },
      metadata: { [name]: name },
      [name]: { of: 'mine' },
    },
    messages: [
      { role: 'user', name, content: 'Hello', [name]: 1 },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: name, type: 'function', function: { name, arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: name, content: 'done' },
    ],
  };
}

describe.each(NAMES)('%s', (name) => {
  it('as provider, account, model, header, tool, field, in a body and in an answer', async () => {
    const server = await serve(answers(name));
    const providerName = name.toLowerCase().replace(/^_+/, '');
    const { events, onEvent } = recorder();
    const provider = new OpenAICompatible(
      { key: 'key-one', account: name },
      { name: providerName, baseUrl: `${server.url}/v1`, models: [name, 'other'], headers: { [name]: 'x' } },
    );
    const llm = open({ onEvent, providers: [provider] });
    const gateway = await gatewayOver(llm);
    const { fields, messages } = requestWith(name);
    const body = JSON.stringify({ model: name, ...fields, messages });
    const answered = [await ask(gateway, { path: CHAT, body })];
    const sent = server.requests.at(-1);
    const chain = JSON.stringify({ ...fields, messages, freelm: { model: [name, 'other'] } });
    answered.push(await ask(gateway, { path: CHAT, body: chain }));
    expect(answered.map(({ status, headers }) => [status, headers['x-freelm-model']])).toEqual([
      [200, name],
      [200, 'other'],
    ]);
    for (const { text } of answered) {
      expect(JSON.parse(text)).toMatchObject({
        choices: [{ message: { tool_calls: [{ function: { name } }] } }],
      });
      expect(text).toContain(`"${name}":{"cited":1}`);
    }
    expect(sent?.rawHeaders).toContain(name.toLowerCase());
    expect(sent === undefined ? {} : bodyOf(sent)).toEqual(JSON.parse(body.replace('{', '{"stream":false,')));
    expect(server.requests).toHaveLength(3);
    expect(llm.health()).toMatchObject([{ provider: providerName, account: name, ready: true }]);
    expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
  });

  /** What a program gets of an answer: its tool call, and all that it holds. */
  type Answered = Pick<Awaited<ReturnType<FreeLLM['chat']>>, 'provider' | 'model' | 'toolCalls' | 'raw'>;
  type Ask = (llm: FreeLLM, input: ChatInput, options: ChatOptions) => Promise<Answered>;

  it.each<readonly [how: string, call: Ask]>([
    ['chat()', (llm, input, options) => llm.chat(input, options)],
    ['stream()', (llm, input, options) => llm.stream(input, options).response()],
  ])('as account, model, tool and field of %s', async (_how, call) => {
    const server = await serve(answers(name));
    const provider = new OpenAICompatible(
      { key: 'key-one', account: name },
      { name: name.toLowerCase().replace(/^_+/, ''), baseUrl: `${server.url}/v1`, models: [name, 'other'] },
    );
    const llm = open({ providers: [provider] });
    const { fields, messages } = requestWith(name);
    const { tools, tool_choice, logit_bias, ...extraBody } = fields;
    const options = { model: [name, 'other'], tools, tool_choice, logit_bias, extraBody };
    // @ts-expect-error -- their roles are texts here
    const input: ChatInput = messages;
    const answered = [await call(llm, input, options), await call(llm, input, options)];
    expect(answered.map(({ model }) => model)).toEqual([name, 'other']);
    for (const { toolCalls, raw } of answered) {
      expect(toolCalls).toMatchObject([{ function: { name, arguments: `{"${name}":"a"}` } }]);
      const [first] = toolCalls;
      expect(JSON.stringify(first?.arguments)).toBe(`{"${name}":"a"}`);
      expect(JSON.stringify(raw)).toContain(`"${name}":{"cited":1}`);
    }
    expect(server.requests.map(bodyOf)).toMatchObject([{ metadata: {} }, {}, {}]);
    for (const sent of server.requests.map(bodyOf)) expect(Object.keys(sent)).toContain(name);
    expect(llm.explain({ model: name })).toMatchObject([{ model: name, account: name }]);
    await llm.reset();
    expect((await call(llm, input, options)).model).toBe(name);
  });

  it('as a model of embeddings', async () => {
    const server = await serve((_request, response) => {
      json(response, { data: [{ index: 0, embedding: [1, 2], [name]: 1 }], model: name, [name]: 1 });
    });
    const llm = open({
      providers: [
        new OpenAICompatible('key-one', {
          name: 'mine',
          baseUrl: `${server.url}/v1`,
          models: [{ id: name, kind: 'embedding' }],
        }),
      ],
    });
    expect(await llm.embed('Hello', { model: name })).toMatchObject({ model: name });
  });
});
