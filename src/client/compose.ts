/** Puts a pool together: the only place that knows every room. */

import { type Listed, refusePaid, stagesFor } from '../models/candidates.ts';
import { defaultCacheDir, diskCache } from '../models/disk-cache.ts';
import type { ModelSource } from '../models/model-source.ts';
import { ModelRegistry } from '../models/registry.ts';
import { sizeTags } from '../models/size-tags.ts';
import type { Choice, Pick } from '../core/plan.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { PoolProvider, Stage } from '../core/pool.ts';
import { STRATEGIES } from '../core/strategy.ts';
import { chatOperation, type ChatOperationPorts } from '../engine/chat.ts';
import { chatStreamOperation, type StreamRequest } from '../engine/chat-stream.ts';
import type { Operation } from '../engine/operation.ts';
import { Turns } from '../engine/turns.ts';
import type { Clock, ModelCache, StateStore, Transport } from '../ports.ts';
import type { Provider } from '../providers/provider.ts';
import { redactor, type Redact } from '../providers/redact.ts';
import { memoryStore } from '../stores/memory.ts';
import { fetchTransport } from '../transports/fetch.ts';
import { undiciTransport } from '../transports/undici.ts';
import { VERSION } from '../version.ts';
import type { ChatBody } from '../wire/chat-request.ts';
import type { ChatCompletion } from '../wire/chat-response.ts';
import type { StreamPart } from '../wire/stream-part.ts';
import type { EventListener, FreeLMEvent } from './events.ts';
import { cacheDirFrom, cacheTtlFrom, type Environment } from './from-env.ts';
import type { FreeLLMOptions } from './options.ts';
import { systemClock } from './system-ports.ts';

/** What a pool is put together over; all of it can be replaced. */
export interface Ports {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly store: StateStore;
  readonly cache: ModelCache;
  readonly env: Environment;
}

const DEFAULT_CACHE_TTL_MS = 3_600_000;

/** A pool, put together. */
export interface Pool {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly registry: ModelRegistry;
  readonly turns: Turns;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly chat: Operation<ChatBody, ChatCompletion>;
  readonly chatStream: Operation<StreamRequest, StreamPart>;
  readonly redact: Redact;
  /** Whether anybody listens: an event that nobody hears is not made. */
  readonly listening: boolean;
  readonly emit: (event: FreeLMEvent) => void;
  maskOf(provider: string, keyId: string): string;
  choice(turn: number): Choice;
  /** @throws ConfigError for a model that would cost money, before anything is sent. */
  refusePaid(models: readonly string[]): void;
  /** Whether some provider is known to have a model of this id. */
  lists(id: string): boolean;
  /** Every provider with all its models. */
  everything(): Stage;
  stages(models: readonly string[], capabilities: readonly string[]): readonly Stage[];
}

function toPoolProvider(provider: Provider, index: number): PoolProvider {
  return {
    name: provider.name,
    index,
    recordId: provider.recordId,
    priority: provider.options.priority ?? 0,
    accounts: provider.accounts,
    trip: (kind) => provider.trip(kind),
  };
}

/** A model that the user named without tags is a chat model whose size its name tells. */
function toModelSpec(model: ModelSpec | string): ModelSpec {
  const spec = typeof model === 'string' ? { id: model } : model;
  return spec.tags === undefined ? { ...spec, tags: ['chat', ...sizeTags(spec.id)] } : spec;
}

function toSource(provider: Provider, redact: Redact, defaultTtlMs: number): ModelSource {
  const { spec, options } = provider;
  const discovers = spec.discovery !== undefined && (options.discover ?? spec.discovery.default);
  const first = provider.keys[0];
  return {
    name: provider.name,
    cacheId: `${provider.recordId}:${options.discoverFreeOnly === false ? 'all' : 'free'}`,
    builtIn: spec.models,
    userModels: options.models?.map(toModelSpec),
    cacheTtlMs: options.cacheTtlMs ?? defaultTtlMs,
    discovery:
      discovers && spec.discovery !== undefined
        ? {
            url: provider.baseUrl + spec.discovery.path,
            headers: () => ({
              'user-agent': `freelm/${VERSION}`,
              accept: 'application/json',
              ...(spec.discovery?.needsKey === true && first !== undefined
                ? provider.headersFor(first.keyId)
                : provider.headersWithoutKey()),
            }),
            redact,
            freeOnly: options.discoverFreeOnly !== false,
            freePattern: spec.discovery.freePattern,
            exclude: spec.discovery.exclude,
          }
        : undefined,
  };
}

function transportFor(options: FreeLLMOptions, env: Environment): Transport {
  return options.fetch === undefined
    ? undiciTransport({ dispatcher: options.dispatcher, env })
    : fetchTransport(options.fetch);
}

/** More different questions than this are not remembered at once. */
const MAX_QUESTIONS = 1000;

/** Remembers the stages of each question until a list of models changes. */
function stageMemory(listed: () => readonly Listed[], registry: ModelRegistry): Pool['stages'] {
  const known = new Map<string, readonly Stage[]>();
  let version = registry.version;
  return (models, capabilities) => {
    if (version !== registry.version) {
      known.clear();
      version = registry.version;
    }
    const question = JSON.stringify([models, capabilities]);
    let stages = known.get(question);
    if (stages === undefined) {
      stages = stagesFor(models, listed(), capabilities);
      if (known.size >= MAX_QUESTIONS) known.clear();
      known.set(question, stages);
    }
    return stages;
  };
}

/** A listener's bug must not cost a call; that of an asynchronous one shows later. */
function emitterFor(listener: EventListener | undefined): Pool['emit'] {
  return (event) => {
    try {
      const told: unknown = listener?.(event);
      if (told instanceof Promise) told.catch(() => undefined);
    } catch {
      // Nobody is left to be told.
    }
  };
}

function redactorFor(providers: readonly Provider[]): Redact {
  return redactor(
    providers.flatMap((provider) => provider.secrets()),
    providers.map((provider) => provider.spec.keyPattern),
  );
}

/** Puts a pool together from checked options. */
export function compose(options: FreeLLMOptions, replaced: Partial<Ports> = {}): Pool {
  const env = replaced.env ?? process.env;
  const clock = replaced.clock ?? systemClock;
  const transport = replaced.transport ?? transportFor(options, env);
  const redact = redactorFor(options.providers);
  const emit = emitterFor(options.onEvent);
  const ttlMs = cacheTtlFrom(env) ?? DEFAULT_CACHE_TTL_MS;
  const registry = new ModelRegistry({
    sources: options.providers.map((provider) => toSource(provider, redact, ttlMs)),
    clock,
    transport,
    cache: replaced.cache ?? diskCache(options.cacheDir ?? cacheDirFrom(env) ?? defaultCacheDir),
    onDiscovery: (report) => {
      emit({ type: 'discovery', ...report });
    },
  });
  const providers = new Map(options.providers.map((provider) => [provider.name, provider]));
  const pool = options.providers.map(toPoolProvider);
  const listed = (): readonly Listed[] =>
    pool.map((poolProvider, index) => ({
      provider: options.providers[index] ?? missing(poolProvider.name),
      pool: poolProvider,
      models: registry.models(poolProvider.name),
    }));
  const providerOf = (name: string): Provider => providers.get(name) ?? missing(name);
  const strategy = options.strategy ?? 'quota_aware';
  const chatPorts: ChatOperationPorts = {
    clock,
    redact,
    userAgent: `freelm/${VERSION}`,
    providerOf: ({ route }: Pick) => providerOf(route.provider),
  };
  const chat = chatOperation(chatPorts);
  return {
    clock,
    transport,
    registry,
    turns: new Turns(options.store ?? replaced.store ?? memoryStore(), clock),
    providers,
    redact,
    listening: options.onEvent !== undefined,
    emit,
    chat,
    chatStream: chatStreamOperation(chatPorts, chat),
    maskOf: (provider, keyId) => providerOf(provider).maskOf(keyId),
    choice: (turn) => ({
      order: typeof strategy === 'function' ? strategy : STRATEGIES[strategy],
      thrifty: strategy === 'quota_aware',
      turn,
    }),
    refusePaid: (models) => {
      refusePaid(models, listed());
    },
    lists: (id) => listed().some(({ models }) => models.some((model) => model.id === id)),
    everything: () => listed().map(({ pool: provider, models }) => ({ provider, models })),
    stages: stageMemory(listed, registry),
  };
}

function missing(name: string): never {
  throw new Error(`the pool has no provider ${name}`);
}
