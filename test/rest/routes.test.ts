import { describe, expect, it } from 'vitest';
import { MESSAGES, NOW, freelmHeaders, scripted } from './support.ts';

const BODY = { messages: MESSAGES };

describe('the end of the path selects the route, whatever the host and the prefix', () => {
  it.each([
    ['POST', 'https://api.openai.com/v1/chat/completions', 200],
    ['POST', 'http://127.0.0.1:4141/v1/chat/completions?api-version=1', 200],
    ['POST', '/chat/completions/', 200],
    ['post', '/a/b/c/chat/completions', 200],
    ['GET', '/v1/models', 200],
    ['HEAD', '/v1/models', 200],
    ['GET', '/openai/v1/models/', 200],
    ['GET', '/v1/models/auto', 200],
    ['GET', '/v1/models/model-9', 404],
    ['GET', '/v1/models/gpt-9', 200],
    ['POST', '/v1/embeddings', 400],
    ['POST', '/v1/completions', 400],
    ['POST', '/v1/responses/compact', 404],
    ['GET', '/', 404],
    ['GET', '/v1/chat/completions', 405],
    ['DELETE', '/v1/models/auto', 405],
    ['GET', '/v1/embeddings', 405],
  ])('%s %s: %i', async (method, url, status) => {
    const { fetch } = scripted({ offered: [{ id: 'm', provider: 'nim' }] });
    const response = await fetch(url, {
      method,
      ...(method.toUpperCase() === 'POST' ? { body: JSON.stringify(BODY) } : {}),
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json');
  });

  it('a 405 names the method', async () => {
    const response = await scripted().fetch('/v1/chat/completions');
    expect(freelmHeaders(response)).toEqual({ allow: 'POST', 'x-should-retry': 'false' });
    expect(await response.json()).toEqual({
      error: {
        message: '/v1/chat/completions takes POST, not GET.',
        type: 'invalid_request_error',
        param: null,
        code: 'method_not_allowed',
      },
    });
  });

  it('a response to HEAD has no body', async () => {
    expect(await (await scripted().fetch('/v1/models', { method: 'HEAD' })).text()).toBe('');
  });

  it('fetch takes a URL, a Request, and a Request with an init', async () => {
    const { fetch, calls } = scripted();
    const url = 'http://host/v1/chat/completions';
    const init = { method: 'POST', body: JSON.stringify(BODY) };
    await fetch(new URL(url), init);
    await fetch(new Request(url, init));
    await fetch(new Request(url, { method: 'POST', body: 'unused' }), init);
    await fetch(url, { method: 'POST', body: new TextEncoder().encode(init.body) });
    expect(calls.map(({ messages }) => messages)).toEqual([MESSAGES, MESSAGES, MESSAGES, MESSAGES]);
  });
});

const raw = (choice: object, more: object = {}): object => ({ choices: [choice], ...more });

describe('an answer', () => {
  it("has OpenAI's shape, and headers that name the route", async () => {
    const response = await scripted().post(BODY);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'application/json',
      'x-request-id': 'chatcmpl-1',
      'x-freelm-provider': 'nim',
      'x-freelm-model': 'z-ai/glm-5.3',
      'x-freelm-attempts': '2',
    });
    expect(await response.json()).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: NOW / 1000,
      model: 'z-ai/glm-5.3',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello there', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
  });

  const call = {
    id: 'call_0',
    type: 'function',
    function: { name: 'f', arguments: '{}' },
    extra_content: { signature: 's' },
  } as const;
  it.each([
    [
      'with tool calls and no text has no content',
      { text: '', toolCalls: [call], finishReason: 'tool_calls' },
      { message: { content: null, tool_calls: [call] }, finish_reason: 'tool_calls' },
    ],
    [
      'with tool calls and text has both',
      { text: 'so', toolCalls: [call] },
      { message: { content: 'so', tool_calls: [call] } },
    ],
    [
      'with reasoning includes it',
      { reasoning: 'Hm.' },
      { message: { content: 'Hello there', reasoning_content: 'Hm.' } },
    ],
    [
      'that declines is a refusal',
      { text: 'No.', raw: raw({ message: { content: null, refusal: 'No.' } }) },
      { message: { content: null, refusal: 'No.' } },
    ],
    [
      'keeps the additional fields of the provider, except nulls',
      {
        raw: raw({
          message: { content: 'x', images: [{ type: 'image_url' }], audio: null, tool_calls: null },
          logprobs: { content: [] },
        }),
      },
      {
        message: {
          role: 'assistant',
          content: 'Hello there',
          refusal: null,
          images: [{ type: 'image_url' }],
        },
        logprobs: { content: [] },
      },
    ],
  ])('%s', async (_what, answer, choice) => {
    const body: unknown = await (await scripted({ answer }).post(BODY)).json();
    expect(body).toMatchObject({ choices: [choice] });
  });

  it("keeps the details of the provider's usage", async () => {
    const answer = { raw: raw({}, { usage: { prompt_tokens_details: { cached_tokens: 1 } } }) };
    expect(await (await scripted({ answer }).post(BODY)).json()).toMatchObject({
      usage: { total_tokens: 5, prompt_tokens_details: { cached_tokens: 1 } },
    });
  });

  it('without usage has no usage field', async () => {
    const body: unknown = await (await scripted({ answer: { usage: undefined } }).post(BODY)).json();
    expect(body).not.toHaveProperty('usage');
  });

  it('replaces characters that no header can carry', async () => {
    const response = await scripted({ answer: { provider: 'mühle', model: 'm\n\uD800' } }).post(BODY);
    expect(freelmHeaders(response)).toMatchObject({ 'x-freelm-provider': 'm?hle', 'x-freelm-model': 'm??' });
    expect(await response.json()).toMatchObject({ model: 'm\n\uD800' });
  });
});

describe('a request body', () => {
  it('goes to the model unchanged, except for nulls and the fields of freelm', async () => {
    const { calls, post } = scripted();
    await post({
      model: 'chat:large',
      messages: [
        { role: 'user', content: 'Hi', name: null },
        { role: 'assistant', content: null, tool_calls: [], function_call: null },
      ],
      temperature: 0.5,
      stop: null,
      n: 1,
      stream: false,
      stream_options: { include_usage: true },
      something_new: { a: null },
      freelm: { wait: true },
    });
    expect(calls).toMatchObject([
      {
        model: 'chat:large',
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: null, tool_calls: [] },
        ],
        callOptions: { wait: true },
      },
    ]);
    expect(calls[0]?.fields).toEqual({ temperature: 0.5, something_new: { a: null } });
    expect(calls[0]?.messages[0]).not.toHaveProperty('name');
  });

  it.each([
    ['nothing', '', null, /has no body/],
    ['invalid JSON', '{"messages":', null, /no JSON object/],
    ['a list', [], null, /no JSON object/],
    ['null', null, null, /no JSON object/],
    ['no messages', {}, 'messages', /^messages: must be a list of messages\.$/],
    ['messages as a string', { messages: 'Hello' }, 'messages', /list of messages/],
    ['a model that is no string', { ...BODY, model: 7 }, 'model', /name of a model/],
    ['an empty model', { ...BODY, model: '' }, 'model', /must not be empty/],
    ['a stream flag that is no boolean', { ...BODY, stream: 'yes' }, 'stream', /true or false/],
    [
      'stream options that are no object',
      { ...BODY, stream_options: 1 },
      'stream_options',
      /must be an object/,
    ],
    [
      'a usage flag that is no boolean',
      { ...BODY, stream_options: { include_usage: 1 } },
      'stream_options.include_usage',
      /true or false/,
    ],
    ['five answers', { ...BODY, n: 5 }, 'n', /at most 4/],
    ['freelm options that are no object', { ...BODY, freelm: true }, 'freelm', /object of options/],
  ])('with %s is refused', async (_what, body, param, message) => {
    const { calls, post } = scripted();
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(freelmHeaders(response)).toEqual({ 'x-should-retry': 'false' });
    expect(await response.json()).toMatchObject({
      error: {
        message: expect.stringMatching(message) as unknown,
        type: 'invalid_request_error',
        param,
        code: null,
      },
    });
    expect(calls).toEqual([]);
  });
});

describe('models', () => {
  const offered = [
    { id: 'z-ai/glm-5.3', provider: 'nim', tags: ['chat', 'large', 'tools'], ctx: 200_000 },
    { id: 'z-ai/glm-5.3', provider: 'mine', tags: ['chat'] },
    { id: 'plain', provider: 'mine' },
  ];

  it('are listed, the available virtual ones first', async () => {
    expect(await (await scripted({ offered }).fetch('/v1/models')).json()).toEqual({
      object: 'list',
      data: [
        ...['auto', 'chat', 'chat:large', 'large', 'tools'].map((id) => ({
          id,
          object: 'model',
          created: 0,
          owned_by: 'freelm',
          kind: 'chat',
        })),
        {
          id: 'z-ai/glm-5.3',
          object: 'model',
          created: 0,
          owned_by: 'nim',
          kind: 'chat',
          context_length: 200_000,
        },
        { id: 'plain', object: 'model', created: 0, owned_by: 'mine', kind: 'chat' },
      ],
    });
  });

  it.each([
    ['auto', 'freelm'],
    ['chat:large', 'freelm'],
    ['chat%3Alarge', 'freelm'],
    ['chat:tools', 'freelm'],
    ['z-ai/glm-5.3', 'nim'],
    ['z-ai%2Fglm-5.3', 'nim'],
    ['plain', 'mine'],
    ['chat:vision', undefined],
    ['gpt-4o-mini', 'freelm'],
    ['a-model-9', undefined],
    ['%', undefined],
  ])('%s belongs to %s', async (name, ownedBy) => {
    const response = await scripted({ offered }).fetch(`/v1/models/${name}`);
    expect(response.status).toBe(ownedBy === undefined ? 404 : 200);
    expect(await response.json()).toMatchObject(
      ownedBy === undefined
        ? { error: { code: 'model_not_found', param: 'model' } }
        : { id: decodeURIComponent(name), object: 'model', owned_by: ownedBy },
    );
  });

  it('include every name if the pool serves unknown models', async () => {
    const response = await scripted({ offered, takesAnyModel: true }).fetch('/v1/models/a-model-9');
    expect(await response.json()).toMatchObject({ id: 'a-model-9', owned_by: 'freelm' });
  });
});
