import { onAbort } from '../abort.ts';
import type { ModelSpec } from '../core/model.ts';
import type { Clock, ModelCache, Transport } from '../ports.ts';
import { type DiscoveryReport, type ModelSource, SourceList, type Flight } from './source-list.ts';
import { MINUTE_MS } from '../core/time.ts';

export interface ModelRegistryOptions {
  readonly sources: readonly ModelSource[];
  readonly clock: Clock;
  readonly transport: Transport;
  readonly cache: ModelCache;
  /** Called after every discovery. Exceptions are ignored. */
  readonly onDiscovery?: ((report: DiscoveryReport) => void) | undefined;
  /** Called for each model that counted as free and that a list states a price for. */
  readonly onPrice?: ((provider: string, model: string, price: number) => void) | undefined;
}

/** A refresh takes at most two discoveries: the one in flight and its own. */
const REFRESH_MS = MINUTE_MS;

const NO_MODELS: readonly ModelSpec[] = [];

/** Resolves with `ready`, after `maxMs` or when `signal` aborts, whichever is first. Leaves no timer or listener. */
function waitAtMost(
  ready: Promise<unknown>,
  maxMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      cancelAbort?.();
      resolve();
    };
    const cancel = clock.after(maxMs, finish);
    const cancelAbort = signal && onAbort(signal, finish);
    void ready.then(finish);
  });
}

/** How much longer a call may wait for a discovery. */
function remainingWaitMs({ maxWaitMs, startedMs }: Flight, maxMs: number, nowMs: number): number {
  return Math.min(maxMs, maxWaitMs) - (nowMs - startedMs);
}

/**
 * The model lists of a pool. Lists are discovered in the background, once for all callers. A call waits only for the
 * first discovery of a provider, in `ensure`.
 */
// spec 10.1
export class ModelRegistry {
  readonly #lists: ReadonlyMap<string, SourceList>;
  readonly #clock: Clock;
  #version = 0;

  constructor(options: ModelRegistryOptions) {
    const { clock, transport, cache, onDiscovery, onPrice } = options;
    const context = {
      clock,
      transport,
      cache,
      onChange: (): void => {
        this.#version += 1;
      },
      onPrice: (provider: string, model: string, price: number): void => onPrice?.(provider, model, price),
      onDiscovery: (report: DiscoveryReport): void => {
        try {
          onDiscovery?.(report);
        } catch {
          // A bug of the listener must not stop the discovery.
        }
      },
    };
    this.#clock = clock;
    this.#lists = new Map(options.sources.map((source) => [source.name, new SourceList(source, context)]));
  }

  /** Increases with every change of a list. */
  get version(): number {
    return this.#version;
  }

  /** The models of a provider, best first; empty for an unknown name. The same array until the list changes. */
  models(name: string): readonly ModelSpec[] {
    return this.#lists.get(name)?.models ?? NO_MODELS;
  }

  /**
   * Starts the discoveries that are due. Returns undefined if every provider has a list, even an old one. Otherwise the
   * promise resolves when each first discovery has a list or has failed, when `signal` aborts, or at the latest `maxMs`
   * after the discovery began, so that a hanging endpoint delays a pool once and not every call. Never rejects.
   */
  ensure(names: Iterable<string>, signal: AbortSignal | undefined, maxMs: number): Promise<void> | undefined {
    if (signal?.aborted === true) return undefined;
    const flights: Flight[] = [];
    let waitMs = 0;
    for (const name of names) {
      const flight = this.#lists.get(name)?.prepare();
      const leftMs = flight === undefined ? 0 : remainingWaitMs(flight, maxMs, this.#clock.monotonicMs());
      if (flight !== undefined && leftMs > 0) flights.push(flight);
      waitMs = Math.max(waitMs, leftMs);
    }
    if (flights.length === 0) return undefined;
    return waitAtMost(Promise.all(flights.map((flight) => flight.usable)), waitMs, this.#clock, signal);
  }

  /** Asks every provider for its list, even if that is fresh. Never rejects: failures go to `onDiscovery`. */
  async refresh(): Promise<void> {
    // Discoveries do not keep the process alive, but a caller waits for this one.
    const release = this.#clock.after(REFRESH_MS, () => undefined);
    await Promise.all([...this.#lists.values()].map((list) => list.refresh()));
    release();
  }

  /**
   * Aborts the discoveries in flight without a report and starts no others. Lists stay readable. Resolves when those that
   * have arrived are in the cache, so that the process may exit.
   */
  // spec 10.7
  async close(): Promise<void> {
    await Promise.all([...this.#lists.values()].map((list) => list.close()));
  }
}
