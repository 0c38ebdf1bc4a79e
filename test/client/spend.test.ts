import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConfigError,
  type Environment,
  FreeLLM,
  type FreeLLMEvent,
  type FreeLLMOptions,
  GoogleAIStudio,
  NoProvidersAvailableError,
  OllamaCloud,
  OpenAICompatible,
  OpenRouter,
  OVHcloud,
  type Provider,
} from '../../src/index.ts';
import { memoryCache } from '../support/memory-cache.ts';

const KEY = 'a-key-that-is-long-enough';
const MODEL = 'z-ai/glm-5.2:free';

interface Setup {
  readonly llm: FreeLLM;
  readonly warnings: () => readonly string[];
  /** How many chats were sent. */
  readonly requests: () => number;
}

/** A pool whose provider lists one model with one price after the other, and answers with a usage. */
function pool(
  provider: Provider,
  options: Partial<FreeLLMOptions> = {},
  env: Environment = {},
  prices: string[] = [],
  usage?: object,
): Setup {
  const events: FreeLLMEvent[] = [];
  let requests = 0;
  const answer = (url: string): unknown => {
    if (url.endsWith('/models')) {
      const [price = '0'] = prices.length > 1 ? prices.splice(0, 1) : prices;
      return { data: [{ id: MODEL, pricing: { prompt: price, completion: '0' } }] };
    }
    if (url.endsWith('/chat/completions')) requests += 1;
    return { choices: [{ message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }], usage };
  };
  const fetch = (url: string | URL | Request): Promise<Response> =>
    Promise.resolve(Response.json(answer(url instanceof Request ? url.url : String(url))));
  const onEvent = (event: FreeLLMEvent): void => {
    events.push(event);
  };
  const llm = new FreeLLM(
    { providers: [provider], fetch, onEvent, ...options },
    { cache: memoryCache(), env },
  );
  onTestFinished(() => llm.close());
  const warnings = (): readonly string[] =>
    events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
  return { llm, warnings, requests: () => requests };
}

const tier1 = (): Provider => new GoogleAIStudio(KEY, { tier: 'tier1' });
const openrouter = (): Provider => new OpenRouter(KEY, { cacheTtlMs: 0 });

const BILLED: readonly (readonly [string, () => Provider])[] = [
  ['a provider that bills by use', () => new OllamaCloud(KEY)],
  ['a key of a provider that is free without one', () => new OVHcloud({ keys: KEY })],
  [
    'a model that the user says is not free',
    () =>
      new OpenAICompatible(KEY, {
        name: 'own',
        baseUrl: 'https://own.example/v1',
        models: [{ id: 'm', free: false }],
      }),
  ],
];

describe.each(BILLED)('%s', (_, make) => {
  it('is not called', async () => {
    const { llm, requests } = pool(make());
    await expect(llm.text('Hello')).rejects.toThrow(/it would cost money, which spend: 'never' rules out/);
    await expect(llm.text('Hello')).rejects.toThrow(NoProvidersAvailableError);
    expect(requests()).toBe(0);
    expect(llm.explain().map(({ freeBecause }) => freeBecause)).toEqual(llm.explain().map(() => undefined));
  });

  it.each([
    [{ spend: 'allow' }, {}],
    [{}, { FREELM_SPEND: 'allow' }],
  ] as const)('is called with %j and %j', async (options, env) => {
    expect(await pool(make(), options, env).llm.text('Hello')).toBe('Hi');
  });

  it('is not called if the pool says never and the environment allows it', async () => {
    const { llm } = pool(make(), { spend: 'never' }, { FREELM_SPEND: 'allow' });
    await expect(llm.text('Hello')).rejects.toThrow(NoProvidersAvailableError);
  });
});

describe('a billed tier', () => {
  it('is used if the user names it', async () => {
    expect(await pool(tier1()).llm.text('Hello')).toBe('Hi');
  });

  it("is not used with spend: 'never'", async () => {
    await expect(pool(tier1(), { spend: 'never' }).llm.text('Hello')).rejects.toThrow(/would cost money/);
  });
});

describe('a list that states a price', () => {
  it('closes a model that was free, for good, with a warning', async () => {
    const { llm, warnings, requests } = pool(openrouter(), {}, {}, ['0', '0.0000002', '0']);
    await llm.refreshModels();
    expect(await llm.text('Hello', { model: MODEL })).toBe('Hi');
    await llm.refreshModels();
    expect(warnings()).toEqual([
      expect.stringContaining(`openrouter charges for ${MODEL}: 0.0000002 was stated`),
    ]);
    await llm.refreshModels();
    await expect(llm.text('Hello', { model: MODEL })).rejects.toThrow(/would cost money/);
    expect(requests()).toBe(1);
  });

  it('marks the model as not free', async () => {
    const { llm } = pool(openrouter(), {}, {}, ['0.0000002']);
    const listed = (await llm.refreshModels()).filter(({ id }) => id === MODEL);
    expect(listed.map(({ free }) => free)).toEqual([false]);
  });
});

describe('the check of a key', () => {
  it('sends no chat to an account that is billed', async () => {
    const { llm, requests } = pool(new OllamaCloud(KEY));
    const [check] = await llm.checkKeys({ chat: true });
    expect(check).toMatchObject({ request: 'models', freeBecause: undefined });
    expect(requests()).toBe(0);
  });

  it('closes a model whose answer states a price', async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 1, cost: 0.00012 };
    const provider = new OpenRouter(KEY, { discover: false, models: [MODEL] });
    const { llm, warnings, requests } = pool(provider, {}, {}, [], usage);
    const [check] = await llm.checkKeys({ chat: true });
    expect(check).toMatchObject({ request: 'chat', cost: 0.00012 });
    expect(warnings()).toHaveLength(1);
    await expect(llm.text('Hello')).rejects.toThrow(/would cost money/);
    await llm.checkKeys({ chat: true });
    expect(requests()).toBe(1);
  });
});

it('spend is never or allow', () => {
  expect(() => pool(new OpenRouter(KEY), {}, { FREELM_SPEND: 'yes' })).toThrow(ConfigError);
  // @ts-expect-error -- no such value
  expect(() => pool(new OpenRouter(KEY), { spend: 'sometimes' })).toThrow(
    /options.spend: must be "never" or "allow"/,
  );
});
