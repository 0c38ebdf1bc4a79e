/** Sets up the world and the pool for a day. */

import {
  FreeLLM,
  GoogleAIStudio,
  Groq,
  NIM,
  OpenAICompatible,
  OpenRouter,
  type Provider,
  type StrategyName,
} from '../../src/index.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { replyTo } from '../support/right-answers.ts';
import { type ProviderName, SimulatedWorld, VirtualClock } from '../../src/testing.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { WorldTransport } from '../support/world-transport.ts';
import { type Day, drawn } from './draw.ts';
import { accountName, type DayProvider, keyName, NAMES, USUAL_LATENCY_MS, USUAL_MODELS } from './scenario.ts';
import { machineOf, storeOf } from './stores.ts';

/** A pool over a simulated world in virtual time. */
export interface DaySetup {
  /** The pool of the process that takes the call of this index now. */
  readonly poolOf: (index: number) => FreeLLM;
  readonly close: () => Promise<void>;
  readonly world: SimulatedWorld;
  readonly clock: VirtualClock;
  readonly transport: WorldTransport;
}

function keysOf(name: ProviderName, { accounts = [1] }: DayProvider): { key: string; account: string }[] {
  return accounts.flatMap((count, account) =>
    Array.from({ length: count }, (_, key) => ({
      key: keyName(name, account, key),
      account: accountName(account),
    })),
  );
}

function makeWorld({ scenario, seed, faults, requirements }: Day): SimulatedWorld {
  const random = seededRandom(seed * 31 + 7);
  const { answerTokens = 1 } = scenario.call;
  const side = (name: ProviderName): object => {
    const provider = scenario.providers[name];
    if (provider === undefined) return { keys: [] };
    const { tier, models = USUAL_MODELS[name], limits, quota, latencyMs = USUAL_LATENCY_MS[name] } = provider;
    const keys = keysOf(name, provider).map((key) => ({ ...key, tier }));
    const own = models.map((id) => ({ id, requirements: requirements.get(name)?.get(id) }));
    return { keys, models: own, limits, quota, latencyMs, faults: faults[name] };
  };
  return new SimulatedWorld({
    openrouter: side('openrouter'),
    google: side('google'),
    nim: side('nim'),
    custom: side('custom'),
    reply: (request) => ({ ...replyTo(request), completionTokens: Math.round(drawn(answerTokens, random)) }),
    seed,
  });
}

function makeProvider(name: ProviderName, provider: DayProvider, baseUrl: string): Provider {
  const { declared = true, tier, models = USUAL_MODELS[name], configured = {} } = provider;
  const keys = keysOf(name, provider).map(({ key, account }) => (declared ? { key, account } : { key }));
  const options = { ...configured, discover: false, models: models.map((id) => ({ id, tags: ['chat'] })) };
  switch (name) {
    case 'openrouter':
      return new OpenRouter(keys, { ...options, tier });
    case 'google':
      return new GoogleAIStudio(keys, options);
    case 'nim':
      return new NIM(keys, options);
    case 'custom':
      if (provider.as === 'groq') return new Groq(keys, { ...options, baseUrl, allowInsecureHttp: true });
      return new OpenAICompatible(keys, { ...options, name, baseUrl, allowInsecureHttp: true });
  }
}

export function setUpDay(day: Day, strategy: StrategyName): DaySetup {
  const { scenario, seed, networkMs } = day;
  const world = makeWorld(day);
  const clock = new VirtualClock(scenario.startAt);
  const transport = new WorldTransport(world, clock);
  const random = seededRandom(seed * 104_729 + 5);
  const [least, most] = networkMs;
  const delayMs = (): number => least + Math.floor(random() * (most - least));
  transport.network = { delayMs, answerDelayMs: delayMs };
  const providers = NAMES.flatMap((name) => {
    const provider = scenario.providers[name];
    return provider === undefined ? [] : [makeProvider(name, provider, world[name].baseUrl)];
  });
  const { waitMs, timeoutMs, attemptTimeoutMs, model } = scenario.call;
  const limits = { wait: waitMs > 0, maxWaitMs: waitMs, timeoutMs, attemptTimeoutMs };
  const options = { providers, strategy, model, ...limits };
  const { processes = 1, restartEveryMs = Number.POSITIVE_INFINITY } = scenario.deployment ?? {};
  const shared = storeOf(scenario.deployment, clock);
  const start = (index: number): FreeLLM => {
    const aheadMs = index * (scenario.deployment?.clocksDifferByMs ?? 0);
    const machine = shared === undefined ? { clock } : machineOf(shared, clock, aheadMs);
    return new FreeLLM(options, { ...machine, transport, cache: memoryCache(), env: {} });
  };
  const running = Array.from({ length: processes }, (_, index) => ({
    llm: start(index),
    since: clock.now(),
  }));
  const poolOf = (index: number): FreeLLM => {
    const at = index % processes;
    let one = running[at];
    if (one === undefined || clock.now() - one.since >= restartEveryMs) {
      one = { llm: start(at), since: clock.now() };
      running[at] = one;
    }
    return one.llm;
  };
  const close = async (): Promise<void> => {
    for (const { llm } of running) await llm.close();
  };
  return { poolOf, close, world, clock, transport };
}
