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
const own = (models: readonly string[], more: object): object => ({
  models,
  discover: false,
  rpm: 100,
  ...more,
});
const POOLS: Readonly<
  Record<
    ProviderName,
    { models: readonly string[]; make: (models: readonly string[], more: object, url: string) => Provider }
  >
> = {
  openrouter: {
    models: ['m/a:free', 'm/b:free'],
    make: (models, more) => new OpenRouter(KEYS, own(models, more)),
  },
  google: {
    models: ['gemini-a', 'gemini-b'],
    make: (models, more) => new GoogleAIStudio(KEYS, own(models, more)),
  },
  nim: { models: ['m/a', 'm/b'], make: (models, more) => new NIM(KEYS, own(models, more)) },
  custom: {
    models: ['m/a', 'm/b'],
    make: (models, more, baseUrl) =>
      new OpenAICompatible(KEYS, { ...own(models, more), name: 'custom', baseUrl, allowInsecureHttp: true }),
  },
};
const NAMES = ['openrouter', 'google', 'nim', 'custom'] as const satisfies readonly ProviderName[];

interface Billing {
  readonly pool: { readonly llm: FreeLLM; readonly world: SimulatedWorld; readonly events: FreeLLMEvent[] };
  readonly clock: VirtualClock;
  readonly models: readonly string[];
}

/** A pool of one provider, which bills from an hour on. `count`: of its models. */
function billing(name: ProviderName, count = 2, more: object = {}): Billing {
  const {
    models: [first = '', second = ''],
    make,
  } = POOLS[name];
  const others = Array.from({ length: Math.max(0, count - 2) }, (_, index) =>
    second.replace('b', `c${index}`),
  );
  const models = [first, second, ...others].slice(0, count);
  const limits = { rpm: 100, rpd: 1000 };
  const world = new SimulatedWorld({
    [name]: { keys: [KEYS], models, limits, faults: [{ kind: 'bills', from: NOON + HOUR }] },
  });
  const clock = new VirtualClock(NOON);
  const events: FreeLLMEvent[] = [];
  const llm = new FreeLLM(
    {
      providers: [make(models, more, world[name].baseUrl)],
      fetch: inProcessFetch(world, clock),
      onEvent: (event) => events.push(event),
    },
    { clock, cache: memoryCache(), env: {} },
  );
  return { pool: { llm, world, events }, clock, models };
}

describe.each(Object.entries(CALLS))('a provider that begins to bill, asked for %s,', (_, call) => {
  it.each(NAMES)('bills one call for each of two models: %s', async (name) => {
    const { pool, clock, models } = billing(name);
    const { llm } = pool;
    for (let made = 0; made < 5; made += 1) await clock.run(call(llm));
    expect(paid(pool)).toBe(0);
    await clock.advance(HOUR);
    for (let made = 0; made < 2; made += 1) expect(await clock.run(call(llm))).toMatch(/heard: Hello$/);
    for (let made = 0; made < 5; made += 1)
      await expect(clock.run(call(llm))).rejects.toThrow(NoProvidersAvailableError);
    expect(paid(pool)).toBe(2);
    const starts = models.map((model) => `${name} charges for ${model}: 0.00012 was stated.`);
    expect(
      warnings(pool)
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

  it.each(NAMES)('is closed by the bills of two models in a row, however many it has: %s', async (name) => {
    const { pool, clock } = billing(name, 6);
    await clock.advance(HOUR);
    const outcomes = await clock.run(
      (async () => {
        const all = [];
        for (let made = 0; made < 10; made += 1) all.push(...(await Promise.allSettled([call(pool.llm)])));
        return all;
      })(),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(paid(pool)).toBe(2);
    expect(warnings(pool).at(-1)).toContain(`freelm no longer calls ${name}`);
    for (const { ready, freeBecause } of pool.llm.explain())
      expect({ ready, freeBecause }).toEqual({ ready: false, freeBecause: undefined });
  });

  it.each(NAMES)('bills only requests that were under way when the first bill came: %s', async (name) => {
    const { pool, clock } = billing(name, 1);
    await clock.run(call(pool.llm));
    await clock.advance(HOUR);
    await clock.run(Promise.all(Array.from({ length: 5 }, () => call(pool.llm))));
    const most = paid(pool);
    expect(most).toBeLessThanOrEqual(5);
    const later = Array.from({ length: 20 }, () => call(pool.llm));
    const outcomes = await clock.run(Promise.allSettled(later));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(paid(pool)).toBe(most);
  });
});

it.each(NAMES)('with a concurrency of 1, one of many calls at once is billed: %s', async (name) => {
  const { pool, clock } = billing(name, 1, { concurrency: 1 });
  await clock.advance(HOUR);
  const calls = Array.from({ length: 5 }, () => pool.llm.text('Hello', { wait: true }));
  const outcomes = await clock.run(Promise.allSettled(calls));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(paid(pool)).toBe(1);
});

it('a free answer between two bills shows that only those models are billed', async () => {
  const models = ['m/a:free', 'm/b:free', 'm/c:free'];
  const pool = simulatedPool({
    openrouter: {
      models,
      faults: ['m/a:free', 'm/c:free'].map((model) => ({ kind: 'bills' as const, model })),
    },
    strategy: 'priority',
  });
  const ask = (model: string) => pool.clock.run(pool.llm.text('Hello', { model }));
  for (const model of models) await ask(model);
  expect(paid(pool)).toBe(2);
  await ask('m/b:free');
  expect(paid(pool)).toBe(2);
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
