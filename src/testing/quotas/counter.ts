/** Counters of limits, by the algorithms of the providers. */

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;

/**
 * The algorithm of a limit. `fixed-window`: each minute of the clock. `sliding-window`: the last `windowMs` (60 s). `daily`: each
 * day in a time zone (an IANA name). `token-bucket`: a bucket that refills continuously, from empty to full in `windowMs`.
 */
export type CounterKind =
  | { readonly kind: 'fixed-window' }
  | { readonly kind: 'sliding-window'; readonly windowMs?: number }
  | { readonly kind: 'daily'; readonly timeZone: string }
  | { readonly kind: 'token-bucket'; readonly windowMs: number };

/** A point in time, and the value of the limit at it. */
export interface Moment {
  /** Epoch ms. */
  readonly now: number;
  readonly limit: number;
}

/** Counts the use of one limit. */
export interface LimitCounter {
  used(moment: Moment): number;
  add(moment: Moment, amount: number): void;
  /** The time in epoch ms from which at most `most` is in use if nothing is added. */
  resetsAt(moment: Moment, most: number): number;
}

interface Zone {
  readonly format: Intl.DateTimeFormat;
  quarter: number;
  name: string;
}

const zones = new Map<string, Zone>();

function zoneOf(timeZone: string): Zone {
  let zone = zones.get(timeZone);
  if (zone === undefined) {
    const format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
    zone = { format, quarter: Number.NaN, name: '' };
    zones.set(timeZone, zone);
  }
  return zone;
}

/** The calendar day at `now` in a time zone, `YYYY-MM-DD`. */
function dayName(timeZone: string, now: number): string {
  const zone = zoneOf(timeZone);
  // The offset of every time zone is a multiple of 15 minutes, so a quarter of an hour lies within one day.
  const quarter = Math.floor(now / QUARTER_MS);
  if (quarter !== zone.quarter) {
    zone.quarter = quarter;
    zone.name = zone.format.format(now);
  }
  return zone.name;
}

/** The end of the day of `now` in a time zone, in epoch ms. */
function endOfDay(timeZone: string, now: number): number {
  const today = dayName(timeZone, now);
  let quarter = (Math.floor(now / QUARTER_MS) + 1) * QUARTER_MS;
  while (dayName(timeZone, quarter) === today) quarter += QUARTER_MS;
  return quarter;
}

/** Starts again from zero when the name of the period changes. */
class FixedWindow implements LimitCounter {
  readonly #nameOf: (now: number) => string | number;
  readonly #endOf: (now: number) => number;
  #period: string | number | undefined;
  #used = 0;

  constructor(nameOf: (now: number) => string | number, endOf: (now: number) => number) {
    this.#nameOf = nameOf;
    this.#endOf = endOf;
  }

  used({ now }: Pick<Moment, 'now'>): number {
    return this.#nameOf(now) === this.#period ? this.#used : 0;
  }

  add({ now }: Moment, amount: number): void {
    this.#used = this.used({ now }) + amount;
    this.#period = this.#nameOf(now);
  }

  resetsAt({ now }: Moment): number {
    return this.#endOf(now);
  }
}

/** Keeps a list of the requests in the last `windowMs`. */
class SlidingWindow implements LimitCounter {
  readonly #windowMs: number;
  #spent: { readonly at: number; readonly amount: number }[] = [];
  #first = 0;
  #used = 0;

  constructor(windowMs = MINUTE_MS) {
    this.#windowMs = windowMs;
  }

  used({ now }: Pick<Moment, 'now'>): number {
    for (;;) {
      const oldest = this.#spent[this.#first];
      if (oldest === undefined || oldest.at + this.#windowMs > now) break;
      this.#used -= oldest.amount;
      this.#first += 1;
    }
    if (this.#first > 1000) {
      this.#spent = this.#spent.slice(this.#first);
      this.#first = 0;
    }
    return this.#used;
  }

  add({ now }: Moment, amount: number): void {
    this.#spent.push({ at: now, amount });
    this.#used += amount;
  }

  resetsAt({ now }: Moment, most: number): number {
    let left = this.used({ now });
    let at = now;
    for (const entry of this.#spent.slice(this.#first)) {
      if (left <= most) break;
      left -= entry.amount;
      at = entry.at + this.#windowMs;
    }
    return at;
  }
}

/** Stores only the time at which the bucket will be full again. */
class TokenBucket implements LimitCounter {
  readonly #windowMs: number;
  #fullAt = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  used({ now, limit }: Moment): number {
    return (Math.max(0, this.#fullAt - now) * limit) / this.#windowMs;
  }

  add({ now, limit }: Moment, amount: number): void {
    this.#fullAt = Math.max(now, this.#fullAt) + (amount * this.#windowMs) / Math.max(limit, amount);
  }

  resetsAt({ now, limit }: Moment, most: number): number {
    return Math.max(now, Math.ceil(this.#fullAt - (Math.max(0, most) * this.#windowMs) / Math.max(1, limit)));
  }
}

export function createCounter(kind: CounterKind): LimitCounter {
  switch (kind.kind) {
    case 'fixed-window':
      return new FixedWindow(
        (now) => Math.floor(now / MINUTE_MS),
        (now) => (Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS,
      );
    case 'sliding-window':
      return new SlidingWindow(kind.windowMs);
    case 'daily':
      return new FixedWindow(
        (now) => dayName(kind.timeZone, now),
        (now) => endOfDay(kind.timeZone, now),
      );
    case 'token-bucket':
      return new TokenBucket(kind.windowMs);
  }
}
