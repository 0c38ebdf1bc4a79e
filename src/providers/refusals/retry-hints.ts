/** When a provider says that it will admit a request again: hints and reset clocks, read from an answer. */

import { isJsonObject, member, valuesAt } from '../../core/json.ts';
import { readHttpDate, readSpan, readTimeOfDay, readTimestamp } from './moments.ts';
import { DAY_MS, SECOND_MS } from '../../core/time.ts';

/** What is further off is brought back to it: one garbled digit must not cost a month. */
const LONGEST_WAIT_MS = DAY_MS;
/** A quota's own clock may stand for the rest of a month. */
const LONGEST_RESET_MS = 32 * DAY_MS;
/** From here on a number is a moment, not a span: 1e9 seconds after 1970 was 2001; as a span it would be 31 years. */
const FIRST_EPOCH_SECONDS = 1e9;
const FIRST_EPOCH_MS = 1e11;
const LAST_EPOCH_MS = 1e14;

/** What an answer says about coming back. */
export interface RetryHints {
  /** Epoch ms of a hint such as Retry-After, at most a day from now. */
  readonly retryAt?: number;
  /** Epoch ms of a reset clock such as X-RateLimit-Reset, at most a day from now. */
  readonly resetAt?: number;
}

/** The parts of an answer that may hold a hint. */
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
  // A header that came twice is joined by a comma; its first value counts.
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
 * Epoch ms of a moment in any form seen: seconds from now, epoch seconds, epoch milliseconds, a span such as
 * `1m30s`, an RFC 3339 moment, a date of HTTP. Not capped; `undefined` for nonsense.
 */
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

/** Epoch ms of a quota's reset in any form, at most 32 days from now; `undefined` for nonsense and the past. */
export function readReset(value: string | number, now: number): number | undefined {
  return capped(readMoment(value, now), now, LONGEST_RESET_MS);
}

/** A header that the provider put into the body; its name's case is not reliable there. */
function headerInBody(json: unknown, name: string): Reading {
  const headers = valuesAt(json, 'error.metadata.headers')[0];
  if (!isJsonObject(headers)) return undefined;
  const key = Object.keys(headers).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : readingOf(member(headers, key));
}

/** `error.metadata.headers` of the body (OpenRouter), else the header itself. */
export function statedHeader(
  source: Pick<HintSource, 'headers' | 'json'>,
  name: string,
): string | number | undefined {
  return headerInBody(source.json, name) ?? source.headers[name];
}

/** The wait that a message asks for in words: `Please retry in 34.4s.`, `Retry after 40 seconds`. */
function waitInMessage(message: string): Reading {
  const words =
    /\b(?:(?:retry|try again) (?:in|after)|please wait) ((?:\d[\d.]{0,19} ?[a-z]{1,12}[ ,]{0,2}){1,4})/i.exec(
      message,
    )?.[1];
  if (words === undefined) return undefined;
  // What follows the wait may look like one more part of it.
  return readSpan(words) === undefined ? /^[\d.]+ ?[a-z]+/i.exec(words)?.[0] : words;
}

/** The reset clock that a message names: `Resets at 10:00 UTC`, `resets on 2026-09-10T11:00:00Z`. */
function clockInMessage(message: string, now: number): number | undefined {
  const clock = /\bresets? (?:at|on) (\d[\d:TZtz.+-]{3,34}(?: ?(?:UTC|GMT))?)/i.exec(message)?.[1] ?? '';
  return readTimeOfDay(clock, now) ?? readTimestamp(clock.replace(/\.$/, ''));
}

function headerHints({ status, headers }: HintSource): readonly Reading[] {
  // Some gateways send Retry-After with every success (2026-08); only a refusal can mean it.
  if (status < 400) return [];
  const preciseMs = numberOf(headers['retry-after-ms']);
  return [headers['retry-after'], preciseMs === undefined ? undefined : `${preciseMs}ms`];
}

function bodyHints({ json, message }: HintSource): readonly Reading[] {
  const paths = [
    'error.metadata.retry_after_seconds',
    'error.availability.retry_after',
    'error.details.*.retryDelay',
  ];
  return [
    headerInBody(json, 'retry-after'),
    ...paths.flatMap((path) => valuesAt(json, path).map(readingOf)),
    waitInMessage(message),
  ];
}

/**
 * The hints of an unsuccessful answer. Of several hints the latest counts: Google's `retryDelay` is the message's
 * `retry in 41.7s` cut to whole seconds (recorded 2026-09). Moments in the past and nonsense give nothing.
 */
export function readRetryHints(source: HintSource, now: number): RetryHints {
  const hints = [...headerHints(source), ...bodyHints(source)].flatMap((hint) => {
    const moment = hint === undefined ? undefined : readMoment(hint, now);
    return capped(moment, now, LONGEST_WAIT_MS) ?? [];
  });
  const clock = statedHeader(source, 'x-ratelimit-reset');
  const resetAt =
    (clock === undefined ? undefined : capped(readMoment(clock, now), now, LONGEST_WAIT_MS)) ??
    capped(clockInMessage(source.message, now), now, LONGEST_WAIT_MS);
  return {
    ...(hints.length > 0 ? { retryAt: Math.max(...hints) } : {}),
    ...(resetAt === undefined ? {} : { resetAt }),
  };
}
