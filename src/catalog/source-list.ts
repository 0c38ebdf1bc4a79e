import { unlessAborted } from '../abort.ts';
import { kindOf, type ModelSpec } from '../core/model.ts';
import type { Clock, ModelCache, Transport } from '../ports.ts';
import { listedPrices, readModelList } from './discover.ts';
import { fetchModelList, type ModelListSource } from './fetch-list.ts';
import { offerTest, type OfferRules } from './list-entry.ts';
import { decodeStoredList, encodeStoredList, type StoredList } from './stored-list.ts';
import type { ListShape } from '../providers/spec.ts';
import { MINUTE_MS } from '../core/time.ts';

/** The ports and listeners of a list. */
export interface SourceListContext {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly cache: ModelCache;
  readonly onChange: () => void;
  readonly onDiscovery: (report: DiscoveryReport) => void;
  readonly onPrice: (provider: string, model: string, price: number) => void;
}

/** A discovery in flight. Its promises never reject. */
export interface Flight {
  /** Monotonic ms. */
  readonly startedMs: number;
  /** How long a call waits for it at most. */
  readonly maxWaitMs: number;
  /** Settles when a list is available, or none will be. */
  readonly usable: Promise<void>;
  readonly done: Promise<void>;
}

interface OwnFlight extends Flight {
  /** Asks the provider even if the cached list is fresh. */
  forced: boolean;
  stage: 'reading-cache' | 'requesting' | 'received';
  readonly controller: AbortController;
  readonly markUsable: () => void;
}

/** Bounds one discovery, retries included. */
const DISCOVERY_TIMEOUT_MS = 15_000;
const FIRST_BACKOFF_MS = MINUTE_MS;
const LONGEST_BACKOFF_MS = 30 * MINUTE_MS;

const nothing = (): void => undefined;

/** A promise and the function that resolves it. `Promise.withResolvers` is not in Node 20. */
function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let settle = nothing;
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: () => settle() };
}

/** One provider's models: the user's own, else the discovered ones, else the built-in ones. */
// spec 10.1, 10.6
export class SourceList {
  readonly #source: ModelSource;
  readonly #context: SourceListContext;
  /** The built-in models of which a list names none, e.g. embedding models in a list of chat models. */
  readonly #kept: readonly ModelSpec[];
  #models: readonly ModelSpec[];
  /** Epoch ms of the list in use; undefined before the first discovery. */
  #savedAt: number | undefined;
  #failures = 0;
  /** Monotonic ms before which the provider is not asked again after a failure. */
  #retryMs = Number.NEGATIVE_INFINITY;
  #flight: OwnFlight | undefined;
  #closed = false;
  /** The latest write to the cache. Never rejects. */
  #saved: Promise<void> = Promise.resolve();

  constructor(source: ModelSource, context: SourceListContext) {
    this.#source = source;
    this.#context = context;
    const embeddings = source.builtIn.filter((model) => kindOf(model) === 'embedding');
    this.#kept = source.discovery?.embeddings === undefined ? embeddings : [];
    this.#models = source.userModels ?? source.builtIn;
  }

  /** The same array until the list changes. */
  get models(): readonly ModelSpec[] {
    return this.#models;
  }

  /**
   * Starts a discovery if one is due. Returns the one that a call should wait for, which is only the first: later, the
   * old list serves while it is replaced in the background.
   */
  prepare(): Flight | undefined {
    const discovery = this.#discovery();
    if (discovery === undefined) return undefined;
    if (this.#flight === undefined && this.#due()) this.#start(discovery, false);
    return this.#savedAt === undefined ? this.#flight : undefined;
  }

  /** Asks the provider, even if the list is fresh or the last discovery failed. Never rejects. */
  async refresh(): Promise<void> {
    const discovery = this.#discovery();
    if (discovery === undefined) return;
    const inFlight = this.#flight;
    if (inFlight !== undefined) {
      inFlight.forced = true;
      await inFlight.done;
      if (inFlight.stage !== 'reading-cache' || this.#closed) return;
    }
    await (this.#flight ?? this.#start(discovery, true)).done;
  }

  /** Aborts the discovery in flight and starts no others. Resolves when a list that has arrived is in the cache. */
  close(): Promise<void> {
    this.#closed = true;
    this.#flight?.controller.abort(new Error('the client was closed'));
    return this.#saved;
  }

  #discovery(): ModelDiscovery | undefined {
    const usersOwn = this.#source.userModels !== undefined;
    return this.#closed || usersOwn ? undefined : this.#source.discovery;
  }

  get #longestPauseMs(): number {
    return this.#source.discovery?.longestPauseMs ?? LONGEST_BACKOFF_MS;
  }

  #fresh(now: number): boolean {
    if (this.#savedAt === undefined) return false;
    const age = now - this.#savedAt;
    // After a clock was set back, a negative age means nothing.
    return age >= 0 && age < this.#source.cacheTtlMs;
  }

  #due(): boolean {
    const { clock } = this.#context;
    return clock.monotonicMs() >= this.#retryMs && !this.#fresh(clock.now());
  }

  #start(discovery: ModelDiscovery, forced: boolean): OwnFlight {
    const { clock } = this.#context;
    const controller = new AbortController();
    const usable = deferred();
    const done = deferred();
    const flight: OwnFlight = {
      startedMs: clock.monotonicMs(),
      maxWaitMs: discovery.maxWaitMs ?? Number.POSITIVE_INFINITY,
      usable: usable.promise,
      done: done.promise,
      forced,
      stage: 'reading-cache',
      controller,
      markUsable: usable.resolve,
    };
    this.#flight = flight;
    const onTimeout = (): void => {
      controller.abort(new Error(`no complete answer within ${DISCOVERY_TIMEOUT_MS} ms`));
    };
    const cancelTimeout = clock.after(DISCOVERY_TIMEOUT_MS, onTimeout, true);
    const finish = (): void => {
      cancelTimeout();
      this.#flight = undefined;
      flight.markUsable();
      done.resolve();
    };
    void unlessAborted(this.#discover(flight, discovery), controller.signal)
      .catch((error: unknown) => this.#fail(flight, error))
      .then(finish);
    return flight;
  }

  async #discover(flight: OwnFlight, discovery: ModelDiscovery): Promise<void> {
    const { clock, transport, cache } = this.#context;
    const { signal } = flight.controller;
    await this.#readCache(flight, discovery);
    if (signal.aborted || (!flight.forced && this.#fresh(clock.now()))) return;
    flight.stage = 'requesting';
    const body = await fetchModelList(discovery, { clock, transport }, signal);
    if (signal.aborted) return;
    const savedAt = clock.now();
    const builtIn = this.#source.builtIn.filter((model) => !this.#kept.includes(model));
    const models = readModelList(body, { ...discovery, now: savedAt, builtIn });
    for (const [model, price] of listedPrices(body, { ...discovery, builtIn: this.#source.builtIn })) {
      this.#context.onPrice(this.#source.name, model, price);
    }
    if (models.length === 0) throw new Error('the answer lists no usable model');
    flight.stage = 'received';
    this.#failures = 0;
    this.#retryMs = Number.NEGATIVE_INFINITY;
    this.#adopt({ savedAt, models });
    this.#report(flight, 'live');
    flight.markUsable();
    this.#saved = cache.write(this.#source.cacheId, encodeStoredList({ savedAt, models })).catch(nothing);
    await this.#saved;
  }

  /** Adopts a newer cached list, fresh or not: another process may have asked the provider since. */
  async #readCache(flight: OwnFlight, discovery: ModelDiscovery): Promise<void> {
    const stored = decodeStoredList(await this.#context.cache.read(this.#source.cacheId));
    if (stored === undefined || flight.controller.signal.aborted) return;
    if (this.#savedAt !== undefined && stored.savedAt <= this.#savedAt) return;
    const offered = offerTest(discovery);
    const isPriced = discovery.freeOnly && discovery.freePrices !== undefined;
    const models = stored.models.filter(({ id, free }) => offered(id) && (!isPriced || free === true));
    if (models.length === 0) return;
    this.#adopt({ savedAt: stored.savedAt, models });
    if (!flight.forced) this.#report(flight, 'disk');
    flight.markUsable();
  }

  #adopt(list: StoredList): void {
    this.#savedAt = list.savedAt;
    const models = [...list.models, ...this.#kept];
    if (JSON.stringify(models) === JSON.stringify(this.#models)) return;
    this.#models = models;
    this.#context.onChange();
  }

  #fail(flight: OwnFlight, error: unknown): void {
    if (this.#closed || flight.stage === 'received') return;
    const pauseMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, this.#longestPauseMs);
    this.#failures += 1;
    this.#retryMs = this.#context.clock.monotonicMs() + pauseMs;
    const reason = error instanceof Error ? error.message : String(error);
    const message =
      `fetching the model list of ${this.#source.name} failed: ${reason}; ` +
      `the previous list (${this.#models.length} in all) stays in use, next try in ${pauseMs / 1000} s`;
    this.#report(flight, 'failed', message);
  }

  #report(flight: OwnFlight, outcome: DiscoveryReport['outcome'], message?: string): void {
    this.#context.onDiscovery({
      provider: this.#source.name,
      outcome,
      models: this.#models.length,
      ...(message === undefined ? {} : { message }),
      durationMs: this.#context.clock.monotonicMs() - flight.startedMs,
    });
  }
}

/** How a provider's list is requested, read and filtered. */
export interface ModelDiscovery extends ModelListSource, OfferRules {
  /** How long a call waits for the first list at most. Default: as long as for any other list. */
  readonly maxWaitMs?: number | undefined;
  /** The longest pause after failures. Default half an hour. */
  readonly longestPauseMs?: number | undefined;
  /** Where the list differs from the usual formats. */
  readonly shape?: ListShape | undefined;
  /** Whether the list names all models; if not, the built-in ones stay. Default true. */
  readonly complete?: boolean | undefined;
  /** Globs of the ids of embedding models. Absent: the list names none, and the built-in ones stay. */
  readonly embeddings?: readonly string[] | undefined;
}

/** Where one provider's models come from. */
export interface ModelSource {
  /** The provider's name, unique in a registry. */
  readonly name: string;
  /** The id of the cached list: provider, base URL, and all models or free ones only; never a key. */
  readonly cacheId: string;
  /** The built-in list, best first. */
  readonly builtIn: readonly ModelSpec[];
  /** The user's own list. It replaces all others, and nothing is discovered. */
  readonly userModels?: readonly ModelSpec[] | undefined;
  /** Absent if the provider is never asked for its list. */
  readonly discovery?: ModelDiscovery | undefined;
  /** The age from which a discovered list is replaced in the background. */
  readonly cacheTtlMs: number;
}

/** The result of a discovery. */
export interface DiscoveryReport {
  readonly provider: string;
  /** `live`: the provider answered. `disk`: a cached list was adopted. `failed`: the previous list stays in use. */
  readonly outcome: 'live' | 'disk' | 'failed';
  /** The number of models now in use. */
  readonly models: number;
  /** Only with `failed`: the reason and the time of the next try. */
  readonly message?: string;
  readonly durationMs: number;
}
