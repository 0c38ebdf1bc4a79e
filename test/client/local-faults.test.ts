/** Faults of this machine and of the user's setup: the error names them, and no provider is blamed. */

import { describe, expect, it, onTestFinished } from 'vitest';
import {
  BrokenStreamError,
  ConfigError,
  FreeLLM,
  type FreeLLMEvent,
  type FreeLLMOptions,
  OpenAICompatible,
} from '../../src/index.ts';
import type { Environment } from '../../src/client/env/from-env.ts';
import { errorOf, rejection } from '../support/rejection.ts';
import { memoryCache } from '../support/memory-cache.ts';

const KEY = 'sk-of-mine-0123456789-0123456789';

interface Scene {
  readonly llm: FreeLLM;
  readonly events: readonly FreeLLMEvent[];
}

function scene(options: Omit<FreeLLMOptions, 'providers'>, env: Environment = {}): Scene {
  const events: FreeLLMEvent[] = [];
  const more = { models: ['m'], rpm: 5, rpd: 5, concurrency: 1 };
  const providers = ['far', 'farther'].map(
    (name) => new OpenAICompatible(KEY, { ...more, name, baseUrl: `https://${name}.invalid/v1` }),
  );
  const llm = new FreeLLM(
    { onEvent: (event) => events.push(event), ...options, providers },
    { env, cache: memoryCache() },
  );
  onTestFinished(() => llm.close());
  return { llm, events };
}

function mistaken(_target: unknown, init: object): never {
  throw new TypeError(`no agent for ${JSON.stringify(init)}`);
}

describe('an address that leads nowhere', () => {
  it.each([
    ['{"detail":"Not Found"}', 404],
    ['404 page not found\n', 404],
    ['Not Found', 404],
    ['', 404],
    ['', 405],
    ['Cannot POST /v2/chat/completions', 404],
    ['{"detail":"Method Not Allowed"}', 405],
    ['{"error":{"message":"Not Found"}}', 404],
    [
      '<!doctype html><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>',
      404,
    ],
  ])('%s is told from a model that is gone', async (body, status) => {
    const { llm } = scene({ fetch: () => Promise.resolve(new Response(body, { status })) });
    const error = await rejection(llm.text('Hi', { maxAttempts: 2 }));
    expect(String(error)).toMatch(
      /https:\/\/farther\.invalid\/v1\/chat\/completions leads nowhere, check baseUrl/,
    );
    expect(llm.health().map(({ reason }) => reason)).not.toContain('model_gone');
  });

  it('is not assumed of a model that no list names', async () => {
    const { llm } = scene({
      fetch: () => Promise.resolve(new Response('404 page not found\n', { status: 404 })),
    });
    const error = await rejection(llm.text('Hi', { model: 'not/listed' }));
    expect(String(error)).not.toContain('leads nowhere');
  });

  it('is not assumed of a 404 that names the model', async () => {
    const body = '{"error":{"message":"The model `m` does not exist"}}';
    const { llm } = scene({ fetch: () => Promise.resolve(new Response(body, { status: 404 })) });
    expect(String(await rejection(llm.text('Hi')))).toContain('model_gone');
  });
});

describe('a fault of our own', () => {
  it.each([
    ['a broken proxy variable', {}, { https_proxy: 'http://[broken' }, /The variable https_proxy/],
    ['a mistake in fetch', { fetch: mistaken }, {}, /options\.fetch failed, and nothing was sent: TypeError/],
    [
      'a dispatcher of another kind',
      { dispatcher: { dispatch: mistaken } },
      {},
      /options\.dispatcher failed/,
    ],
  ] as const)('%s is a ConfigError, and no provider rests', async (_name, options, env, message) => {
    const { llm, events } = scene(options, env);
    const state = (): unknown => [
      llm.health().map((row) => ({ ...row, readyAt: 0 })),
      llm.capacity().limits,
      llm.capacity().requestsNow,
    ];
    const before = state();
    for (const send of [llm.text('Hi'), llm.stream('Hi').response()]) {
      const error = await errorOf(send);
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(message);
      expect(`${error.message} ${String(error.stack)}`).not.toContain(KEY);
    }
    expect(state()).toEqual(before);
    const ends = events.filter((event) => event.type === 'attempt-end');
    expect(ends.map(({ provider, outcome }) => [provider, outcome])).toHaveLength(2);
    expect(ends.every(({ outcome }) => outcome === 'aborted')).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'call-end', code: 'config' });
  });

  it('in the middle of a stream leaves what arrived', async () => {
    let calls = 0;
    const event = { choices: [{ index: 0, delta: { content: 'Once upon a time' } }] };
    const { llm } = scene({
      fetch: (url, init) => {
        calls += 1;
        return calls > 1
          ? mistaken(url, init)
          : Promise.resolve(new Response(`data: ${JSON.stringify(event)}\n\n`));
      },
    });
    const error = await rejection(llm.stream('Hi').response());
    expect(error).toBeInstanceOf(BrokenStreamError);
    expect(error).toMatchObject({ partial: { text: 'Once upon a time' }, cause: { code: 'config' } });
  });

  it('is asked for a list of models once', async () => {
    let calls = 0;
    const llm = new FreeLLM(
      {
        providers: [new OpenAICompatible(KEY, { name: 'far', baseUrl: 'https://far.invalid/v1' })],
        fetch: (url, init) => {
          calls += 1;
          return mistaken(url, init);
        },
      },
      { env: {}, cache: memoryCache() },
    );
    onTestFinished(() => llm.close());
    await llm.refreshModels();
    expect(calls).toBe(1);
  });
});
