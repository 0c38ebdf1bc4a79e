/** What the status page shows, as one JSON document: no key, no prompt, no answer. */

import { type Capacity, type EventListener, type HealthRow, type LimitStatus, VERSION } from '../index.ts';
import { CallLog, type StatusCall, type StatusTotals } from './status-calls.ts';

/** One limit that counts a key's requests. */
export type StatusLimit = Omit<LimitStatus, 'provider' | 'account'>;

/** A key as `health()` shows it, with its limits. */
export interface StatusKey extends HealthRow {
  /** The limit that `rpmUsed` and `rpm` speak of. */
  readonly minute: StatusLimit | undefined;
  /** The limit that `rpdUsed` and `rpd` speak of. */
  readonly day: StatusLimit | undefined;
  /** Every limit that something is spent of. */
  readonly spent: readonly StatusLimit[];
  /** How many keys share the account and so the limits, this one included. */
  readonly sharedBy: number;
}

/** The document. In JSON, a moment that never comes is `null`. */
export interface Status {
  readonly version: string;
  /** Epoch ms of this look, by the pool's own clock. */
  readonly at: number;
  readonly keys: readonly StatusKey[];
  readonly capacity: Pick<Capacity, 'requestsNow' | 'requestsToday' | 'nextAt'>;
  /** The newest first. */
  readonly calls: readonly StatusCall[];
  readonly totals: StatusTotals;
  /** What a person should know; the newest last, each once. */
  readonly warnings: readonly string[];
}

/** What the board looks at; a `FreeLLM` is one. */
export interface Watched {
  health(): readonly HealthRow[];
  capacity(): Capacity;
  subscribe(listener: EventListener): () => void;
}

const MAX_WARNINGS = 10;
const LONG: ReadonlySet<LimitStatus['window']> = new Set(['day', 'month']);

function limitOf({ model, unit, window, used, limit, returnsAt }: LimitStatus): StatusLimit {
  return { model, unit, window, used, limit, returnsAt };
}

/** A row with the limits of its account. */
function keyOf(row: HealthRow, limits: readonly LimitStatus[], sharedBy: number): StatusKey {
  const statuses = limits.map(limitOf);
  const spokenOf = (
    isLong: boolean,
    used: number | undefined,
    limit: number | undefined,
  ): StatusLimit | undefined =>
    statuses.find(
      (one) =>
        one.unit === 'requests' &&
        one.window !== 'at-once' &&
        LONG.has(one.window) === isLong &&
        one.used === used &&
        one.limit === limit,
    );
  return {
    ...row,
    minute: spokenOf(false, row.rpmUsed, row.rpm),
    day: spokenOf(true, row.rpdUsed, row.rpd),
    spent: statuses.filter(({ used }) => used > 0),
    sharedBy,
  };
}

/** Lists in groups of one name. */
function grouped<Item>(items: readonly Item[], nameOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(nameOf(item));
    if (group === undefined) groups.set(nameOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

const accountOf = ({ provider, account }: { readonly provider: string; readonly account: string }): string =>
  JSON.stringify([provider, account]);

/** Follows a pool, so that a page can show it. */
export class StatusBoard {
  readonly #pool: Watched;
  readonly #log: CallLog;
  readonly #warnings = new Set<string>();
  readonly #stop: () => void;

  /** @param options - `calls`: how many calls are kept, 50 by default. */
  constructor(pool: Watched, options: { readonly calls?: number | undefined } = {}) {
    this.#pool = pool;
    this.#log = new CallLog(options.calls ?? 50);
    this.#stop = pool.subscribe((event) => {
      if (event.type === 'warning') this.#warn(event.message);
      else this.#log.note(event);
    });
  }

  /** The pool as it stands. Looking sends nothing and changes nothing. */
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

  /** Ends the listening. */
  close(): void {
    this.#stop();
  }
}
