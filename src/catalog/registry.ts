/** Knows every provider's models: the best list at hand at once, a better one as soon as it can be had. */

import type { ModelSpec } from '../core/model.ts';
import type { Clock, ModelCache, Transport } from '../ports.ts';
import { type DiscoveryReport, type ModelSource, SourceList, type Flight } from './source-list.ts';
import { MINUTE_MS } from '../core/time.ts';

/** What a registry is made of. */
export interface ModelRegistryOptions {
  readonly sources: readonly ModelSource[];
  readonly clock: Clock;
  readonly transport: Transport;
  readonly cache: ModelCache;
  /** Told of every list found, taken from disk or not to be had. What it throws is ignored. */
  readonly onDiscovery?: ((report: DiscoveryReport) => void) | undefined;
}

/** A refresh takes two discoveries at most: one under way, and its own. */
const REFRESH_LIMIT_MS = MINUTE_MS;

const NO_MODELS: readonly ModelSpec[] = [];

/** Settles with `ready`, after `maxMs` or when `signal` aborts, whichever is first; leaves no timer or listener. */
function atMost(
  ready: Promise<unknown>,
  maxMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(maxMs, finish);
    signal?.addEventListener('abort', finish, { once: true });
    void ready.then(finish);
  });
}

/** How long a call that waits `maxMs` for a list waits for this one; a clock that was set back adds nothing. */
function leftOf({ startedAt, patienceMs }: Flight, maxMs: number, now: number): number {
  const mostMs = Math.min(maxMs, patienceMs);
  return Math.min(mostMs, mostMs - (now - startedAt));
}

/**
 * The model lists of a pool. For each provider the best list known is used: the user's own → discovered → kept on disk
 * → built in. Lists are discovered once for all callers, beside the calls; only a provider of which nothing was ever
 * discovered is worth a wait, and only `ensure` waits.
 */
export class ModelRegistry {
  readonly #lists: ReadonlyMap<string, SourceList>;
  readonly #clock: Clock;
  #version = 0;

  constructor(options: ModelRegistryOptions) {
    const { clock, transport, cache, onDiscovery } = options;
    const context = {
      clock,
      transport,
      cache,
      onChange: (): void => {
        this.#version += 1;
      },
      onDiscovery: (report: DiscoveryReport): void => {
        try {
          onDiscovery?.(report);
        } catch {
          // A listener's bug must not cost the pool its list.
        }
      },
    };
    this.#clock = clock;
    this.#lists = new Map(options.sources.map((source) => [source.name, new SourceList(source, context)]));
  }

  /** Grows with every change of any list. */
  get version(): number {
    return this.#version;
  }

  /** The models of the provider `name`, best first: the same array as long as nothing changes; none if unknown. */
  models(name: string): readonly ModelSpec[] {
    return this.#lists.get(name)?.models ?? NO_MODELS;
  }

  /**
   * Starts what is due for the providers `names`. `undefined` when the lists at hand will do, an old one included.
   * Otherwise a promise that settles when each provider's first list is there or cannot be had, at the latest `maxMs`
   * after its discovery began (a hanging endpoint costs a pool one wait, not one for every call), or when `signal`
   * aborts. Never rejects.
   */
  ensure(
    names: readonly string[],
    signal: AbortSignal | undefined,
    maxMs: number,
  ): Promise<void> | undefined {
    if (signal?.aborted === true) return undefined;
    const now = this.#clock.now();
    const flights: Flight[] = [];
    let waitMs = 0;
    for (const name of names) {
      const flight = this.#lists.get(name)?.prepare();
      const leftMs = flight === undefined ? 0 : leftOf(flight, maxMs, now);
      if (flight !== undefined && leftMs > 0) flights.push(flight);
      waitMs = Math.max(waitMs, leftMs);
    }
    if (flights.length === 0) return undefined;
    return atMost(Promise.all(flights.map((flight) => flight.usable)), waitMs, this.#clock, signal);
  }

  /** Asks every provider that has a list, whatever is kept. Never rejects: failures are reported to `onDiscovery`. */
  async refresh(): Promise<void> {
    // What runs beside the calls does not keep the process alive; here somebody waits for it.
    const release = this.#clock.after(REFRESH_LIMIT_MS, () => undefined);
    await Promise.all([...this.#lists.values()].map((list) => list.refresh()));
    release();
  }

  /** Aborts what is under way, without a report; lists stay readable and are not asked for any more. */
  close(): void {
    for (const list of this.#lists.values()) list.close();
  }
}
