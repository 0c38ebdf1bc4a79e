/** When to retry, as an answer reports it: hints such as Retry-After, and reset clocks. */

import table from '../../../spec/refusals.json' with { type: 'json' };
import { isJsonObject, member, valuesAt } from '../../core/json.ts';
import { readHttpDate, readSpan, readTimeOfDay, readTimestamp } from './moments.ts';
import { DAY_MS, SECOND_MS } from '../../core/time.ts';

/** A later moment is brought back to this span: one garbled digit must not cost a month. */
const LONGEST_WAIT_MS = DAY_MS;
/** A monthly quota can take this long to reset. */
const LONGEST_RESET_MS = 32 * DAY_MS;
/** A number from here on is a moment and not a span: 1e9 seconds would be 31 years, while 1e9 s after 1970 is 2001. */
const FIRST_EPOCH_SECONDS = 1e9;
const FIRST_EPOCH_MS = 1e11;
const LAST_EPOCH_MS = 1e14;

/** When an answer asks the client to retry. */
export interface RetryHints {
  /** Epoch ms of a hint such as Retry-After, at most a day from now. */
  readonly retryAt?: number;
  /** Epoch ms of a reset clock such as X-RateLimit-Reset, at most a day from now. */
  readonly resetAt?: number;
}

/** The parts of an answer that can hold a hint. */
export interface HintSource {
  /** The HTTP status. */
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body, in the form that `readErrorBody` gives it: `error` is an object. */
  readonly json: unknown;
  /** The error's message. */
  readonly message: string;
}

type Reading = string | number | undefined;

function readingOf(value: unknown): Reading {
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}

function numberOf(value: Reading): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  // A repeated header is joined by commas; its first value counts.
  const digits = /^\s*(\d{1,20}(?:\.\d{1,20})?)\s*(?:,|$)/.exec(value ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Epoch ms of a number that may be a span in seconds, epoch seconds or epoch milliseconds. */
function momentOfNumber(amount: number, now: number): number | undefined {
  if (amount >= LAST_EPOCH_MS || amount < 0) return undefined;
  if (amount >= FIRST_EPOCH_MS) return amount;
  if (amount >= FIRST_EPOCH_SECONDS) return Math.ceil(amount * SECOND_MS);
  return now + Math.ceil(amount * SECOND_MS);
}

/**
 * Epoch ms of a moment in any known form: seconds from now, epoch seconds, epoch milliseconds, a span such as `1m30s`,
 * an RFC 3339 timestamp or an HTTP date. Not capped; `undefined` if it cannot be read.
 */
// spec 7.10
function readMoment(value: string | number, now: number): number | undefined {
  const amount = numberOf(value);
  if (amount !== undefined) return momentOfNumber(amount, now);
  if (typeof value === 'number') return undefined;
  const spanMs = readSpan(value) ?? readSpan(value.slice(0, Math.max(0, value.indexOf(','))));
  return spanMs === undefined ? (readTimestamp(value) ?? readHttpDate(value)) : now + spanMs;
}

function capped(moment: number | undefined, now: number, longestMs: number): number | undefined {
  return moment === undefined || moment <= now ? undefined : Math.min(moment, now + longestMs);
}

/** Epoch ms of a quota's reset in any form, at most 32 days from now; `undefined` if it is past or cannot be read. */
export function readReset(value: string | number, now: number): number | undefined {
  return capped(readMoment(value, now), now, LONGEST_RESET_MS);
}

const { headers: headerPaths, retryAfter: retryAfterPaths } = table.details.paths;

/** A header that the provider put into the body, where the case of names varies. */
function headerInBody(json: unknown, name: string): Reading {
  const [headers] = headerPaths.flatMap(({ path }) => valuesAt(json, path));
  if (!isJsonObject(headers)) return undefined;
  const key = Object.keys(headers).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : readingOf(member(headers, key));
}

/** A header as the body reports it, else the header itself. */
// spec 7.9
export function reportedHeader(
  source: Pick<HintSource, 'headers' | 'json'>,
  name: string,
): string | number | undefined {
  return headerInBody(source.json, name) ?? source.headers[name];
}

/** The wait that a message names: `Please retry in 34.4s.`, `Retry after 40 seconds`. */
function waitInMessage(message: string): Reading {
  const words =
    /\b(?:(?:retry|try again) (?:in|after)|please wait) ((?:\d[\d.]{0,19} ?[a-z]{1,12}[ ,]{0,2}){1,4})/i.exec(
      message,
    )?.[1];
  if (words === undefined) return undefined;
  // The word after the wait can look like one more part of it.
  return readSpan(words) === undefined ? /^[\d.]+ ?[a-z]+/i.exec(words)?.[0] : words;
}

/** The reset clock that a message names: `Resets at 10:00 UTC`, `resets on 2026-09-10T11:00:00Z`. */
function clockInMessage(message: string, now: number): number | undefined {
  const clock = /\bresets? (?:at|on) (\d[\d:TZtz.+-]{3,34}(?: ?(?:UTC|GMT))?)/i.exec(message)?.[1] ?? '';
  return readTimeOfDay(clock, now) ?? readTimestamp(clock.replace(/\.$/, ''));
}

function headerHints({ status, headers }: HintSource): readonly Reading[] {
  // Some gateways send Retry-After with every success (2026-08).
  if (status < 400) return [];
  const preciseMs = numberOf(headers['retry-after-ms']);
  return [headers['retry-after'], preciseMs === undefined ? undefined : `${preciseMs}ms`];
}

function bodyHints({ json, message }: HintSource): readonly Reading[] {
  return [
    headerInBody(json, 'retry-after'),
    ...retryAfterPaths.flatMap(({ path }) => valuesAt(json, path).map(readingOf)),
    waitInMessage(message),
  ];
}

/**
 * Reads the hints of an unsuccessful answer. The latest of several hints counts: Google's `retryDelay` is the wait in
 * the message, truncated to whole seconds (recorded 2026-09). Past moments and unreadable values are ignored.
 */
// spec 7.8
export function readRetryHints(source: HintSource, now: number): RetryHints {
  const hints = [...headerHints(source), ...bodyHints(source)].flatMap((hint) => {
    const moment = hint === undefined ? undefined : readMoment(hint, now);
    return capped(moment, now, LONGEST_WAIT_MS) ?? [];
  });
  const clock = reportedHeader(source, 'x-ratelimit-reset');
  const resetAt =
    (clock === undefined ? undefined : capped(readMoment(clock, now), now, LONGEST_WAIT_MS)) ??
    capped(clockInMessage(source.message, now), now, LONGEST_WAIT_MS);
  return {
    ...(hints.length > 0 ? { retryAt: Math.max(...hints) } : {}),
    ...(resetAt === undefined ? {} : { resetAt }),
  };
}
