/** A FreeLLM over a simulated world on virtual time: one description makes both, so that their keys and models agree. */

import {
  type ChatOptions,
  FreeLLM,
  type FreeLLMOptions,
  type FreeLLMEvent,
  GoogleAIStudio,
  type ImageSource,
  type KeyInput,
  type ModelCache,
  type ModelSpec,
  NIM,
  OpenAICompatible,
  OpenRouter,
  type Provider,
  type StateStore,
} from '../../src/index.ts';
import { recordedImages } from './images.ts';
import { memoryCache } from './memory-cache.ts';
import {
  type Fault,
  type Limits,
  type ModelOptions,
  type ProviderName,
  type ReplyFunction,
  SimulatedWorld,
  VirtualClock,
} from '../../src/testing.ts';
import { WorldTransport } from './world-transport.ts';

export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;
/** Noon in London, early morning in California; a whole minute of the clock. */
export const NOON: number = Date.UTC(2026, 9, 10, 12);

/** One model, as the world has it and as the pool is told. */
export interface ModelSetup extends ModelOptions {
  /** What the pool is told besides the id. */
  readonly spec?: Omit<ModelSpec, 'id'> | undefined;
}

/** One provider of the pool and of the world. */
export interface ProviderSetup {
  /** One list of keys for every account; the keys are also their names. Default: one key. */
  readonly accounts?: readonly (readonly string[])[] | undefined;
  /** Default: one model that every provider has a name of its own for. */
  readonly models?: readonly (string | ModelSetup)[] | undefined;
  /** The world's limits, where they are not the usual ones. */
  readonly limits?: Limits | undefined;
  readonly latencyMs?: number | undefined;
  readonly faults?: readonly Fault[] | undefined;
  /** The pool's own limits, where they are not the documented ones. */
  readonly rpm?: number | undefined;
  readonly rpd?: number | undefined;
  readonly priority?: number | undefined;
  readonly prefer?: readonly string[] | undefined;
  /** Whether the pool fetches the list of models instead of being told. */
  readonly discover?: boolean | undefined;
}

export interface SimulatedPoolOptions extends Omit<FreeLLMOptions, 'providers'> {
  readonly openrouter?: ProviderSetup | undefined;
  readonly google?: ProviderSetup | undefined;
  readonly nim?: ProviderSetup | undefined;
  readonly custom?: ProviderSetup | undefined;
  /** Epoch ms at which the clock starts. Default {@link NOON}. */
  readonly startAt?: number | undefined;
  readonly cache?: ModelCache | undefined;
  readonly reply?: ReplyFunction | undefined;
  /** Images by URL. Default: a PNG at every URL. */
  readonly images?: ImageSource | undefined;
}

const NAMES = ['openrouter', 'google', 'nim', 'custom'] as const satisfies readonly ProviderName[];

/** A usual key and model for every provider. */
export const KEY: Readonly<Record<ProviderName, string>> = {
  openrouter: 'key-of-openrouter',
  google: 'key-of-google',
  nim: 'key-of-nim',
  custom: 'key-of-custom',
};
export const MODEL: Readonly<Record<ProviderName, string>> = {
  openrouter: 'cohere/north-mini-code:free',
  google: 'gemini-3.8-flash',
  nim: 'z-ai/glm-5.3',
  custom: 'custom-large',
};

function keysOf(name: ProviderName, { accounts = [[KEY[name]]] }: ProviderSetup): readonly KeyInput[] {
  return accounts.flatMap((keys, index) => keys.map((key) => ({ key, account: `account-${index}` })));
}

function modelsOf(name: ProviderName, { models = [MODEL[name]] }: ProviderSetup): readonly ModelSetup[] {
  return models.map((model) => (typeof model === 'string' ? { id: model } : model));
}

function specsOf(name: ProviderName, provider: ProviderSetup): readonly ModelSpec[] | undefined {
  if (provider.discover === true) return undefined;
  return modelsOf(name, provider).map(({ id, spec }) => ({ tags: ['chat', 'tools', 'vision'], ...spec, id }));
}

function makeWorld(options: SimulatedPoolOptions): SimulatedWorld {
  const side = (name: ProviderName): object => {
    const provider = options[name];
    if (provider === undefined) return { keys: [] };
    const { limits, latencyMs, faults } = provider;
    return { keys: keysOf(name, provider), models: modelsOf(name, provider), limits, latencyMs, faults };
  };
  return new SimulatedWorld({
    openrouter: side('openrouter'),
    google: side('google'),
    nim: side('nim'),
    custom: side('custom'),
    reply: options.reply,
  });
}

function makeProvider(name: ProviderName, provider: ProviderSetup, baseUrl: string): Provider {
  const { rpm, rpd, priority, prefer, discover = false } = provider;
  const keys = keysOf(name, provider);
  const options = { rpm, rpd, priority, prefer, discover, models: specsOf(name, provider) };
  switch (name) {
    case 'openrouter':
      return new OpenRouter(keys, options);
    case 'google':
      return new GoogleAIStudio(keys, options);
    case 'nim':
      return new NIM(keys, options);
    case 'custom':
      return new OpenAICompatible(keys, { ...options, name: 'custom', baseUrl, allowInsecureHttp: true });
  }
}

/** A pool, its world and its time. */
export interface SimulatedPool {
  readonly llm: FreeLLM;
  readonly world: SimulatedWorld;
  readonly clock: VirtualClock;
  readonly transport: WorldTransport;
  readonly events: readonly FreeLLMEvent[];
  /** Lets the clock run until the promise is settled. */
  readonly run: <T>(promise: Promise<T>) => Promise<T>;
  /** Runs to what the promise rejects with; undefined when it does not. */
  readonly fails: (promise: Promise<unknown>) => Promise<unknown>;
  /** The requests that arrived, as `key model`. */
  readonly routes: () => readonly string[];
  /** How many requests arrived. */
  readonly requests: () => number;
  /** Makes one call after the other and tells each one's way, as `key model → key model`, with the error that it ended with. */
  readonly trace: (calls: number, options?: ChatOptions) => Promise<readonly string[]>;
  /** Requests of another program with the same key: the provider counts them, the pool does not know of them. */
  readonly elsewhere: (name: ProviderName, key: string, model: string, count: number) => void;
  /** Another FreeLLM over the same world, time and provider settings. */
  readonly sibling: (options?: Omit<FreeLLMOptions, 'providers'>) => FreeLLM;
}

/** Sets up a world with the providers that are named, and a FreeLLM over them in the order in which they are. */
export function simulatedPool(options: SimulatedPoolOptions): SimulatedPool {
  const { openrouter, google, nim, custom, startAt = NOON, cache = memoryCache(), reply, ...given } = options;
  const { images = recordedImages(), ...own } = given;
  const named = Object.keys(options).flatMap((key) => NAMES.find((name) => name === key) ?? []);
  const world = makeWorld({ openrouter, google, nim, custom, reply });
  const clock = new VirtualClock(startAt);
  const transport = new WorldTransport(world, clock);
  const events: FreeLLMEvent[] = [];
  const onEvent = (event: FreeLLMEvent): void => {
    events.push(event);
  };
  const make = (more: Omit<FreeLLMOptions, 'providers'>): FreeLLM => {
    const providers = named.flatMap((name) => {
      const provider = options[name];
      return provider === undefined ? [] : [makeProvider(name, provider, world[name].baseUrl)];
    });
    return new FreeLLM({ onEvent, ...more, providers }, { clock, transport, cache, images, env: {} });
  };
  const llm = make(own);
  const fails = (promise: Promise<unknown>): Promise<unknown> =>
    clock.run(
      promise.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
  const routes = (): string[] => transport.sent.map(({ key, model }) => `${key} ${model}`);
  return {
    llm,
    world,
    clock,
    transport,
    events,
    run: (promise) => clock.run(promise),
    fails,
    routes,
    requests: () => transport.sent.length,
    trace: async (calls, callOptions) => {
      const ways: string[] = [];
      for (let made = 0; made < calls; made += 1) {
        const before = transport.sent.length;
        const error = await fails(llm.chat('Hello', callOptions));
        const way = routes().slice(before);
        ways.push([...way, ...(error instanceof Error ? [error.name] : [])].join(' → '));
      }
      return ways;
    },
    elsewhere: (name, key, model, count) => {
      const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] });
      const path = `${new URL(world[name].baseUrl).pathname}/chat/completions`;
      const headers = { authorization: `Bearer ${key}` };
      for (let sent = 0; sent < count; sent += 1)
        world[name].answer({ method: 'POST', path, headers, body }, clock.now());
    },
    sibling: (more = {}) => make({ ...own, ...more }),
  };
}

/** A store whose answers come later, in virtual time where a delay is given. */
export function laterStore(store: StateStore, later: () => Promise<void>): StateStore {
  return {
    read: async (ids) => {
      await later();
      return store.read(ids);
    },
    swap: async (id, expectedVersion, next) => {
      await later();
      return store.swap(id, expectedVersion, next);
    },
  };
}
