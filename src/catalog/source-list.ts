/** One provider's model list as it is known now, and the one discovery at a time that betters it. */

import { unlessAborted } from '../abort.ts';
import type { ModelSpec } from '../core/model.ts';
import type { Clock, ModelCache, Transport } from '../ports.ts';
import { readModelList } from './discover.ts';
import { fetchModelList, type ModelListSource } from './fetch-list.ts';
import { offerTest, type OfferRules } from './list-entry.ts';
import { decodeStoredList, encodeStoredList, type StoredList } from './stored-list.ts';
import type { ListShape } from '../providers/spec.ts';
import { MINUTE_MS } from '../core/time.ts';

/** What a list needs of the world around it. */
export interface SourceListContext {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly cache: ModelCache;
  /** Called when the list in use has become another. */
  readonly onChange: () => void;
  readonly onDiscovery: (report: DiscoveryReport) => void;
}

/** A discovery under way. None of its promises rejects. */
export interface Flight {
  /** Epoch ms. */
  readonly startedAt: number;
  /** A call waits no longer than this, in ms. */
  readonly patienceMs: number;
  /** Settles as soon as waiting any longer brings nothing that a call must have. */
  readonly usable: Promise<void>;
  readonly done: Promise<void>;
}

interface OwnFlight extends Flight {
  /** The provider is asked even if the kept list is fresh. */
  forced: boolean;
  stage: 'looking' | 'asked' | 'answered';
  readonly controller: AbortController;
  readonly markUsable: () => void;
}

/** A list endpoint that has not answered by then is given up, retries included. */
const DISCOVERY_LIMIT_MS = 15_000;
const FIRST_BACKOFF_MS = MINUTE_MS;
const LONGEST_BACKOFF_MS = 30 * MINUTE_MS;

const nothing = (): void => undefined;

/** A promise and the function that settles it; `Promise.withResolvers` came after Node 20. */
function milestone(): { readonly reached: Promise<void>; readonly reach: () => void } {
  let reach = nothing;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  return { reached, reach };
}

/** A provider's models: the user's own, else what was discovered, else what is built in. */
export class SourceList {
  readonly #source: ModelSource;
  readonly #context: SourceListContext;
  #models: readonly ModelSpec[];
  /** Epoch ms of the answer in use; `undefined` while nothing was discovered. */
  #savedAt: number | undefined;
  #failures = 0;
  #retryAt = 0;
  #flight: OwnFlight | undefined;
  #closed = false;

  constructor(source: ModelSource, context: SourceListContext) {
    this.#source = source;
    this.#context = context;
    this.#models = source.userModels ?? source.builtIn;
  }

  /** The same array as long as nothing has changed. */
  get models(): readonly ModelSpec[] {
    return this.#models;
  }

  /**
   * Starts a discovery where one is due, and gives the one that a call should wait for: only while nothing was ever
   * discovered. An old list is used while it is replaced beside the call.
   */
  prepare(): Flight | undefined {
    const discovery = this.#discovery();
    if (discovery === undefined) return undefined;
    const now = this.#context.clock.now();
    if (this.#flight === undefined && this.#due(now)) this.#start(discovery, false);
    return this.#savedAt === undefined ? this.#flight : undefined;
  }

  /** Asks the provider, whatever is kept and however lately it failed. Never rejects. */
  async refresh(): Promise<void> {
    const discovery = this.#discovery();
    if (discovery === undefined) return;
    const underWay = this.#flight;
    if (underWay !== undefined) {
      underWay.forced = true;
      await underWay.done;
      if (underWay.stage !== 'looking' || this.#closed) return;
    }
    await (this.#flight ?? this.#start(discovery, true)).done;
  }

  /** Aborts what is under way; nothing is started any more. */
  close(): void {
    this.#closed = true;
    this.#flight?.controller.abort(new Error('the client was closed'));
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
    // An age below zero is a clock that was set back: the list may be of any age.
    return age >= 0 && age < this.#source.cacheTtlMs;
  }

  #due(now: number): boolean {
    const pauseMs = this.#retryAt - now;
    const pausing = pauseMs > 0 && pauseMs <= this.#longestPauseMs;
    return !pausing && !this.#fresh(now);
  }

  #start(discovery: ModelDiscovery, forced: boolean): OwnFlight {
    const { clock } = this.#context;
    const controller = new AbortController();
    const usable = milestone();
    const done = milestone();
    const flight: OwnFlight = {
      startedAt: clock.now(),
      patienceMs: discovery.patienceMs ?? Number.POSITIVE_INFINITY,
      usable: usable.reached,
      done: done.reached,
      forced,
      stage: 'looking',
      controller,
      markUsable: usable.reach,
    };
    this.#flight = flight;
    const giveUp = (): void => {
      controller.abort(new Error(`no complete answer within ${DISCOVERY_LIMIT_MS} ms`));
    };
    const cancelLimit = clock.after(DISCOVERY_LIMIT_MS, giveUp, true);
    const land = (): void => {
      cancelLimit();
      this.#flight = undefined;
      flight.markUsable();
      done.reach();
    };
    void unlessAborted(this.#discover(flight, discovery), controller.signal)
      .catch((error: unknown) => this.#fail(flight, error))
      .then(land);
    return flight;
  }

  async #discover(flight: OwnFlight, discovery: ModelDiscovery): Promise<void> {
    const { clock, transport, cache } = this.#context;
    const { signal } = flight.controller;
    await this.#lookOnDisk(flight, discovery);
    if (signal.aborted || (!flight.forced && this.#fresh(clock.now()))) return;
    flight.stage = 'asked';
    const body = await fetchModelList(discovery, { clock, transport }, signal);
    if (signal.aborted) return;
    const savedAt = clock.now();
    const models = readModelList(body, { ...discovery, now: savedAt, builtIn: this.#source.builtIn });
    if (models.length === 0) throw new Error('the answer names no model that can be used');
    flight.stage = 'answered';
    this.#failures = 0;
    this.#retryAt = 0;
    this.#adopt({ savedAt, models });
    this.#report(flight, 'live');
    flight.markUsable();
    await cache.write(this.#source.cacheId, encodeStoredList({ savedAt, models }));
  }

  /** Another process may have asked since: a kept list that is newer than ours is taken, fresh or not. */
  async #lookOnDisk(flight: OwnFlight, discovery: ModelDiscovery): Promise<void> {
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
    if (JSON.stringify(list.models) === JSON.stringify(this.#models)) return;
    this.#models = list.models;
    this.#context.onChange();
  }

  #fail(flight: OwnFlight, error: unknown): void {
    if (this.#closed || flight.stage === 'answered') return;
    const pauseMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, this.#longestPauseMs);
    this.#failures += 1;
    this.#retryAt = this.#context.clock.now() + pauseMs;
    const why = error instanceof Error ? error.message : String(error);
    const consequence = `the models known before (${this.#models.length}) stay in use, next try in ${pauseMs / 1000} s`;
    this.#report(
      flight,
      'failed',
      `the model list of ${this.#source.name} could not be had: ${why}; ${consequence}`,
    );
  }

  #report(flight: OwnFlight, outcome: DiscoveryReport['outcome'], message?: string): void {
    this.#context.onDiscovery({
      provider: this.#source.name,
      outcome,
      models: this.#models.length,
      ...(message === undefined ? {} : { message }),
      durationMs: this.#context.clock.now() - flight.startedAt,
    });
  }
}

/** How a provider's list is asked for, read and sifted. */
export interface ModelDiscovery extends ModelListSource, OfferRules {
  /** A call waits for the first list no longer than this, in ms. Default: as long as it waits for any. */
  readonly patienceMs?: number | undefined;
  /** The longest pause after failures, in ms. Default half an hour. */
  readonly longestPauseMs?: number | undefined;
  /** Where the list says what, other than most do. */
  readonly shape?: ListShape | undefined;
  /** `false`: the built-in models stay although the list does not name them. */
  readonly complete?: boolean | undefined;
}

/** One provider's models: where they come from, from the surest to the newest. */
export interface ModelSource {
  /** The provider's name, unique in a registry. */
  readonly name: string;
  /** Under which the list is kept on disk: provider, base URL, and whether it is of all models or the free ones; never a key. */
  readonly cacheId: string;
  /** What is known without asking, in order of preference. */
  readonly builtIn: readonly ModelSpec[];
  /** The user's own list: it replaces every other, and nothing is discovered. */
  readonly userModels?: readonly ModelSpec[] | undefined;
  /** Absent: the provider is never asked for its list. */
  readonly discovery?: ModelDiscovery | undefined;
  /** Age in ms from which a discovered list is asked for anew, beside the calls. */
  readonly cacheTtlMs: number;
}

/** What came of looking for a provider's models. */
export interface DiscoveryReport {
  readonly provider: string;
  /** `live`: the provider answered. `disk`: a kept list was taken. `failed`: the former list stands. */
  readonly outcome: 'live' | 'disk' | 'failed';
  /** How many models the list in use now has. */
  readonly models: number;
  /** `failed`: what happened, and when it is tried again. */
  readonly message?: string;
  readonly durationMs: number;
}
