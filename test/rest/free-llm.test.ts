/** `llm.fetch`: the routes over a real pool and real sockets. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  FreeLLM,
  type FreeLLMEvent,
  ModelNotFoundError,
  OpenAICompatible,
  OpenRouter,
} from '../../src/index.ts';
import { endpoint, open, providersOf, temporaryFolder, world } from '../client/support.ts';
import { rejection } from '../support/rejection.ts';
import { bodyOf, hangs, json, posted, says, serve, until } from '../support/server.ts';

const MESSAGES = [{ role: 'user', content: 'Hello' }];

function asking(body: object, signal?: AbortSignal): RequestInit {
  const init = { method: 'POST', body: JSON.stringify({ messages: MESSAGES, ...body }) };
  return signal === undefined ? init : { ...init, signal };
}

const TEXT = 'one two three four five six';
const CHAT = 'https://api.openai.com/v1/chat/completions';

/** The text of a body of events. */
function textIn(events: string): string {
  return [...events.matchAll(/"content":"([^"]*)"/g)].map(([, text]) => text).join('');
}

describe('fetch', () => {
  it('works detached from its pool, answers as chat() does, and sends no fields of freelm', async () => {
    const server = await serve(says('Hi'));
    const { fetch } = open({ providers: [endpoint(server)] });
    const response = await fetch(
      CHAT,
      asking({ temperature: 0.5, store: false, stop: null, freelm: { timeoutMs: 5000, onCut: 'fail' } }),
    );
    expect(await response.json()).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/) as unknown,
      model: 'm',
      choices: [{ message: { role: 'assistant', content: 'Hi', refusal: null }, finish_reason: 'stop' }],
      usage: { total_tokens: 5 },
    });
    expect(posted(server)).toEqual([
      { model: 'm', messages: MESSAGES, temperature: 0.5, store: false, stream: false },
    ]);
  });

  it.each([
    [{ temperature: 'hot' }, 'temperature', 'temperature: must be a number.'],
    [{ messages: [{ role: 'robot' }] }, 'messages[0].role', /^messages\[0\]\.role: must be system/],
    [{ messages: [] }, 'messages', 'messages: must not be empty.'],
    [{ freelm: { timeoutMs: -1 } }, 'freelm.timeoutMs', 'freelm.timeoutMs: must be greater than 0.'],
    [{ freelm: { waitt: true } }, 'freelm', 'freelm has no option "waitt". Did you mean "wait"?'],
    [{ stream: true, freelm: { onCut: 'no' } }, 'freelm.onCut', /"continue" or "fail"/],
  ])('refuses %j before anything is sent', async (body, param, message) => {
    const server = await serve(says('Hi'));
    const response = await open({ providers: [endpoint(server)] }).fetch(CHAT, asking(body));
    expect(response.status).toBe(400);
    const text: unknown = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(await response.json()).toMatchObject({ error: { param, message: text } });
    expect(server.requests).toEqual([]);
  });

  it('applies the options in the body to the call', async () => {
    const server = await serve(hangs);
    const { fetch } = open({ providers: [endpoint(server)] });
    const response = await fetch(CHAT, asking({ freelm: { timeoutMs: 50 } }));
    expect([response.status, response.headers.get('x-freelm-attempts')]).toEqual([504, '1']);
  });

  it('accepts a chain of models as an option', async () => {
    const server = await serve(says('Hi'));
    const { fetch } = open({ providers: [endpoint(server, { models: ['m', 'n'] })] });
    await fetch(CHAT, asking({ model: 'auto', freelm: { model: ['n', 'm'] } }));
    expect(posted(server)).toMatchObject([{ model: 'n' }]);
  });

  it('shows no key in an error', async () => {
    const simulated = await world({ nim: { keys: 1, faults: [{ kind: 'echo-key' }] } });
    const [, , nim] = providersOf(simulated);
    const { fetch } = open({ providers: [nim] });
    for (const stream of [true, false]) {
      const response = await fetch(CHAT, asking({ stream }));
      const said = JSON.stringify([...response.headers]) + (await response.text());
      expect([response.status, response.headers.get('x-should-retry')]).toEqual([503, 'false']);
      for (const key of simulated.nim.keys) expect(said).not.toContain(key);
    }
  });

  it('streams part by part, with headers that name the route', async () => {
    const simulated = await world({ reply: () => 'one two three' });
    const { fetch } = open({ providers: [...providersOf(simulated, { discover: false })], model: 'large' });
    const response = await fetch(CHAT, asking({ stream: true, stream_options: { include_usage: true } }));
    const events = await response.text();
    const [call] = simulated.calls;
    expect(textIn(events)).toBe('one two three');
    expect(events.endsWith('data: [DONE]\n\n')).toBe(true);
    expect([response.headers.get('x-freelm-provider'), response.headers.get('x-freelm-model')]).toEqual([
      call?.provider,
      call?.model,
    ]);
    expect(events).toContain(`"model":${JSON.stringify(call?.model)},"choices":[],"usage":{"prompt_tokens":`);
  });

  it('hides a provider stream that breaks', async () => {
    const simulated = await world({ reply: () => TEXT, nim: { faults: [{ kind: 'cut', times: 1 }] } });
    const providers = providersOf(simulated, { discover: false }).toReversed();
    const { fetch } = open({ providers, strategy: 'priority' });
    const events = await (await fetch(CHAT, asking({ stream: true }))).text();
    expect(textIn(events)).toBe(TEXT);
    expect(events).not.toContain('error');
    expect(simulated.counts).toMatchObject({ total: 2, served: 1 });
  });

  it("closes the provider's connection if its signal is aborted", async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n');
    });
    const { fetch } = open({ providers: [endpoint(server)] });
    const controller = new AbortController();
    const response = await fetch(CHAT, asking({ stream: true }, controller.signal));
    const whole = response.text();
    controller.abort(new Error('aborted by the user'));
    await expect(whole).rejects.toThrow('aborted by the user');
    await until(() => server.open === 0);
  });

  it("closes the provider's connection if its body is cancelled", async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n');
    });
    const { fetch } = open({ providers: [endpoint(server)] });
    const response = await fetch(CHAT, asking({ stream: true }));
    await response.body?.cancel();
    await until(() => server.open === 0);
    expect(server.requests).toHaveLength(1);
  });

  it("closes the provider's connection if the signal of a Request is aborted", async () => {
    const server = await serve(hangs);
    const { fetch } = open({ providers: [endpoint(server)] });
    const controller = new AbortController();
    const answer = fetch(new Request(CHAT, asking({}, controller.signal)));
    await until(() => server.requests.length === 1);
    controller.abort();
    await expect(answer).rejects.toThrow(/abort/);
    await until(() => server.open === 0);
  });

  it('can be aborted after its Request has been garbage-collected', async () => {
    setFlagsFromString('--expose-gc');
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n');
    });
    const { fetch } = open({ providers: [endpoint(server)] });
    const controller = new AbortController();
    const reader = (
      await fetch(new Request(CHAT, asking({ stream: true }, controller.signal)))
    ).body?.getReader();
    await reader?.read();
    for (let turn = 0; turn < 3; turn += 1) {
      runInNewContext('gc()');
      await nextTurn();
    }
    const next = rejection(reader?.read() ?? Promise.resolve());
    controller.abort();
    expect(await next).toMatchObject({ name: 'AbortError' });
    await until(() => server.open === 0);
  });

  it('answers 503 if the pool is closed', async () => {
    const server = await serve(says('Hi'));
    const llm = open({ providers: [endpoint(server)] });
    await llm.close();
    expect((await llm.fetch(CHAT, asking({}))).status).toBe(503);
  });

  it('carries tools, tool calls and their extra content both ways', async () => {
    const call = {
      id: 'c',
      type: 'function',
      function: { name: 'f', arguments: '{}' },
      extra_content: { s: 1 },
    };
    const server = await serve((request, response) => {
      const { messages } = bodyOf(request);
      const asked = Array.isArray(messages) && messages.length === 1;
      const message = asked ? { role: 'assistant', content: null, tool_calls: [call] } : { content: 'Done' };
      json(response, { choices: [{ index: 0, message, finish_reason: 'stop' }] });
    });
    const { fetch } = open({ providers: [endpoint(server)] });
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const first: unknown = await (await fetch(CHAT, asking({ tools }))).json();
    const message = { role: 'assistant', content: null, refusal: null, tool_calls: [call] };
    expect(first).toMatchObject({ choices: [{ message, finish_reason: 'tool_calls' }] });
    const messages = [...MESSAGES, message, { role: 'tool', tool_call_id: 'c', content: '1' }];
    await fetch(CHAT, asking({ tools, messages }));
    expect(posted(server)[1]).toMatchObject({ messages: [{}, { tool_calls: [call] }, {}] });
    expect(JSON.stringify(posted(server)[1])).not.toContain('refusal');
  });
});

describe('models', () => {
  it('lists no models that cost money', async () => {
    const simulated = await world();
    const { openrouter } = simulated;
    const provider = new OpenRouter([...openrouter.keys], {
      baseUrl: openrouter.baseUrl,
      discoverFreeOnly: false,
    });
    const response = await open({ providers: [provider] }).fetch('/v1/models');
    const ids = JSON.stringify(await response.json());
    expect(ids).toContain(':free"');
    const paid = openrouter.models.filter((id) => !/:free$|^openrouter\/free$/.test(id));
    expect(paid).not.toEqual([]);
    for (const id of paid) expect(ids).not.toContain(`"${id}"`);
  });

  const unknown = { model: 'gpt-4o-mini' };

  it.each(['a-model-9', 'openai/gpt-4o-mini'])(
    '%s is unknown, and the error says what to do',
    async (model) => {
      const simulated = await world();
      const [openrouter, google] = providersOf(simulated, { discover: false });
      const llm = open({ providers: [openrouter, google] });
      await expect(llm.chat('Hello', { model })).rejects.toThrow(ModelNotFoundError);
      const response = await llm.fetch(CHAT, asking({ model, stream: true }));
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        error: {
          code: 'model_not_found',
          param: 'model',
          message: expect.stringMatching(/--any-model/) as unknown,
        },
      });
    },
  );

  it.each(['gpt-4o-mini', 'claude-opus-5-5', 'gpt-5.1-codex', 'o4-mini'])(
    '%s is served by another model, except to programs',
    async (model) => {
      const simulated = await world({ reply: () => 'Hi' });
      const [openrouter, google] = providersOf(simulated, { discover: false });
      const llm = open({ providers: [openrouter, google] });
      const response = await llm.fetch(CHAT, asking({ model }));
      expect(response.status).toBe(200);
      expect(response.headers.get('x-freelm-model')).not.toBe(model);
      expect((await llm.fetch(CHAT, asking({ model, stream: true }))).status).toBe(200);
      await expect(llm.chat('Hello', { model })).rejects.toThrow(ModelNotFoundError);
    },
  );

  it('a known name that a provider has, or the user maps, is what it says', async () => {
    const server = await serve(says('Hi'));
    const models = [{ id: 'gpt-5' }, { id: 'm', tags: ['chat', 'large', 'tools'] }];
    const provider = new OpenAICompatible(['k'], { name: 'mine', baseUrl: server.url, models });
    const llm = open({ providers: [provider], modelMap: { o3: 'gpt-5' } });
    for (const model of ['gpt-5', 'o3', 'gpt-4o']) await llm.fetch(CHAT, asking({ model }));
    expect(posted(server).map(({ model }) => model)).toEqual(['gpt-5', 'gpt-5', 'm']);
  });

  it('a key in place of a model is not repeated', async () => {
    const simulated = await world();
    const [openrouter] = providersOf(simulated, { discover: false });
    const [key = ''] = simulated.openrouter.keys.map(String);
    const llm = open({ providers: [openrouter] });
    const error = await rejection(llm.chat('Hello', { model: key }));
    expect(error).toBeInstanceOf(ModelNotFoundError);
    expect(inspect(error) + JSON.stringify(error)).not.toContain(key);
    const asked = [
      llm.fetch(CHAT, asking({ model: key })),
      llm.fetch(`/v1/models/${key}`),
      llm.fetch(`/v1/${key}`),
    ];
    for (const response of await Promise.all(asked)) {
      expect(response.status).toBe(404);
      const said = await response.text();
      expect(said).not.toContain(key);
      expect(said).toContain('sk-or-…');
    }
  });

  it('with unknownModels: auto every name is served', async () => {
    const simulated = await world({ reply: () => 'Hi' });
    const providers = providersOf(simulated, { discover: false });
    const llm = open({ providers, unknownModels: 'auto' });
    expect((await llm.fetch(CHAT, asking(unknown))).status).toBe(200);
    expect((await llm.fetch(CHAT, asking({ ...unknown, stream: true }))).status).toBe(200);
    expect(await llm.text('Hello', { model: ['gpt-4o-mini', 'large'] })).toBe('Hi');
    expect((await llm.fetch('/v1/models/gpt-4o-mini')).status).toBe(200);
  });

  it('with unknownModels: auto a name that a provider refuses is served by another model', async () => {
    const server = await serve((request, response) => {
      const { model } = bodyOf(request);
      if (model === 'm') json(response, { choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] });
      else json(response, { error: { message: 'no such model', code: 'model_not_found' } }, 404);
    });
    const llm = open({ providers: [endpoint(server)], unknownModels: 'auto' });
    expect(await llm.text('Hello', unknown)).toBe('Hi');
    expect(await llm.text('Hello', unknown)).toBe('Hi');
    expect(posted(server).map(({ model }) => model)).toEqual(['gpt-4o-mini', 'm', 'm']);
  });
});

describe('subscribe', () => {
  it('receives the events of onEvent until it is ended; a listener that throws has no effect', async () => {
    const server = await serve(says('Hi'));
    const heard: FreeLLMEvent['type'][] = [];
    const llm = new FreeLLM({
      providers: [endpoint(server)],
      cacheDir: temporaryFolder(),
      onEvent: () => {
        throw new Error('a bug of the listener');
      },
    });
    const listener = ({ type }: FreeLLMEvent): number => heard.push(type);
    const endFirst = llm.subscribe(listener);
    const endSecond = llm.subscribe(listener);
    await llm.text('Hello');
    endSecond();
    await llm.text('Hello');
    endFirst();
    await llm.text('Hello');
    expect(heard.filter((type) => type === 'attempt-start')).toHaveLength(3);
    await llm.close();
  });
});

it('a stream knows its route', async () => {
  const simulated = await world({ nim: { faults: [{ kind: 'outage', times: 1 }] } });
  const providers = providersOf(simulated, { discover: false }).toReversed();
  const stream = open({ providers, strategy: 'priority' }).stream('Hello');
  expect(stream.route).toBeUndefined();
  const { provider, model, attempts } = await stream.response();
  expect(stream.route).toEqual({ provider, model, attempts: attempts.length });
  expect(attempts).toHaveLength(2);
});
