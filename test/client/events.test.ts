import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fc from '../support/fast-check.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Fault,
  inProcessFetch,
  SimulatedWorld,
  type WorldOptions,
  VirtualClock,
} from '../../src/testing.ts';
import {
  FreeLLM,
  type FreeLLMEvent,
  type FreeLLMOptions,
  NIM,
  OpenAICompatible,
  OpenRouter,
} from '../../src/index.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { rejection } from '../support/rejection.ts';

type CallEvent = Extract<FreeLLMEvent, { readonly call: number }>;

interface Scene {
  readonly llm: FreeLLM;
  readonly world: SimulatedWorld;
  readonly clock: VirtualClock;
  readonly events: FreeLLMEvent[];
}

function scene(
  world: Pick<WorldOptions, 'nim' | 'openrouter' | 'custom'> = {},
  options: Omit<FreeLLMOptions, 'providers'> = {},
): Scene {
  const simulated = new SimulatedWorld({
    nim: { keys: 1, ...world.nim },
    openrouter: { keys: 1, ...world.openrouter },
    custom: { keys: 1, ...world.custom },
  });
  const clock = new VirtualClock(Date.UTC(2026, 9, 10, 12));
  const events: FreeLLMEvent[] = [];
  const { nim, openrouter, custom } = simulated;
  const providers = [
    new OpenRouter([...openrouter.keys], { discover: false }),
    new NIM([...nim.keys], { discover: false }),
    new OpenAICompatible([...custom.keys], {
      name: 'custom',
      baseUrl: custom.baseUrl,
      allowInsecureHttp: true,
      discover: false,
      models: [{ id: 'custom-large', tags: ['chat'] }],
    }),
  ];
  const llm = new FreeLLM(
    {
      providers,
      strategy: 'priority',
      fetch: inProcessFetch(simulated, clock),
      onEvent: (event) => events.push(event),
      ...options,
    },
    { clock, cache: memoryCache(), env: {} },
  );
  onTestFinished(() => llm.close());
  return { llm, world: simulated, clock, events };
}

function isOfCall(event: FreeLLMEvent): event is CallEvent {
  return 'call' in event;
}

/** The events of each call, in the order in which the calls began. */
function byCall(events: readonly FreeLLMEvent[]): readonly (readonly CallEvent[])[] {
  const calls = new Map<number, CallEvent[]>();
  for (const event of events.filter(isOfCall)) {
    calls.set(event.call, [...(calls.get(event.call) ?? []), event]);
  }
  return [...calls.values()];
}

/** Checks that a call begins and ends once, and that its attempts are numbered and paired between. */
function expectWellFormed(events: readonly CallEvent[]): void {
  const types = events.map(({ type }) => type).filter((type) => type !== 'wait');
  const attempts = (types.length - 2) / 2;
  const pairs = Array.from({ length: attempts }, () => ['attempt-start', 'attempt-end']);
  expect(types).toEqual(['call-start', ...pairs.flat(), 'call-end']);
  const numbers = events.flatMap((event) => ('attempt' in event ? [event.attempt] : []));
  expect(numbers).toEqual(Array.from({ length: attempts }, (_, index) => [index + 1, index + 1]).flat());
  const starts = events.filter((event) => event.type === 'attempt-start');
  const ends = events.filter((event) => event.type === 'attempt-end');
  const routeOf = ({
    provider,
    key,
    account,
    model,
  }: (typeof starts)[number] | (typeof ends)[number]): string => [provider, key, account, model].join(' ');
  expect(ends.map(routeOf)).toEqual(starts.map(routeOf));
  const end = events.at(-1);
  if (end?.type !== 'call-end') throw new Error('the last event is the end of the call');
  expect(end.attempts).toBe(attempts);
  const last = ends.at(-1);
  if (end.outcome === 'success') {
    expect(last).toMatchObject({ outcome: 'success', provider: end.provider, model: end.model });
  } else {
    expect([end.provider, end.model]).toEqual([undefined, undefined]);
    expect(last?.outcome).not.toBe('success');
  }
  expect(end.code === undefined).toBe(end.outcome !== 'failure');
}

const KINDS = ['reset', 'outage', 'hang', 'unauthorized', 'cut', 'stall', 'error-in-200'] as const;

interface Plan {
  readonly faults: readonly Fault[];
  readonly calls: readonly {
    readonly operation: 'chat' | 'stream';
    readonly way: 'to its end' | 'abort' | 'break';
    readonly atMs: number;
  }[];
  readonly closesAtMs: number | undefined;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  faults: fc.array(fc.record({ kind: fc.constantFrom(...KINDS), times: fc.integer({ min: 1, max: 3 }) }), {
    maxLength: 4,
  }),
  calls: fc.array(
    fc.record({
      operation: fc.constantFrom('chat' as const, 'stream' as const),
      way: fc.constantFrom('to its end' as const, 'abort' as const, 'break' as const),
      atMs: fc.integer({ min: 0, max: 8000 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  closesAtMs: fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined }),
});

async function make({ llm, clock }: Scene, { operation, way, atMs }: Plan['calls'][number]): Promise<void> {
  const controller = new AbortController();
  if (way === 'abort') clock.after(atMs, () => controller.abort(new Error('enough')));
  const { signal } = controller;
  if (operation === 'chat') {
    await llm.chat('Hello', { signal });
    return;
  }
  let read = 0;
  for await (const part of llm.stream('Tell me of one two three', { signal }).parts()) {
    read += part.type === 'text' ? 1 : 0;
    if (way === 'break' && read >= 2) break;
  }
}

describe('the events of a call', () => {
  it('are a start, pairs for its attempts, and an end, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const here = scene(
          { openrouter: { faults: plan.faults }, nim: { faults: plan.faults.slice(1) } },
          {
            timeoutMs: 10_000,
            attemptTimeoutMs: 3000,
            firstPartTimeoutMs: 2000,
            idleTimeoutMs: 2000,
            wait: true,
          },
        );
        const { llm, clock, events } = here;
        if (plan.closesAtMs !== undefined) clock.after(plan.closesAtMs, () => void llm.close());
        await clock.run(Promise.allSettled(plan.calls.map((call) => make(here, call))));
        const calls = byCall(events);
        expect(calls.length).toBe(plan.calls.length);
        for (const call of calls) expectWellFormed(call);
      }),
      { numRuns: 40 },
    );
  });

  it('report the requested model and the usage', async () => {
    const { llm, clock, events } = scene({ openrouter: { faults: [{ kind: 'outage' }] } });
    const stream = llm.stream('Hello', { model: ['chat:fast', 'auto'] });
    const { usage, provider, model } = await clock.run(stream.response());
    const [call = []] = byCall(events);
    expectWellFormed(call);
    expect(call[0]).toMatchObject({ operation: 'stream', model: ['chat:fast', 'auto'] });
    expect(usage?.totalTokens).toBeGreaterThan(0);
    expect(call.filter(({ type }) => type === 'attempt-end')).toMatchObject([
      { outcome: 'server_error', usage: undefined },
      { outcome: 'success', usage },
    ]);
    expect(call.at(-1)).toMatchObject({ outcome: 'success', provider, model, usage });
  });

  it.each(['openai/gpt-4o', 'sk-or-v1-of-this-pool'])(
    'end also if the call was refused before it looked for a route, and hide keys: %s',
    async (model) => {
      const events: FreeLLMEvent[] = [];
      const provider = new OpenRouter('sk-or-v1-of-this-pool', { discover: false });
      const llm = new FreeLLM(
        { providers: [provider], onEvent: (event) => events.push(event) },
        { cache: memoryCache(), env: {} },
      );
      await rejection(llm.chat('Hello', { model }));
      const [call = []] = byCall(events);
      expectWellFormed(call);
      expect(call.at(-1)).toMatchObject({ outcome: 'failure', code: 'config', attempts: 0 });
      expect(JSON.stringify(events)).not.toContain('sk-or-v1-of-this-pool');
      await llm.close();
    },
  );

  it('are not emitted if the input was refused', async () => {
    const { llm, events } = scene();
    await rejection(llm.chat([]));
    expect(events).toEqual([]);
  });
});

describe('the diagnostics channels', () => {
  it('carry the same events while they have subscribers', async () => {
    const { llm, clock, events } = scene({ openrouter: { faults: [{ kind: 'outage' }] } });
    const heard: [string, unknown][] = [];
    const onMessage = (message: unknown, name: string | symbol): void => {
      heard.push([String(name), message]);
    };
    for (const name of ['freelm:call', 'freelm:attempt']) subscribe(name, onMessage);
    await clock.run(llm.chat('Hello'));
    for (const name of ['freelm:call', 'freelm:attempt']) unsubscribe(name, onMessage);
    await clock.run(llm.chat('Hello again'));
    const [first = []] = byCall(events);
    expectWellFormed(first);
    expect(heard).toEqual(
      first.map((event) => [event.type.startsWith('attempt-') ? 'freelm:attempt' : 'freelm:call', event]),
    );
  });

  it('need no listener, and distinguish the calls of two pools', async () => {
    const pools = [scene({}, { onEvent: undefined }), scene({}, { onEvent: undefined })] as const;
    const heard: FreeLLMEvent[] = [];
    const onMessage = (message: unknown): void => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the channel carries
      heard.push(message as FreeLLMEvent);
    };
    for (const name of ['freelm:call', 'freelm:attempt']) subscribe(name, onMessage);
    await Promise.all(pools.map(({ llm, clock }) => clock.run(llm.chat('Hello'))));
    for (const name of ['freelm:call', 'freelm:attempt']) unsubscribe(name, onMessage);
    expect(byCall(heard).length).toBe(2);
    for (const call of byCall(heard)) expectWellFormed(call);
  });
});

describe('a key passed as a model by mistake', () => {
  it('is masked in events, attempts and errors', async () => {
    const key = 'sk-a-key-in-the-wrong-place-0123456789';
    const events: FreeLLMEvent[] = [];
    const provider = new OpenAICompatible(key, {
      name: 'mine',
      baseUrl: 'http://127.0.0.1:9/v1',
      models: ['m'],
    });
    const llm = new FreeLLM({
      providers: [provider],
      fetch: () => Promise.resolve(new Response('{"error":{"message":"busy"}}', { status: 503 })),
      onEvent: (event) => events.push(event),
    });
    onTestFinished(() => llm.close());
    const error = await rejection(llm.text('Hi', { model: key, maxAttempts: 1 }));
    expect(JSON.stringify([error, String(error), events])).not.toContain(key);
    expect(events.filter((event) => 'model' in event && event.model === 'sk-a-k…6789').length).toBe(3);
  });
});
