/** The composition root: the only place that knows every room. */

import type { Listed } from '../catalog/candidates.ts';
import type { ModelRegistry } from '../catalog/registry.ts';
import type { Preferences, Target } from '../core/routing/question.ts';
import type { PoolAccount, PoolProvider, Route } from '../core/pool.ts';
import { STRATEGIES } from '../core/routing/strategy.ts';
import { checkedStrategy } from './checked-strategy.ts';
import { schemaCheck } from './schema-check.ts';
import { chatOperation, type ChatOperationPorts } from '../engine/chat.ts';
import { chatStreamOperation, type StreamBatch, type StreamRequest } from '../engine/chat-stream.ts';
import type { ImagePorts } from '../engine/images.ts';
import { type EmbedBatch, embedOperation, type EmbedPart } from '../engine/embed.ts';
import type { StreamOperation, WholeOperation } from '../engine/operation.ts';
import { Ledger } from '../engine/ledger.ts';
import type { Clock, ImageSource, ModelCache, StateStore, TextArchive, Transport } from '../ports.ts';
import type { Provider } from '../providers/provider.ts';
import { redactor, type Redact } from '../providers/key.ts';
import { withFallback } from '../adapters/fallback-store.ts';
import { storeClock } from '../adapters/store-clock.ts';
import { fetchTransport } from '../adapters/fetch.ts';
import { foreignTransport } from '../adapters/foreign-transport.ts';
import { publicImages } from '../adapters/image-source.ts';
import { undiciTransport } from '../adapters/undici.ts';
import { VERSION } from '../version.ts';
import type { ChatBody } from '../wire/request/chat-body.ts';
import type { ChatCompletion, ToolCallIds } from '../wire/response/chat-response.ts';
import { Events, type FreeLLMEvent } from './events.ts';
import { cacheTtlFrom, type Environment, spendFrom } from './env/from-env.ts';
import type { FreeLLMOptions } from './options.ts';
import { type Finders, findersOf } from './stages.ts';
import { archiveFor, cacheFor, stateFor } from './storage.ts';
import { registryFor } from './model-lists.ts';
import { withProviderWarnings } from './stale-facts.ts';
import { randomId, systemClock } from '../adapters/system.ts';
import { HOUR_MS } from '../core/time.ts';
import { amountText } from '../money.ts';

/** The outside world of a pool. Each part can be replaced, e.g. in tests. */
export interface Ports {
  /** A clock without `monotonicMs` measures spans by `now`, so it must not jump. */
  readonly clock: Clock | Omit<Clock, 'monotonicMs'>;
  readonly transport: Transport;
  readonly store: StateStore;
  readonly cache: ModelCache;
  readonly images: ImageSource;
  readonly env: Environment;
}

const DEFAULT_CACHE_TTL_MS = HOUR_MS;

export interface Pool extends Finders {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly images: ImageSource;
  readonly registry: ModelRegistry;
  readonly ledger: Ledger;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly chat: WholeOperation<ChatBody, ChatCompletion>;
  readonly chatStream: StreamOperation<StreamRequest, StreamBatch>;
  readonly embed: WholeOperation<EmbedBatch, EmbedPart>;
  readonly redact: Redact;
  /** Keeps answers for clients that refer to them later. Undefined: answers are kept in memory only. */
  readonly archive: TextArchive | undefined;
  readonly events: Events;
  /** Emits an event. This is cheap without listeners, but check `events.isObserved` before building one. */
  readonly emit: (event: FreeLLMEvent) => void;
  maskOf(provider: string, keyId: string): string;
  choice(turn: number, previousRoute?: Route): Preferences;
}

/** Whether the user allows calls of a provider that cost money. spec 11.8 */
function maySpend({ options }: Provider, spend: FreeLLMOptions['spend']): boolean {
  return spend === 'allow' || (spend === undefined && options.freeOnly === false);
}

function toPoolProvider(provider: Provider, index: number, spend: FreeLLMOptions['spend']): PoolProvider {
  const mayBill = maySpend(provider, spend);
  const namesTier = ({ keyIds: [keyId = ''] }: PoolAccount): boolean =>
    provider.tierOf(keyId) !== provider.spec.defaultTier;
  return {
    name: provider.name,
    index,
    recordId: provider.recordId,
    priority: provider.options.priority ?? 0,
    accounts: provider.accounts.map((account) => ({
      ...account,
      isBilled: !mayBill && account.freeBecause === undefined && !(spend === undefined && namesTier(account)),
    })),
    maySpend: mayBill,
    maxTokensWhenUnset: provider.spec.request?.maxTokensWhenUnset,
    trip: (kind) => provider.trip(kind),
  };
}

function transportFor(options: FreeLLMOptions, env: Environment, clock: Clock): Transport {
  return options.fetch === undefined
    ? undiciTransport({ dispatcher: options.dispatcher, env })
    : fetchTransport(options.fetch, clock);
}

function redactorFor(providers: readonly Provider[]): Redact {
  return redactor(
    providers.flatMap((provider) => provider.secrets()),
    providers.map((provider) => provider.spec.keyPattern),
  );
}

function ledgerFor(
  store: StateStore,
  clock: Clock,
  providers: readonly Provider[],
  warn: (message: string) => void,
): Ledger {
  return new Ledger(
    store,
    clock,
    ({ provider: { name } }, merged) => {
      const provider = providers.find((one) => one.name === name) ?? missing(name);
      warn(sharedAccountText(provider, merged));
    },
    ({ name, maySpend: isAllowed }, model, amount, isWhole) => {
      if (isAllowed !== true) warn(billedText(name, model, amount, isWhole));
    },
  );
}

function choiceOf(strategy: FreeLLMOptions['strategy'] = 'quota_aware'): Pool['choice'] {
  const order = typeof strategy === 'function' ? checkedStrategy(strategy) : STRATEGIES[strategy];
  const preferCheapest = strategy === 'quota_aware';
  return (turn, previousRoute) => ({ order, preferCheapest, turn, previousRoute });
}

/** All providers with their current models. */
function listedBy(
  providers: readonly Provider[],
  pool: readonly PoolProvider[],
  registry: ModelRegistry,
): readonly Listed[] {
  return pool.map((poolProvider, index) => ({
    provider: providers[index] ?? missing(poolProvider.name),
    pool: poolProvider,
    models: registry.models(poolProvider.name),
  }));
}

function withMonotonic(clock: Ports['clock']): Clock {
  if ('monotonicMs' in clock) return clock;
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.now(),
    after: (delayMs, callback, background) => clock.after(delayMs, callback, background),
    yieldIfBusy: () => clock.yieldIfBusy?.(),
  };
}

/**
 * Ids for the tool calls of one answer. A provider's own id is kept unless a call of the conversation already has it. A
 * random part makes the other ids unique across answers and processes.
 */
// spec 13.3
function newToolCallIds(taken: () => ReadonlySet<string>): ToolCallIds {
  let used: Set<string> | undefined;
  let answer: string | undefined;
  return (index, given) => {
    used ??= new Set(taken());
    const isFree = given !== undefined && !used.has(given);
    const id = isFree ? given : `call_${(answer ??= randomId().slice(0, 12))}_${index}`;
    used.add(id);
    return id;
  };
}

function chatPortsFor(
  { clock, images }: ImagePorts,
  redact: Redact,
  providerOf: (name: string) => Provider,
): ChatOperationPorts {
  return {
    clock,
    images,
    redact,
    userAgent: `freelm/${VERSION}`,
    providerOf: ({ route }: Target) => providerOf(route.provider),
    checkOf: schemaCheck,
    toolCallIds: newToolCallIds,
  };
}

/** The clock and the transport. */
function sendingParts(
  options: FreeLLMOptions,
  env: Environment,
  replaced: Partial<Ports>,
): Pick<Pool, 'clock' | 'transport' | 'images'> {
  const clock = storeClock(withMonotonic(replaced.clock ?? systemClock), options.store ?? replaced.store);
  const { transport: foreign, images = publicImages() } = replaced;
  const transport =
    foreign === undefined ? transportFor(options, env, clock) : foreignTransport(foreign, clock);
  return { clock, transport, images };
}

/** Builds a pool from checked options. */
export function compose(options: FreeLLMOptions, replaced: Partial<Ports> = {}): Pool {
  const env = replaced.env ?? process.env;
  const givenStore = options.store ?? replaced.store;
  const { clock, transport, images } = sendingParts(options, env, replaced);
  const redact = redactorFor(options.providers);
  const events = new Events(options.onEvent);
  const emit = withProviderWarnings(events.emit, options.providers, clock);
  const ttlMs = cacheTtlFrom(env) ?? DEFAULT_CACHE_TTL_MS;
  const warn = (message: string): void => events.emit({ type: 'warning', message: redact(message) });
  const fallback = { clock, onWarning: warn };
  // Times of a virtual clock are meaningless to other processes.
  const isReal = replaced.cache === undefined && replaced.clock === undefined;
  const store =
    givenStore === undefined ? stateFor(options, env, isReal, fallback) : withFallback(givenStore, fallback);
  const ledger = ledgerFor(store, clock, options.providers, warn);
  const providers = new Map(options.providers.map((provider) => [provider.name, provider]));
  const providerOf = (name: string): Provider => providers.get(name) ?? missing(name);
  const cache = replaced.cache ?? cacheFor(options, env);
  const registry = registryFor({ clock, transport, cache, redact, providers }, ttlMs, {
    emit,
    warn,
    onPrice: (name, model, price) => void notePrice(ledger, pool, name, model, price),
  });
  const spend = options.spend ?? spendFrom(env);
  const pool = options.providers.map((provider, index) => toPoolProvider(provider, index, spend));
  const listed = (): readonly Listed[] => listedBy(options.providers, pool, registry);
  const chatPorts = chatPortsFor({ clock, images }, redact, providerOf);
  const chat = chatOperation(chatPorts);
  return {
    archive: givenStore === undefined ? archiveFor(options, env, isReal, () => clock.now()) : undefined,
    clock,
    transport,
    images,
    registry,
    ledger,
    providers,
    redact,
    events,
    emit,
    chat,
    chatStream: chatStreamOperation(chatPorts, chat),
    embed: embedOperation(chatPorts),
    maskOf: (provider, keyId) => providerOf(provider).maskOf(keyId),
    choice: choiceOf(options.strategy),
    ...findersOf(options, { listed, registry, redact, emit }),
  };
}

/** If the store fails, the price is not noted. The next list reports it again. */
async function notePrice(
  ledger: Ledger,
  pool: readonly PoolProvider[],
  name: string,
  model: string,
  price: number,
): Promise<void> {
  const provider = pool.find((one) => one.name === name);
  if (provider === undefined) return;
  try {
    await ledger.notePrice(provider, model, price);
  } catch {
    // The list itself says that the model costs money.
  }
}

function billedText(provider: string, model: string, amount: number, isWhole: boolean): string {
  const closed = isWhole ? `${provider}, because another model was billed before` : 'it';
  return `${provider} charges for ${model}: ${amountText(amount)} was stated. freelm no longer calls ${closed}. Pass spend: 'allow' to use models that cost money.`;
}

function sharedAccountText(provider: Provider, accounts: readonly string[]): string {
  const keys = provider.keys.filter(({ account }) => accounts.includes(account)).map(({ mask }) => mask);
  return `${provider.name} counts the ${keys.length === 1 ? 'key' : 'keys'} ${keys.join(', ')} against the same account as another key of the pool, so that they share one quota. Give keys of one account the same "account" option.`;
}

function missing(name: string): never {
  throw new Error(`the pool has no provider ${name}`);
}
