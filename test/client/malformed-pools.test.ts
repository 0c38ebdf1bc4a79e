import { describe, expect, it } from 'vitest';
import { ConfigError, FreeLLM, NIM, OpenRouter } from '../../src/index.ts';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import { endpoint, open } from './support.ts';

const provider = endpoint({ url: 'http://127.0.0.1:9' });

describe('options of a pool', () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['none', undefined, 'options: must be an object, at least { providers: [...] }'],
    ['null', null, 'options: must be an object'],
    ['a key instead', 'sk-or-v1-0123456789abcdef', 'options: must be an object'],
    ['no providers', {}, 'options.providers: must be a list of providers'],
    ['providers undefined', { providers: undefined }, 'options.providers: must be a list of providers'],
    [
      'no provider in the list',
      { providers: [] },
      'options.providers: must not be empty: pass at least one provider, or use FreeLLM.fromEnv()',
    ],
    ['a provider without a list', { providers: provider }, 'options.providers: must be a list of providers'],
    [
      'a key as provider',
      { providers: ['sk-or-v1-0'] },
      'options.providers[0]: is not a provider. Pass e.g. new OpenRouter(key)',
    ],
    ['a class as provider', { providers: [provider, OpenRouter] }, 'options.providers[1]: is not a provider'],
    [
      'something like a provider',
      { providers: [{ name: 'mine', baseUrl: provider.baseUrl, keys: provider.keys }] },
      'options.providers[0]: is not a provider',
    ],
    ['a hole in the list', { providers: [undefined] }, 'options.providers[0]: is not a provider'],
    [
      'one provider twice',
      { providers: [new NIM('a'), new NIM('b')] },
      'options.providers lists "nim" twice. Give one provider all its keys',
    ],
    [
      'one name twice',
      { providers: [provider, endpoint({ url: 'http://127.0.0.1:8' })] },
      'options.providers lists "mine" twice',
    ],
    ['a misspelt option', { timeoutMS: 5 }, 'options has no option "timeoutMS"'],
    ['an option of a call', { temperature: 1, tools: [] }, 'options has no option "temperature", "tools"'],
    [
      'an unknown strategy',
      { strategy: 'fastest' },
      'options.strategy: must be one of priority, round_robin, quota_aware, latency, or a function',
    ],
    ['a strategy of another kind', { strategy: 5 }, 'options.strategy: must be one of priority'],
    ['a name that objects have', { strategy: 'toString' }, 'options.strategy: must be one of priority'],
    [
      'persist: true with a store',
      { persist: true, store: memoryStore() },
      'options.persist and options.store cannot be combined',
    ],
    ['persist: "yes"', { persist: 'yes' }, 'options.persist: must be true or false'],
    [
      'a store that is none',
      { store: {} },
      'options.store: must have read(ids) and swap(id, expectedVersion, next)',
    ],
    ['half a store', { store: { read: () => [] } }, 'options.store: must have read(ids) and swap'],
    ['an empty cacheDir', { cacheDir: '' }, 'options.cacheDir: must not be empty'],
    ['a cacheDir that is no text', { cacheDir: 5 }, 'options.cacheDir: must be a string'],
    ['an onEvent that is no function', { onEvent: 'log' }, 'options.onEvent: must be a function'],
    ['a fetch that is no function', { fetch: 'undici' }, 'options.fetch: must be a function'],
    [
      'a dispatcher that is no object',
      { dispatcher: 'http://proxy' },
      'options.dispatcher: must be an undici Dispatcher',
    ],
    [
      'a dispatcher that is another object',
      { dispatcher: {} },
      'options.dispatcher is not an undici Dispatcher',
    ],
    [
      'fetch and dispatcher',
      { fetch: () => undefined, dispatcher: { dispatch: () => true } },
      'options.fetch and options.dispatcher cannot be combined',
    ],
    ['a negative timeout', { timeoutMs: -1 }, 'options.timeoutMs: must be greater than 0'],
    ['an attempt of no time', { attemptTimeoutMs: 0 }, 'options.attemptTimeoutMs: must be greater than 0'],
    ['no attempts', { maxAttempts: 0 }, 'options.maxAttempts: must be at least 1'],
    ['a negative wait', { maxWaitMs: -1 }, 'options.maxWaitMs: must not be negative'],
    ['a wait that is no flag', { wait: 5000 }, 'options.wait: must be true or false'],
    ['an empty model', { model: '' }, 'options.model: must not be empty'],
    ['an empty chain', { model: [] }, 'options.model: must name at least one model'],
  ];
  const whole = new Set(['none', 'null', 'a key instead', 'no providers', 'providers undefined']);
  it.each(cases)('%s', (what, options, message) => {
    const given: unknown =
      whole.has(what) || typeof options !== 'object' ? options : { providers: [provider], ...options };
    // @ts-expect-error -- what plain JavaScript can pass
    const make = (): FreeLLM => new FreeLLM(given);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
    expect(make).not.toThrow('sk-or-v1-0123456789abcdef');
  });

  it('may all be undefined except providers', () => {
    const llm = open({
      providers: [provider],
      strategy: undefined,
      model: undefined,
      persist: undefined,
      store: undefined,
      fetch: undefined,
      dispatcher: undefined,
      onEvent: undefined,
      timeoutMs: undefined,
      attemptTimeoutMs: undefined,
      firstPartTimeoutMs: undefined,
      idleTimeoutMs: undefined,
      maxAttempts: undefined,
      wait: undefined,
      maxWaitMs: undefined,
      cacheDir: undefined,
    });
    expect(llm.health()).toHaveLength(1);
  });

  it('may name a store, and persist: false', () => {
    expect(open({ providers: [provider], store: memoryStore(), persist: false }).health()).toHaveLength(1);
  });
});

describe('a strategy of your own', () => {
  it('orders the providers', () => {
    const names = ['a', 'b', 'c'];
    const providers = names.map((name, index) =>
      endpoint({ url: `http://127.0.0.1:${index + 1}` }, { name }),
    );
    const llm = open({ providers, strategy: (scores) => scores.toReversed() });
    expect(llm.explain().map((row) => row.provider)).toEqual(['c', 'b', 'a']);
  });
});
