/** How providers count: the windows that a limit applies to, fed with the time. */

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;

/**
 * A minute of the clock, the last 60 seconds, a day of a time zone (an IANA name), or a bucket that refills all the time
 * and would be full after `windowMs`.
 */
export type CounterKind =
  | { readonly kind: 'fixed-window' }
  | { readonly kind: 'sliding-window' }
  | { readonly kind: 'daily'; readonly timeZone: string }
  | { readonly kind: 'token-bucket'; readonly windowMs: number };

/** A moment and the limit that holds then. */
export interface Moment {
  /** Epoch ms. */
  readonly now: number;
  readonly limit: number;
}

/** Counts what was spent of one limit. */
export interface LimitCounter {
  used(moment: Moment): number;
  spend(moment: Moment, amount: number): void;
  /** Epoch ms from which no more than `most` is counted, if nothing else is spent. */
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
  // Every time zone is a whole number of quarters from UTC, so a quarter lies within one day.
  const quarter = Math.floor(now / QUARTER_MS);
  if (quarter !== zone.quarter) {
    zone.quarter = quarter;
    zone.name = zone.format.format(now);
  }
  return zone.name;
}

/** Epoch ms of the midnight that ends the day of `now` in a time zone. */
function endOfDay(timeZone: string, now: number): number {
  const today = dayName(timeZone, now);
  let quarter = (Math.floor(now / QUARTER_MS) + 1) * QUARTER_MS;
  while (dayName(timeZone, quarter) === today) quarter += QUARTER_MS;
  return quarter;
}

/** Counts from zero again whenever the period's name changes. */
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

  spend({ now }: Moment, amount: number): void {
    this.#used = this.used({ now }) + amount;
    this.#period = this.#nameOf(now);
  }

  resetsAt({ now }: Moment): number {
    return this.#endOf(now);
  }
}

/** Remembers when everything of the last 60 seconds was spent. */
class SlidingWindow implements LimitCounter {
  #spent: { readonly at: number; readonly amount: number }[] = [];
  #first = 0;
  #used = 0;

  used({ now }: Pick<Moment, 'now'>): number {
    for (;;) {
      const oldest = this.#spent[this.#first];
      if (oldest === undefined || oldest.at + MINUTE_MS > now) break;
      this.#used -= oldest.amount;
      this.#first += 1;
    }
    if (this.#first > 1000) {
      this.#spent = this.#spent.slice(this.#first);
      this.#first = 0;
    }
    return this.#used;
  }

  spend({ now }: Moment, amount: number): void {
    this.#spent.push({ at: now, amount });
    this.#used += amount;
  }

  resetsAt({ now }: Moment, most: number): number {
    let left = this.used({ now });
    let at = now;
    for (const entry of this.#spent.slice(this.#first)) {
      if (left <= most) break;
      left -= entry.amount;
      at = entry.at + MINUTE_MS;
    }
    return at;
  }
}

/** Remembers when it will be full again. */
class TokenBucket implements LimitCounter {
  readonly #windowMs: number;
  #fullAt = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  used({ now, limit }: Moment): number {
    return (Math.max(0, this.#fullAt - now) * limit) / this.#windowMs;
  }

  spend({ now, limit }: Moment, amount: number): void {
    this.#fullAt = Math.max(now, this.#fullAt) + (amount * this.#windowMs) / Math.max(limit, amount);
  }

  resetsAt({ now, limit }: Moment, most: number): number {
    return Math.max(now, Math.ceil(this.#fullAt - (Math.max(0, most) * this.#windowMs) / Math.max(1, limit)));
  }
}

/** An empty counter of a shape. */
export function createCounter(shape: CounterKind): LimitCounter {
  switch (shape.kind) {
    case 'fixed-window':
      return new FixedWindow(
        (now) => Math.floor(now / MINUTE_MS),
        (now) => (Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS,
      );
    case 'sliding-window':
      return new SlidingWindow();
    case 'daily':
      return new FixedWindow(
        (now) => dayName(shape.timeZone, now),
        (now) => endOfDay(shape.timeZone, now),
      );
    case 'token-bucket':
      return new TokenBucket(shape.windowMs);
  }
}
