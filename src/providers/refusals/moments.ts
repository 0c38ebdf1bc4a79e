/** Parsers of spans and moments: `1m30.5s`, RFC 3339, HTTP dates. They depend on no locale and no clock. */

import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/time.ts';

/** Longer texts are not parsed. */
const LONGEST_TEXT = 64;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  s: SECOND_MS,
  sec: SECOND_MS,
  second: SECOND_MS,
  m: MINUTE_MS,
  min: MINUTE_MS,
  minute: MINUTE_MS,
  h: HOUR_MS,
  hr: HOUR_MS,
  hour: HOUR_MS,
  d: DAY_MS,
  day: DAY_MS,
};

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Milliseconds of a span such as `41s`, `1m30.5s`, `59.698796327s`, `2h`, `500ms` or `40 seconds`. Units must
 * descend; a number without a unit is not a span.
 */
export function readSpan(text: string): number | undefined {
  const span = text.trim().toLowerCase();
  if (span === '' || span.length > LONGEST_TEXT) return undefined;
  const part = /(\d+(?:\.\d+)?)\s*([a-z]+)[\s,]*/y;
  let totalMs = 0;
  let lastMs = Number.POSITIVE_INFINITY;
  while (part.lastIndex < span.length) {
    const [, amount = '', unit = ''] = part.exec(span) ?? [];
    const unitMs = unitOf(unit);
    // A repeated unit, as in `2s, 2s`, is a repeated header.
    if (unitMs === undefined || unitMs >= lastMs) return undefined;
    totalMs += Number(amount) * unitMs;
    lastMs = unitMs;
  }
  return Math.ceil(totalMs);
}

function unitOf(unit: string): number | undefined {
  if (Object.hasOwn(UNIT_MS, unit)) return UNIT_MS[unit];
  const singular = unit.endsWith('s') ? unit.slice(0, -1) : '';
  return Object.hasOwn(UNIT_MS, singular) ? UNIT_MS[singular] : undefined;
}

/** Days between 1970-01-01 and a date of the Gregorian calendar. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  // In years that begin in March, the leap day is the last day, so that the formula needs no table.
  const marchYear = month > 2 ? year : year - 1;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function dayStart(year: number, month: number, day: number): number | undefined {
  const longest = MONTH_DAYS[month - 1];
  if (longest === undefined || day < 1 || day > longest) return undefined;
  return daysSinceEpoch(year, month, day) * DAY_MS;
}

function timeOfDay(text: string): number | undefined {
  const [, hour, minute, second] = /^(\d{2}):(\d{2}):(\d{2}(?:\.\d{1,12})?)$/.exec(text) ?? [];
  if (hour === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) >= 61)
    return undefined;
  return Number(hour) * HOUR_MS + Number(minute) * MINUTE_MS + Math.ceil(Number(second) * SECOND_MS);
}

function sum(start: number | undefined, added: number | undefined): number | undefined {
  return start === undefined || added === undefined ? undefined : start + added;
}

/** Epoch ms of an RFC 3339 moment such as `2026-10-03T09:00:00Z` or `2026-10-03T11:00:00.5+02:00`. */
export function readTimestamp(text: string): number | undefined {
  const [, year, month, day, time, offset] =
    /^(\d{4})-(\d{2})-(\d{2})[Tt ]([\d:.]{8,21})([Zz]|[+-]\d{2}:\d{2})$/.exec(
      text.trim().slice(0, LONGEST_TEXT),
    ) ?? [];
  if (year === undefined || time === undefined || offset === undefined) return undefined;
  const local = sum(dayStart(Number(year), Number(month), Number(day)), timeOfDay(time));
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):(\d{2})$/.exec(offset) ?? [];
  const ahead = (Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS) * (sign === '-' ? -1 : 1);
  return sum(local, -ahead);
}

/** Epoch ms of the next occurrence of a time of day such as `10:00 UTC`. */
export function readTimeOfDay(text: string, now: number): number | undefined {
  const [, hour, minute, second = '00'] =
    /^(\d{1,2}):(\d{2})(?::(\d{2}))? ?(?:UTC|GMT|Z)$/i.exec(text.trim().slice(0, LONGEST_TEXT)) ?? [];
  if (hour === undefined) return undefined;
  const time = timeOfDay(`${hour.padStart(2, '0')}:${minute}:${second}`);
  if (time === undefined) return undefined;
  const today = Math.floor(now / DAY_MS) * DAY_MS + time;
  return today > now ? today : today + DAY_MS;
}

/** Epoch ms of an HTTP date in any of its three forms (RFC 9110, 5.6.7). */
export function readHttpDate(text: string): number | undefined {
  const date = text.trim().slice(0, LONGEST_TEXT);
  const [, day, monthName, yearText, time] =
    /^[a-z]{3,9}, (\d{2})[ -]([a-z]{3})[ -](\d{4}|\d{2}) ([\d:]{8}) GMT$/i.exec(date) ?? [];
  if (yearText !== undefined) return momentOf(yearText, monthName, day, time);
  const [, ascMonth, ascDay, ascTime, ascYear] =
    /^[a-z]{3} ([a-z]{3}) ([ \d]\d) ([\d:]{8}) (\d{4})$/i.exec(date) ?? [];
  return ascYear === undefined ? undefined : momentOf(ascYear, ascMonth, ascDay, ascTime);
}

function momentOf(yearText: string, monthName = '', day = '', time = ''): number | undefined {
  const shortYear = yearText.length === 2;
  const year = Number(yearText) + (shortYear ? (Number(yearText) < 70 ? 2000 : 1900) : 0);
  const month = MONTHS.indexOf(monthName.toLowerCase()) + 1;
  return sum(dayStart(year, month, Number(day)), timeOfDay(time));
}
