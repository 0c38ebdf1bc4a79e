/** The same script of faults gives the same text, asked as chat(), text() or stream(); tokens count the same, too. */

import { expect, it } from 'vitest';
import { FreeLLM, GoogleAIStudio, NIM, NoProvidersAvailableError, OpenRouter } from '../../src/index.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { type Fault, inProcessFetch, SimulatedWorld, VirtualClock } from '../../src/testing.ts';

const ANSWER = 'One answer, however it is asked for, and whatever happens on the way to it.';

const ASKING: Readonly<Record<string, (llm: FreeLLM) => Promise<string>>> = {
  chat: async (llm) => (await llm.chat('hello')).text,
  text: (llm) => llm.text('hello'),
  stream: async (llm) => (await llm.stream('hello').response()).text,
};

interface Setting {
  readonly clock: VirtualClock;
  readonly world: SimulatedWorld;
  readonly llm: FreeLLM;
}

function settingOf(tpm?: number): Setting {
  const clock = new VirtualClock(1_790_000_000_000);
  const world = new SimulatedWorld({ reply: () => ANSWER });
  const providers =
    tpm === undefined
      ? [
          new NIM(world.nim.keys.map(String)),
          new OpenRouter(world.openrouter.keys.map(String)),
          new GoogleAIStudio(world.google.keys.map(String)),
        ]
      : [new NIM(world.nim.keys.map(String).slice(0, 1), { tpm })];
  const llm = new FreeLLM(
    { providers, fetch: inProcessFetch(world, clock), strategy: 'priority' },
    { clock, cache: memoryCache(), env: {} },
  );
  return { clock, world, llm };
}

const FAULTS: readonly Fault[] = [
  { kind: 'reset' },
  { kind: 'outage' },
  { kind: 'hang' },
  { kind: 'unauthorized' },
  { kind: 'out-of-credits' },
  { kind: 'retired' },
  { kind: 'not-entitled' },
  { kind: 'congested' },
  { kind: 'server-error' },
  { kind: 'error-in-200' },
  { kind: 'empty' },
  { kind: 'malformed' },
  { kind: 'garbage' },
  { kind: 'cut' },
  { kind: 'content-filter' },
  { kind: 'limits', rpm: 1 },
];

it.each(FAULTS)('$kind', async (fault) => {
  for (const ask of Object.values(ASKING)) {
    const { clock, world, llm } = settingOf();
    world.nim.script(fault);
    for (let count = 0; count < 3; count += 1) expect(await clock.run(ask(llm))).toBe(ANSWER);
    expect(llm.health().filter(({ provider, ready }) => provider !== 'nim' && !ready)).toEqual([]);
    await llm.close();
  }
});

it.each(Object.entries(ASKING))('the tokens of %s() are taken from a meter of tokens', async (_name, ask) => {
  const { clock, llm } = settingOf(5);
  await clock.run(ask(llm));
  const error: unknown = await clock.run(ask(llm).catch((thrown: unknown) => thrown));
  expect(error).toBeInstanceOf(NoProvidersAvailableError);
  expect(error instanceof NoProvidersAvailableError ? error.readyAt : 0).toBeGreaterThan(
    clock.now() + 50_000,
  );
  await clock.advance(61_000);
  expect(await clock.run(ask(llm))).toBe(ANSWER);
  await llm.close();
});
