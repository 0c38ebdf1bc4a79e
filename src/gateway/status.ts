/** The JSON document behind the status page. It contains no full key, no prompt and no answer. */

import { type Capacity, type EventListener, type HealthRow, type LimitStatus, VERSION } from '../index.ts';
import { CallLog, type StatusCall, type StatusTotals } from './status-calls.ts';

export type StatusLimit = Omit<LimitStatus, 'provider' | 'account'>;

/** A row of `health()` with the key's limits. */
export interface StatusKey extends HealthRow {
  /** The limit behind `rpmUsed` and `rpm`. */
  readonly minute: StatusLimit | undefined;
  /** The limit behind `rpdUsed` and `rpd`. */
  readonly day: StatusLimit | undefined;
  /** Every limit with usage. */
  readonly spent: readonly StatusLimit[];
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
  capacity(): Capacity;
  subscribe(listener: EventListener): () => void;
}

const MAX_WARNINGS = 10;
const DAILY_OR_LONGER: ReadonlySet<LimitStatus['window']> = new Set(['day', 'month']);

function limitOf({ model, unit, window, used, limit, returnsAt }: LimitStatus): StatusLimit {
  return { model, unit, window, used, limit, returnsAt };
}

function keyOf(row: HealthRow, limits: readonly LimitStatus[], sharedBy: number): StatusKey {
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

/** Follows the events of a pool for the status page. */
export class StatusBoard {
  readonly #pool: StatusSource;
  readonly #log: CallLog;
  readonly #warnings = new Set<string>();
  readonly #stop: () => void;

  /** @param options - `calls`: how many calls to keep. Default 50. */
  constructor(pool: StatusSource, options: { readonly calls?: number | undefined } = {}) {
    this.#pool = pool;
    this.#log = new CallLog(options.calls ?? 50);
    this.#stop = pool.subscribe((event) => {
      if (event.type === 'warning') this.#warn(event.message);
      else this.#log.note(event);
    });
  }

  /** The current status. Reading it sends no requests. */
  status(): Status {
    const { at, limits, requestsNow, requestsToday, nextAt } = this.#pool.capacity();
    const rows = this.#pool.health();
    const limitsOf = grouped(limits, accountOf);
    const keysOf = grouped(rows, accountOf);
    return {
      version: VERSION,
      at,
      keys: rows.map((row) => {
        const account = accountOf(row);
        return keyOf(row, limitsOf.get(account) ?? [], keysOf.get(account)?.length ?? 1);
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
    this.#stop();
  }
}
