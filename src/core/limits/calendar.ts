/** The end of a provider's day and month in its own time zone, daylight saving time included. spec 3.3 */

import { HOUR_MS } from '../time.ts';

interface Calendar {
  readonly options: Intl.DateTimeFormatOptions;
  /** Longer than any day, or any month. */
  readonly searchMs: number;
}

const DAYS: Calendar = { options: { dateStyle: 'short' }, searchMs: 26 * HOUR_MS };
const MONTHS: Calendar = {
  options: { year: 'numeric', month: '2-digit' },
  searchMs: (31 * 24 + 2) * HOUR_MS,
};

const formats = new Map<string, Intl.DateTimeFormat>();
const last = new Map<string, { readonly from: number; readonly until: number }>();

function localDate(name: string, { options }: Calendar, timeZone: string, at: number): string {
  let format = formats.get(name);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, ...options });
    formats.set(name, format);
  }
  return format.format(at);
}

function nextChange(name: string, calendar: Calendar, timeZone: string, at: number): number {
  const known = last.get(name);
  if (known !== undefined && known.from <= at && at < known.until) return known.until;
  const today = localDate(name, calendar, timeZone, at);
  let before = at;
  let until = at + calendar.searchMs;
  // Bisection needs no table of offsets, so a day of 23 or 25 hours needs no special case.
  while (until - before > 1) {
    const middle = Math.floor((before + until) / 2);
    if (localDate(name, calendar, timeZone, middle) === today) before = middle;
    else until = middle;
  }
  last.set(name, { from: at, until });
  return until;
}

/**
 * Epoch ms of the first midnight after `at` in `timeZone` (an IANA name).
 * @throws RangeError when the time zone is unknown.
 */
export function nextMidnight(timeZone: string, at: number): number {
  return nextChange(timeZone, DAYS, timeZone, at);
}

/**
 * Epoch ms of the first moment of the next month after `at` in `timeZone`.
 * @throws RangeError when the time zone is unknown.
 */
export function nextMonth(timeZone: string, at: number): number {
  return nextChange(`${timeZone} month`, MONTHS, timeZone, at);
}
