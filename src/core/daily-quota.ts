/** When a provider's day ends, in the provider's own time zone, daylight saving time included. */

const SEARCH_MS = 26 * 60 * 60 * 1000;

const formats = new Map<string, Intl.DateTimeFormat>();
const lastDay = new Map<string, { readonly from: number; readonly until: number }>();

function localDate(timeZone: string, at: number): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
    formats.set(timeZone, format);
  }
  return format.format(at);
}

/**
 * Epoch ms of the first midnight after `at` in `timeZone` (an IANA name).
 * @throws RangeError when the time zone is unknown.
 */
export function nextMidnight(timeZone: string, at: number): number {
  const day = lastDay.get(timeZone);
  if (day !== undefined && day.from <= at && at < day.until) return day.until;
  const today = localDate(timeZone, at);
  let before = at;
  let until = at + SEARCH_MS;
  // Halving needs no table of offsets, so the hour that a day gains or loses cannot be got wrong.
  while (until - before > 1) {
    const middle = Math.floor((before + until) / 2);
    if (localDate(timeZone, middle) === today) before = middle;
    else until = middle;
  }
  lastDay.set(timeZone, { from: at, until });
  return until;
}
