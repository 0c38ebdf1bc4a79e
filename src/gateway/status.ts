/** The JSON document behind the status page. It contains no full key, no prompt and no answer. */

import {
  type Capacity,
  type EventListener,
  type ExplainRow,
  type HealthRow,
  type LimitStatus,
  ModelNotFoundError,
  VERSION,
} from '../index.ts';
import type { Refusal } from './refusal.ts';
import { CallLog, type StatusCall, type StatusTotals } from './status-calls.ts';

export type StatusLimit = Omit<LimitStatus, 'provider' | 'account'>;

/** A model that a key cannot serve for a while. */
export type RestingModel = Pick<ExplainRow, 'model' | 'reason' | 'readyAt'>;

/** A row of `health()` with the key's limits. */
export interface StatusKey extends HealthRow {
  /** The limit behind `rpmUsed` and `rpm`. */
  readonly minute: StatusLimit | undefined;
  /** The limit behind `rpdUsed` and `rpd`. */
  readonly day: StatusLimit | undefined;
  /** Every limit with usage. */
  readonly spent: readonly StatusLimit[];
  /** The models that rest while the key serves others, the soonest first. */
  readonly resting: readonly RestingModel[];
  /** How many keys, this one included, share the account and its limits. */
  readonly sharedBy: number;
}

/** In JSON, a moment that never comes (`Infinity`) becomes `null`. */
export interface Status {
  readonly version: string;
  /** Epoch ms, by the pool's clock. */
  readonly at: number;
  readonly keys: readonly StatusKey[];
  readonly capacity: Pick<Capacity, 'requestsNow' | 'requestsToday' | 'nextAt'>;
  /** Newest first. */
  readonly calls: readonly StatusCall[];
  readonly totals: StatusTotals;
  /** Newest last, without repetitions. */
  readonly warnings: readonly string[];
}

/** The part of a `FreeLLM` that the board reads. */
export interface StatusSource {
  health(): readonly HealthRow[];
  explain(): readonly ExplainRow[];
  capacity(): Capacity;
  subscribe(listener: EventListener): () => void;
}

const MAX_WARNINGS = 10;
/** The most models of a key that are listed as resting. */
const MAX_RESTING = 20;
const MAX_SAMPLE_AGE_MS = 10_000;
const DAILY_OR_LONGER: ReadonlySet<LimitStatus['window']> = new Set(['day', 'month']);

function limitOf({ model, unit, window, used, limit, returnsAt }: LimitStatus): StatusLimit {
  return { model, unit, window, used, limit, returnsAt };
}

/** The routes of calls that name no model, as far as they rest. A pool without the model of such calls has none. */
function restingRoutes(pool: StatusSource): readonly ExplainRow[] {
  try {
    return pool.explain().filter(({ ready, readyAt }) => !ready && readyAt !== undefined);
  } catch (error) {
    if (error instanceof ModelNotFoundError) return [];
    throw error;
  }
}

/** The models of a key that rest by themselves. If the whole key is not ready, its row says so. */
function restingOf(
  { ready, provider, key }: HealthRow,
  routes: readonly ExplainRow[],
): readonly RestingModel[] {
  if (!ready) return [];
  const own = routes.filter((route) => route.provider === provider && route.key === key);
  return own
    .map(({ model, reason, readyAt }) => ({ model, reason, readyAt }))
    .toSorted((a, b) => (a.readyAt ?? 0) - (b.readyAt ?? 0))
    .slice(0, MAX_RESTING);
}

function keyOf(
  row: HealthRow,
  limits: readonly LimitStatus[],
  { sharedBy, resting }: Pick<StatusKey, 'sharedBy' | 'resting'>,
): StatusKey {
  const statuses = limits.map(limitOf);
  const limitBehind = (
    isLong: boolean,
    used: number | undefined,
    limit: number | undefined,
  ): StatusLimit | undefined =>
    statuses.find(
      (one) =>
        one.unit === 'requests' &&
        one.window !== 'at-once' &&
        DAILY_OR_LONGER.has(one.window) === isLong &&
        one.used === used &&
        one.limit === limit,
    );
  return {
    ...row,
    minute: limitBehind(false, row.rpmUsed, row.rpm),
    day: limitBehind(true, row.rpdUsed, row.rpd),
    spent: statuses.filter(({ used }) => used > 0),
    resting,
    sharedBy,
  };
}

/** Groups items by key. */
function grouped<Item>(items: readonly Item[], keyOfItem: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOfItem(item));
    if (group === undefined) groups.set(keyOfItem(item), [item]);
    else group.push(item);
  }
  return groups;
}

const accountOf = ({ provider, account }: { readonly provider: string; readonly account: string }): string =>
  JSON.stringify([provider, account]);

export interface BoardOptions {
  /** A monotonic clock. */
  readonly nowMs: () => number;
  /** The route of the request that caused the event which is being told. Default: none. */
  readonly routeNow?: (() => string | undefined) | undefined;
  /** How many calls to keep. Default 50. */
  readonly calls?: number | undefined;
}

/** Follows the events of a pool for the status page. */
export class StatusBoard {
  #pool: StatusSource;
  readonly #log: CallLog;
  readonly #nowMs: () => number;
  readonly #routeNow: () => string | undefined;
  /** A moment by the pool's clock, and by the monotonic one. */
  #sample: { readonly at: number; readonly ms: number } | undefined;
  readonly #warnings = new Set<string>();
  readonly #stops = new Set<() => void>();

  constructor(pool: StatusSource, { nowMs, routeNow, calls = 50 }: BoardOptions) {
    this.#pool = pool;
    this.#log = new CallLog(calls);
    this.#nowMs = nowMs;
    this.#routeNow = routeNow ?? (() => undefined);
    this.follow(pool);
  }

  /**
   * Shows another pool from now on.
   * @returns Stops following the earlier one, to be called when its calls have ended.
   */
  follow(pool: StatusSource): () => void {
    const earlier = [...this.#stops];
    this.#pool = pool;
    this.#stops.add(
      pool.subscribe((event) => {
        if (event.type === 'warning') this.#warn(event.message);
        else this.#log.note(event, this.#routeNow());
      }),
    );
    return () => {
      for (const stop of earlier) {
        this.#stops.delete(stop);
        stop();
      }
    };
  }

  /** Notes a request that was refused before it became a call. */
  refuse(refusal: Refusal, route?: string): void {
    this.#log.refuse(refusal, { route, at: this.#now() });
  }

  /** Epoch ms by the pool's clock. Asking the pool each time would cost too much. */
  #now(): number {
    const ms = this.#nowMs();
    if (this.#sample === undefined || ms - this.#sample.ms > MAX_SAMPLE_AGE_MS)
      this.#sample = { at: this.#pool.capacity().at, ms };
    return this.#sample.at + ms - this.#sample.ms;
  }

  /** The current status. Reading it sends no requests. */
  status(): Status {
    const { at, limits, requestsNow, requestsToday, nextAt } = this.#pool.capacity();
    const rows = this.#pool.health();
    const resting = restingRoutes(this.#pool);
    const limitsOf = grouped(limits, accountOf);
    const keysOf = grouped(rows, accountOf);
    return {
      version: VERSION,
      at,
      keys: rows.map((row) => {
        const account = accountOf(row);
        return keyOf(row, limitsOf.get(account) ?? [], {
          sharedBy: keysOf.get(account)?.length ?? 1,
          resting: restingOf(row, resting),
        });
      }),
      capacity: { requestsNow, requestsToday, nextAt },
      calls: this.#log.calls,
      totals: this.#log.totals,
      warnings: [...this.#warnings],
    };
  }

  #warn(message: string): void {
    this.#warnings.delete(message);
    this.#warnings.add(message);
    const [oldest] = this.#warnings;
    if (this.#warnings.size > MAX_WARNINGS && oldest !== undefined) this.#warnings.delete(oldest);
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }
}
