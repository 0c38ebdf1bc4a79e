import { describe, expect, it } from 'vitest';
import {
  FreeLLM,
  type FreeLLMEvent,
  GoogleAIStudio,
  NIM,
  NoProvidersAvailableError,
  OpenAICompatible,
  OpenRouter,
  type Provider,
} from '../../src/index.ts';
import { inProcessFetch, type ProviderName, SimulatedWorld, VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import {
  DAY,
  HOUR,
  NOON,
  type SimulatedPool,
  simulatedPool,
  type SimulatedPoolOptions,
} from '../support/simulated-pool.ts';

function paid({ world }: { readonly world: SimulatedWorld }): number {
  return world.calls.filter((call) => call.paid).length;
}

function warnings({ events }: { readonly events: readonly FreeLLMEvent[] }): readonly string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
}

async function read(stream: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of stream) text += part;
  return text;
}

const CALLS = {
  'a whole answer': (llm: FreeLLM) => llm.text('Hello'),
  'a stream': (llm: FreeLLM) => read(llm.stream('Hello')),
} as const;

const KEYS = 'a-key-of-enough-length';
const own = (models: readonly string[]): object => ({ models, discover: false, rpm: 100 });
const POOLS: Readonly<
  Record<
    ProviderName,
    { models: readonly string[]; make: (models: readonly string[], url: string) => Provider }
  >
> = {
  openrouter: { models: ['m/a:free', 'm/b:free'], make: (models) => new OpenRouter(KEYS, own(models)) },
  google: { models: ['gemini-a', 'gemini-b'], make: (models) => new GoogleAIStudio(KEYS, own(models)) },
  nim: { models: ['m/a', 'm/b'], make: (models) => new NIM(KEYS, own(models)) },
  custom: {
    models: ['m/a', 'm/b'],
    make: (models, baseUrl) =>
      new OpenAICompatible(KEYS, { ...own(models), name: 'custom', baseUrl, allowInsecureHttp: true }),
  },
};
const NAMES = ['openrouter', 'google', 'nim', 'custom'] as const satisfies readonly ProviderName[];

describe.each(Object.entries(CALLS))('a provider that begins to bill, asked for %s,', (_, call) => {
  it.each(NAMES)('bills one call for each model: %s', async (name) => {
    const { models, make } = POOLS[name];
    const limits = { rpm: 100, rpd: 1000 };
    const world = new SimulatedWorld({
      [name]: { keys: [KEYS], models, limits, faults: [{ kind: 'bills', from: NOON + HOUR }] },
    });
    const clock = new VirtualClock(NOON);
    const events: FreeLLMEvent[] = [];
    const llm = new FreeLLM(
      {
        providers: [make(models, world[name].baseUrl)],
        fetch: inProcessFetch(world, clock),
        onEvent: (event) => events.push(event),
      },
      { clock, cache: memoryCache(), env: {} },
    );
    for (let made = 0; made < 5; made += 1) await clock.run(call(llm));
    expect(paid({ world })).toBe(0);
    await clock.advance(HOUR);
    for (let made = 0; made < 2; made += 1) expect(await clock.run(call(llm))).toMatch(/heard: Hello$/);
    for (let made = 0; made < 5; made += 1)
      await expect(clock.run(call(llm))).rejects.toThrow(NoProvidersAvailableError);
    expect(paid({ world })).toBe(2);
    const starts = models.map((model) => `${name} charges for ${model}: 0.00012 was stated.`);
    expect(
      warnings({ events })
        .toSorted()
        .map((text) => text.slice(0, starts[0]?.length)),
    ).toEqual(starts);
    expect(llm.explain()).toHaveLength(2);
    for (const row of llm.explain()) {
      expect(row).toMatchObject({ ready: false, readyAt: undefined, freeBecause: undefined });
      expect(row.reason).toContain('would cost money');
    }
    expect(llm.health()[0]?.billed?.amount).toBeCloseTo(0.00024, 9);
  });
});

const both = (more: Omit<SimulatedPoolOptions, 'providers'> = {}): SimulatedPool =>
  simulatedPool({
    openrouter: { models: ['m/a:free'], faults: [{ kind: 'bills' }] },
    nim: {},
    strategy: 'priority',
    ...more,
  });

describe('a model that was billed', () => {
  it('leaves its calls to others, and is not forgotten', async () => {
    const pool = both();
    expect(await pool.trace(2)).toEqual(['key-of-openrouter m/a:free', 'key-of-nim z-ai/glm-5.3']);
    await pool.clock.advance(60 * DAY);
    expect(await pool.trace(1)).toEqual(['key-of-nim z-ai/glm-5.3']);
  });

  it("goes on with spend: 'allow', without a warning", async () => {
    const pool = both({ spend: 'allow' });
    const way = 'key-of-openrouter m/a:free';
    expect(await pool.trace(3)).toEqual([way, way, way]);
    expect(warnings(pool)).toEqual([]);
    expect(pool.llm.health()[0]?.billed?.calls).toBe(3);
  });

  it.each([{ kind: 'empty' }, { kind: 'content-filter' }] as const)(
    'is closed by an answer that is of no use: $kind',
    async (fault) => {
      const pool = simulatedPool({
        openrouter: { models: ['m/a:free'], faults: [{ kind: 'bills' }, { ...fault, times: 1 }] },
        nim: {},
        strategy: 'priority',
      });
      await pool.trace(3);
      expect(paid(pool)).toBe(1);
    },
  );
});

it('health() and explain() say that calls are free, and why', async () => {
  const pool = simulatedPool({ openrouter: {}, google: {}, custom: {}, strategy: 'round_robin' });
  await pool.trace(3);
  expect(pool.llm.health().map(({ provider, billed }) => [provider, billed])).toEqual([
    ['openrouter', { amount: 0, calls: 1 }],
    ['google', undefined],
    ['custom', undefined],
  ]);
  const reasons = pool.llm.explain().map(({ provider, freeBecause }) => [provider, freeBecause]);
  expect(Object.fromEntries(reasons)).toEqual({
    openrouter: 'answered-cost-0',
    google: 'hard-stop',
    custom: 'unproven',
  });
});
