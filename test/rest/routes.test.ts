import { describe, expect, it } from 'vitest';
import { MESSAGES, NOW, saidIn, scripted } from './support.ts';

const BODY = { messages: MESSAGES };

describe('a route is told by the end of its path, whatever the host and what stands before', () => {
  it.each([
    ['POST', 'https://api.openai.com/v1/chat/completions', 200],
    ['POST', 'http://127.0.0.1:4141/v1/chat/completions?api-version=1', 200],
    ['POST', '/chat/completions/', 200],
    ['post', '/a/b/c/chat/completions', 200],
    ['GET', '/v1/models', 200],
    ['HEAD', '/v1/models', 200],
    ['GET', '/openai/v1/models/', 200],
    ['GET', '/v1/models/auto', 200],
    ['GET', '/v1/models/gpt-9', 404],
    ['POST', '/v1/embeddings', 501],
    ['POST', '/v1/completions', 404],
    ['POST', '/v1/responses', 404],
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
    const told = response.headers.get('content-type');
    expect(told).toBe('application/json');
  });

  it('says which method a path takes', async () => {
    const response = await scripted().fetch('/v1/chat/completions');
    expect(saidIn(response)).toEqual({ allow: 'POST', 'x-should-retry': 'false' });
    expect(await response.json()).toEqual({
      error: {
        message: '/v1/chat/completions takes POST, not GET.',
        type: 'invalid_request_error',
        param: null,
        code: 'method_not_allowed',
      },
    });
  });

  it('HEAD has no body', async () => {
    expect(await (await scripted().fetch('/v1/models', { method: 'HEAD' })).text()).toBe('');
  });

  it('takes a URL, a Request, and a Request with more', async () => {
    const { fetch, asked } = scripted();
    const url = 'http://host/v1/chat/completions';
    const init = { method: 'POST', body: JSON.stringify(BODY) };
    await fetch(new URL(url), init);
    await fetch(new Request(url, init));
    await fetch(new Request(url, { method: 'POST', body: 'unused' }), init);
    await fetch(url, { method: 'POST', body: new TextEncoder().encode(init.body) });
    expect(asked.map(({ messages }) => messages)).toEqual([MESSAGES, MESSAGES, MESSAGES, MESSAGES]);
  });
});

const raw = (choice: object, more: object = {}): object => ({ choices: [choice], ...more });

describe('an answer', () => {
  it("has OpenAI's shape, and headers that tell who gave it", async () => {
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
      'that was thought about says so',
      { reasoning: 'Hm.' },
      { message: { content: 'Hello there', reasoning_content: 'Hm.' } },
    ],
    [
      'that declines is a refusal',
      { text: 'No.', raw: raw({ message: { content: null, refusal: 'No.' } }) },
      { message: { content: null, refusal: 'No.' } },
    ],
    [
      'keeps what the provider says beyond it, but not what it leaves open',
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

  it("keeps the details of the provider's count", async () => {
    const answer = { raw: raw({}, { usage: { prompt_tokens_details: { cached_tokens: 1 } } }) };
    expect(await (await scripted({ answer }).post(BODY)).json()).toMatchObject({
      usage: { total_tokens: 5, prompt_tokens_details: { cached_tokens: 1 } },
    });
  });

  it('without a count has none', async () => {
    const body: unknown = await (await scripted({ answer: { usage: undefined } }).post(BODY)).json();
    expect(body).not.toHaveProperty('usage');
  });

  it('names that no header can hold do not break it', async () => {
    const response = await scripted({ answer: { provider: 'mühle', model: 'm\n\uD800' } }).post(BODY);
    expect(saidIn(response)).toMatchObject({ 'x-freelm-provider': 'm?hle', 'x-freelm-model': 'm??' });
    expect(await response.json()).toMatchObject({ model: 'm\n\uD800' });
  });
});

describe('what a body asks for', () => {
  it('goes to the model as it is, but for what is not said, and for what is ours', async () => {
    const { asked, post } = scripted();
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
    expect(asked).toMatchObject([
      {
        model: 'chat:large',
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: null, tool_calls: [] },
        ],
        callOptions: { wait: true },
      },
    ]);
    expect(asked[0]?.fields).toEqual({ temperature: 0.5, something_new: { a: null } });
    expect(asked[0]?.messages[0]).not.toHaveProperty('name');
  });

  it.each([
    ['nothing', '', null, /has no body/],
    ['no JSON', '{"messages":', null, /no JSON object/],
    ['a list', [], null, /no JSON object/],
    ['null', null, null, /no JSON object/],
    ['no messages', {}, 'messages', /^messages: must be a list of messages\.$/],
    ['messages that are a text', { messages: 'Hello' }, 'messages', /list of messages/],
    ['a model that is no name', { ...BODY, model: 7 }, 'model', /name of a model/],
    ['an empty model', { ...BODY, model: '' }, 'model', /must not be empty/],
    ['a stream that is neither', { ...BODY, stream: 'yes' }, 'stream', /true or false/],
    ['options that are none', { ...BODY, stream_options: 1 }, 'stream_options', /must be an object/],
    [
      'usage that is neither',
      { ...BODY, stream_options: { include_usage: 1 } },
      'stream_options.include_usage',
      /true or false/,
    ],
    ['two answers', { ...BODY, n: 2 }, 'n', /must be 1/],
    ['logprobs of a stream', { ...BODY, stream: true, logprobs: true }, 'logprobs', /without stream/],
    ['own options that are none', { ...BODY, freelm: true }, 'freelm', /object of options/],
  ])('%s is refused', async (_what, body, param, message) => {
    const { asked, post } = scripted();
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(saidIn(response)).toEqual({ 'x-should-retry': 'false' });
    expect(await response.json()).toMatchObject({
      error: {
        message: expect.stringMatching(message) as unknown,
        type: 'invalid_request_error',
        param,
        code: null,
      },
    });
    expect(asked).toEqual([]);
  });
});

describe('models', () => {
  const offered = [
    { id: 'z-ai/glm-5.3', provider: 'nim', tags: ['chat', 'large', 'tools'], ctx: 200_000 },
    { id: 'z-ai/glm-5.3', provider: 'mine', tags: ['chat'] },
    { id: 'plain', provider: 'mine' },
  ];

  it('are listed, the virtual ones that something stands for first', async () => {
    expect(await (await scripted({ offered }).fetch('/v1/models')).json()).toEqual({
      object: 'list',
      data: [
        ...['auto', 'chat', 'chat:large', 'large', 'tools'].map((id) => ({
          id,
          object: 'model',
          created: 0,
          owned_by: 'freelm',
        })),
        { id: 'z-ai/glm-5.3', object: 'model', created: 0, owned_by: 'nim', context_length: 200_000 },
        { id: 'plain', object: 'model', created: 0, owned_by: 'mine' },
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
    ['gpt-4o-mini', undefined],
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

  it('every name is one where all are served', async () => {
    const response = await scripted({ offered, takesAnyModel: true }).fetch('/v1/models/gpt-4o-mini');
    expect(await response.json()).toMatchObject({ id: 'gpt-4o-mini', owned_by: 'freelm' });
  });
});
