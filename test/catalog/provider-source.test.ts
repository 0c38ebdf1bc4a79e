import { describe, expect, test } from 'vitest';
import { memoryCache } from '../support/memory-cache.ts';
import type { DiscoveryReport } from '../../src/catalog/source-list.ts';
import { sourceOf } from '../../src/catalog/provider-source.ts';
import { ModelRegistry } from '../../src/catalog/registry.ts';
import { Cohere, Groq, Kilo, Ollama, OpenRouter, type Provider, Requesty } from '../../src/index.ts';
import {
  type Answer,
  answerHanging,
  answerText,
  answerTrouble,
  ManualClock,
  ScriptedTransport,
} from './doubles.ts';

const START = 1_790_000_000_000;
const HOUR = 3_600_000;
const KEY = 'abcdef-0123456789-0123456789';

interface ScriptedRegistry {
  readonly clock: ManualClock;
  readonly transport: ScriptedTransport;
  readonly registry: ModelRegistry;
  readonly reports: DiscoveryReport[];
}

function scriptedRegistry(
  provider: Provider,
  answers: readonly Answer[],
  cache = memoryCache(),
): ScriptedRegistry {
  const clock = new ManualClock(START);
  const transport = new ScriptedTransport(answers);
  const reports: DiscoveryReport[] = [];
  const registry = new ModelRegistry({
    sources: [sourceOf(provider, (text) => text, HOUR)],
    clock,
    transport,
    cache,
    onDiscovery: (report) => reports.push(report),
  });
  return { clock, transport, registry, reports };
}

const local = new Ollama();
const tags = answerText(JSON.stringify({ models: [{ name: 'qwen3.5:9b' }] }));

describe('the list of a local server', () => {
  test('needs no key and is all free', async () => {
    const { registry, transport } = scriptedRegistry(local, [tags]);
    await registry.refresh();
    expect(registry.models('ollama')).toEqual([
      { id: 'qwen3.5:9b', tags: ['chat', 'fast', 'small'], guessed: true, free: true },
    ]);
    expect(transport.requests.map(({ url, headers }) => [url, 'authorization' in headers])).toEqual([
      ['http://127.0.0.1:11434/api/tags', false],
    ]);
  });

  test('is requested with the key if there is one', async () => {
    const { registry, transport } = scriptedRegistry(new Ollama({ keys: KEY }), [tags]);
    await registry.refresh();
    expect(transport.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${KEY}` });
  });

  test('is not retried at once but every half minute if no server answers', async () => {
    const { registry, transport, clock, reports } = scriptedRegistry(local, [answerTrouble]);
    for (const requests of [1, 2, 3]) {
      await registry.ensure(['ollama'], undefined, 3000);
      expect(transport.requests).toHaveLength(requests);
      expect(reports.at(-1)?.message).toContain('next try in 30 s');
      await clock.advance(29_999);
      expect(registry.ensure(['ollama'], undefined, 3000)).toBeUndefined();
      await clock.advance(1);
    }
  });

  test('delays a call by at most a second', async () => {
    const { registry, clock } = scriptedRegistry(local, [answerHanging]);
    let isWaiting = true;
    const wait = async (): Promise<void> => {
      await registry.ensure(['ollama'], undefined, 3000);
      isWaiting = false;
    };
    void wait();
    await clock.advance(999);
    expect(isWaiting).toBe(true);
    await clock.advance(1);
    expect(isWaiting).toBe(false);
    await registry.close();
  });

  test('is stale after a minute', async () => {
    const { registry, transport, clock } = scriptedRegistry(local, [tags]);
    await registry.refresh();
    for (const [after, requests] of [
      [59_999, 1],
      [1, 2],
    ] as const) {
      await clock.advance(after);
      void registry.ensure(['ollama'], undefined, 0);
      await clock.advance(0);
      expect(transport.requests).toHaveLength(requests);
    }
  });
});

describe('the list of a service', () => {
  test.each([
    [new Groq(KEY), 'https://api.groq.com/openai/v1/models', `Bearer ${KEY}`],
    [new Kilo({ keys: KEY }), 'https://api.kilo.ai/api/gateway/models', undefined],
    [new OpenRouter(KEY), 'https://openrouter.ai/api/v1/models', undefined],
    [
      new Cohere(KEY, { discover: true }),
      'https://api.cohere.ai/v1/models?endpoint=chat&page_size=1000',
      `Bearer ${KEY}`,
    ],
  ])('is requested with a key only if it needs one (case %#)', async (provider, url, authorization) => {
    const { registry, transport } = scriptedRegistry(provider, [answerText('[]')]);
    await registry.refresh();
    expect(transport.requests.map((request) => [request.url, request.headers['authorization']])).toEqual([
      [url, authorization],
    ]);
  });

  test('from the cache serves only models marked free if prices decide', async () => {
    const cache = memoryCache();
    const source = sourceOf(new Requesty(KEY), (text) => text, HOUR);
    await cache.write(source.cacheId, {
      version: 1,
      savedAt: START,
      models: [
        { id: 'a/free', tags: ['chat'], free: true },
        { id: 'a/paid', tags: ['chat'], free: false },
        { id: 'a/any', tags: ['chat'] },
      ],
    });
    const { registry, transport } = scriptedRegistry(new Requesty(KEY), [answerTrouble], cache);
    await registry.ensure(['requesty'], undefined, 3000);
    expect(registry.models('requesty').map(({ id }) => id)).toEqual(['a/free']);
    expect(transport.requests).toEqual([]);
  });
});
