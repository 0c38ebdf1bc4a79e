import { expect, it, onTestFinished } from 'vitest';
import {
  FreeLLM,
  type FreeLLMEvent,
  NIM,
  OpenAICompatible,
  OpenRouter,
  type Provider,
} from '../../src/index.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { SPECS } from '../../src/providers/spec.ts';
import { inProcessFetch, SimulatedWorld, VirtualClock } from '../../src/testing.ts';

const DAY_MS = 86_400_000;
const EXPIRY = Date.parse(SPECS.openrouter.expires) + DAY_MS;

interface Told {
  readonly llm: FreeLLM;
  readonly clock: VirtualClock;
  readonly warnings: () => readonly string[];
}

function pool(now: number, providersOf: (world: SimulatedWorld) => readonly Provider[]): Told {
  const world = new SimulatedWorld({ openrouter: { keys: 1 }, nim: { keys: 1 }, custom: { keys: 1 } });
  const clock = new VirtualClock(now);
  const events: FreeLLMEvent[] = [];
  const llm = new FreeLLM(
    {
      providers: providersOf(world),
      fetch: inProcessFetch(world, clock),
      onEvent: (event) => events.push(event),
    },
    { clock, cache: memoryCache() },
  );
  onTestFinished(() => llm.close());
  return {
    llm,
    clock,
    warnings: () => events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
  };
}

function openrouter({ openrouter: { keys } }: SimulatedWorld): Provider {
  return new OpenRouter([...keys], { discover: false });
}

it('valid facts cause no warning, also on their last day', async () => {
  const { llm, clock, warnings } = pool(EXPIRY - 60_000, (world) => [openrouter(world)]);
  await clock.run(llm.text('Hello'));
  expect(warnings()).toEqual([]);
});

it('expired facts cause one warning that says what to do', async () => {
  const { llm, clock, warnings } = pool(EXPIRY, (world) => [openrouter(world)]);
  for (let call = 0; call < 3; call += 1) await clock.run(llm.text('Hello'));
  expect(warnings()).toEqual([
    expect.stringMatching(
      /^What this version knows about OpenRouter .* expired on 2027-02-28\. Update freelm\./,
    ),
  ]);
});

it('each provider has its own warning, also in a pool that runs past the day', async () => {
  const { llm, clock, warnings } = pool(EXPIRY - 1000, (world) => [
    openrouter(world),
    new NIM([...world.nim.keys], { discover: false }),
  ]);
  await clock.run(llm.text('Hello'));
  expect(warnings()).toEqual([]);
  await clock.advance(1000);
  await clock.run(llm.text('Hello'));
  expect(warnings().map((text) => /OpenRouter|NVIDIA NIM/.exec(text)?.[0])).toEqual([
    'OpenRouter',
    'NVIDIA NIM',
  ]);
});

it('an endpoint of your own has no facts that could expire', async () => {
  const { llm, clock, warnings } = pool(EXPIRY + 4000 * DAY_MS, ({ custom }) => [
    new OpenAICompatible([...custom.keys], {
      name: 'mine',
      baseUrl: custom.baseUrl,
      allowInsecureHttp: true,
      models: ['m'],
    }),
  ]);
  await clock.run(llm.text('Hello').catch(() => undefined));
  expect(warnings()).toEqual([]);
});

it('a base URL with the path of an endpoint causes one warning', async () => {
  const { llm, clock, warnings } = pool(EXPIRY - 60_000, ({ custom }) => [
    new OpenAICompatible([...custom.keys], {
      name: 'custom',
      baseUrl: `${custom.baseUrl}/chat/completions`,
      allowInsecureHttp: true,
      models: ['custom-large'],
    }),
  ]);
  await clock.run(llm.text('Hello'));
  await clock.run(llm.text('Hello'));
  expect(warnings()).toHaveLength(1);
  expect(warnings()[0]).toMatch(/baseUrl \S+\/chat\/completions ends with the path of one endpoint/);
});
