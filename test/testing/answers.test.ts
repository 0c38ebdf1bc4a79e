import { describe, expect, it } from 'vitest';
import { ProviderSimulator, type ProviderName, type ReplyRequest } from '../../src/testing.ts';
import { anything, ask, get, listWith, NOON, partly, textLike } from './support.ts';

const NAMES: readonly ProviderName[] = ['openrouter', 'google', 'nim', 'custom'];
const created = NOON / 1000;
const usage = { prompt_tokens: 2, completion_tokens: 7, total_tokens: 9 };

const reasoned = (): object => ({
  text: '4',
  reasoning: '2 + 2',
  finishReason: 'length',
  completionTokens: 99,
});

describe('a chat completion', () => {
  it.each<[ProviderName, string, unknown, unknown]>([
    [
      'openrouter',
      'z-ai/glm-5.2:free',
      { 'Content-Type': 'application/json', 'X-Generation-Id': textLike(/^gen-/) },
      {
        id: textLike(/^gen-/),
        provider: 'Simulated',
        model: 'z-ai/glm-5.2:free',
        object: 'chat.completion',
        created,
        choices: [
          {
            logprobs: null,
            finish_reason: 'stop',
            native_finish_reason: 'stop',
            index: 0,
            message: {
              role: 'assistant',
              content: 'z-ai/glm-5.2:free heard: Hello',
              refusal: null,
              reasoning: null,
            },
          },
        ],
        usage: { ...usage, completion_tokens: 8, total_tokens: 10, cost: 0, is_byok: false },
      },
    ],
    [
      'google',
      'gemini-3.5-flash',
      {
        'Content-Type': 'application/json; charset=UTF-8',
        Vary: 'Origin',
        'X-Gemini-Service-Tier': 'standard',
      },
      {
        id: anything,
        model: 'gemini-3.5-flash',
        object: 'chat.completion',
        created,
        choices: [
          {
            finish_reason: 'stop',
            index: 0,
            message: { role: 'assistant', content: 'gemini-3.5-flash heard: Hello' },
          },
        ],
        usage: { ...usage, completion_tokens: 8, total_tokens: 10 },
      },
    ],
    [
      'nim',
      'moonshotai/kimi-k3',
      {
        'Content-Type': 'application/json',
        'nvcf-reqid': textLike(/^[0-9a-f-]{36}$/),
        'nvcf-status': 'fulfilled',
      },
      partly({
        id: textLike(/^chatcmpl-/),
        created,
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: 'moonshotai/kimi-k3 heard: Hello',
              reasoning_content: null,
              tool_calls: [],
            },
            logprobs: null,
            finish_reason: 'stop',
            stop_reason: null,
          },
        ],
      }),
    ],
    [
      'custom',
      'custom-large',
      { 'Content-Type': 'application/json' },
      {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created,
        model: 'custom-large',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'custom-large heard: Hello' },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage,
      },
    ],
  ])('of %s is an echo in its own format', (name, model, headers, body) => {
    const answer = ask(new ProviderSimulator(name), { model });
    expect(answer).toMatchObject({ status: 200, delayMs: 0 });
    expect(answer.headers).toEqual(headers);
    expect(answer.json).toEqual(body);
  });

  it.each<[ProviderName, string]>([
    ['openrouter', 'call_1_0'],
    ['google', ''],
    ['nim', 'chatcmpl-tool-1-0'],
    ['custom', 'call_1_0'],
  ])('of %s has tool calls with ids like "%s"', (name, id) => {
    const provider = new ProviderSimulator(name, {
      reply: () => ({
        toolCalls: [
          { name: 'weather', arguments: { city: 'Oslo' } },
          { name: 'broken', arguments: '{"city":', id: 'mine' },
        ],
      }),
    });
    expect(ask(provider).json).toMatchObject({
      choices: [
        {
          finish_reason: 'tool_calls',
          message: {
            tool_calls: [
              { id, type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
              { id: 'mine', function: { name: 'broken', arguments: '{"city":' } },
            ],
          },
        },
      ],
    });
  });

  it('has reasoning in the field of the provider', () => {
    const openrouter = new ProviderSimulator('openrouter', { reply: reasoned });
    const nim = new ProviderSimulator('nim', { reply: reasoned });
    expect(ask(openrouter).json).toMatchObject({
      choices: [{ message: { content: '4', reasoning: '2 + 2' } }],
    });
    expect(ask(nim).json).toMatchObject({
      choices: [{ finish_reason: 'length', message: { reasoning_content: '2 + 2' } }],
      usage: { completion_tokens: 99, total_tokens: 101 },
    });
  });

  it('comes from `reply`, which receives the request', () => {
    const seen: ReplyRequest[] = [];
    const provider = new ProviderSimulator('google', {
      keys: [{ account: 'project' }],
      reply: (request) => {
        seen.push(request);
        return 'Yes.';
      },
    });
    const content = [
      { type: 'text', text: 'Is it ' },
      { type: 'text', text: 'so?' },
    ];
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content },
    ];
    ask(provider, { model: 'gemini-3.5-flash', fields: { messages, temperature: 0 } });
    expect(seen).toEqual([
      {
        provider: 'google',
        account: 'project',
        model: 'gemini-3.5-flash',
        lastUserText: 'Is it so?',
        messages,
        body: { model: 'gemini-3.5-flash', messages, temperature: 0 },
      },
    ]);
  });

  it('comes from a real model if the request names the free router', () => {
    const openrouter = new ProviderSimulator('openrouter');
    expect(ask(openrouter, { model: 'openrouter/free' }).json).toMatchObject({
      model: 'nvidia/nemotron-3-ultra-550b-a55b:free',
    });
  });

  it('has the latency of the model', () => {
    const models = [{ id: 'slow', latencyMs: 700 }, 'usual', { id: 'closed', closed: true }];
    const custom = new ProviderSimulator('custom', { latencyMs: 20, models });
    expect(custom.models.map((model) => ask(custom, { model }).delayMs)).toEqual([700, 20, 0]);
  });
});

describe('an invalid request', () => {
  it.each([
    ['no object', '[]'],
    ['no messages', '{"model":"MODEL"}'],
    ['an empty list', '{"model":"MODEL","messages":[]}'],
    ['a message that is a text', '{"model":"MODEL","messages":["hi"]}'],
    ['an unknown role', '{"model":"MODEL","messages":[{"role":"robot","content":"hi"}]}'],
  ])('%s: 400 from every provider', (_, body) => {
    for (const name of NAMES) {
      const provider = new ProviderSimulator(name);
      const model = provider.models.at(1) ?? '';
      expect(ask(provider, { body: body.replace('MODEL', model) }).status).toBe(400);
      expect(provider.counts.causes).toEqual({ 'bad-request': 1 });
    }
  });
});

describe('a model list', () => {
  it('of OpenRouter needs no key, reports capabilities, and has models that are not free', () => {
    const openrouter = new ProviderSimulator('openrouter');
    const { status, headers, json } = get(openrouter, '/models', { headers: {} });
    expect(status).toBe(200);
    expect(headers['Cache-Control']).toContain('max-age=300');
    expect(json).toMatchObject({ total_count: openrouter.models.length, links: { next: null } });
    expect(json).toMatchObject({
      data: listWith(
        partly({
          id: 'z-ai/glm-5.2:free',
          context_length: 256_000,
          pricing: { prompt: '0', completion: '0' },
          supported_parameters: listWith('tools', 'reasoning'),
        }),
        partly({ id: 'openai/gpt-oss-20b', pricing: { prompt: '0.0000001', completion: '0.0000001' } }),
        partly({
          id: 'nvidia/nemotron-3-embed-1b:free',
          architecture: partly({ output_modalities: ['embeddings'] }),
        }),
      ),
    });
  });

  it('of Google needs a key, and prefixes its ids', () => {
    const google = new ProviderSimulator('google');
    expect(get(google, '/models', { headers: {} }).status).toBe(400);
    expect(get(google, '/models', { key: 'AIzaNobody' }).status).toBe(400);
    expect(get(google, '/models').json).toMatchObject({
      object: 'list',
      data: listWith({ id: 'models/gemini-3.8-flash', object: 'model', owned_by: 'google' }),
    });
  });

  it('of NIM needs no key, is sorted, and has a duplicate', () => {
    const nim = new ProviderSimulator('nim');
    const { text } = get(nim, '/models', { headers: {} });
    const ids = [...text.matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toEqual(ids.toSorted((one = '', other = '') => (one < other ? -1 : 1)));
    expect(ids.filter((id) => id === 'openai/gpt-oss-20b')).toHaveLength(2);
    expect(text).toContain('{"id":"01-ai/yi-large","object":"model","created":735790403,"owned_by":"01-ai"}');
    expect(ask(nim, { model: '01-ai/yi-large' }).status).toBe(404);
    expect(ask(nim, { model: 'nvidia/nv-embed-v1' }).status).toBe(404);
  });

  it.each<[ProviderName, boolean]>([
    ['openrouter', false],
    ['google', true],
    ['nim', false],
  ])('of %s has a retired model: %s', (name, listed) => {
    const provider = new ProviderSimulator(name, { models: ['acme/one', 'acme/two'] });
    provider.script({ kind: 'retired', model: 'acme/one' });
    expect(get(provider, '/models').text.includes('acme/one')).toBe(listed);
    expect(get(provider, '/models').text).toContain('acme/two');
  });

  it('lacks unlisted models, which can be called', () => {
    const custom = new ProviderSimulator('custom', { models: ['seen', { id: 'hidden', listed: false }] });
    expect(get(custom, '/models').text).not.toContain('hidden');
    expect(ask(custom, { model: 'hidden' }).status).toBe(200);
  });
});
