/** The quotas that the headers of an answer report. */

import table from '../../../spec/refusals.json' with { type: 'json' };
import { isJsonObject } from '../../core/json.ts';
import type { ReportedQuota, QuotaWindow } from '../../core/limits/limit.ts';
import { readReset } from './retry-hints.ts';
import type { Headers } from '../../ports.ts';
import type { QuotaHeader } from '../spec.ts';

type Unit = ReportedQuota['unit'];
type HeaderValue = string | number | undefined;

/** A quota that headers report. */
export interface HeaderQuota {
  readonly quota: ReportedQuota;
  /** The headers do not name the window; it is assumed to be the one that refused. */
  readonly isAssumed: boolean;
  /** `resetAt` is the moment at which a token bucket is full again. */
  readonly resetIsFull: boolean;
}

const PERIOD_SECONDS: Readonly<Record<QuotaWindow, readonly number[]>> = {
  second: [1],
  minute: [60],
  hour: [3600],
  day: [86_400],
  month: [28, 29, 30, 31].map((days) => days * 86_400),
};

function isWindow(window: unknown): window is QuotaWindow {
  return typeof window === 'string' && Object.hasOwn(PERIOD_SECONDS, window);
}

function isRow(row: unknown): row is QuotaHeader {
  return (
    isJsonObject(row) && (row['unit'] === 'requests' || row['unit'] === 'tokens') && isWindow(row['window'])
  );
}

const rows: readonly unknown[] = table.quotaHeaders;
const SHARED_ROWS: readonly QuotaHeader[] = rows.filter(isRow);

/** The whole number that a header holds; the first value of a repeated header. */
function wholeNumber(value: HeaderValue): number | undefined {
  const digits = /^\s*(-?\d{1,15})(?:\.\d{0,20})?\s*(?:,|$)/.exec(String(value ?? ''))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

interface Numbers {
  readonly limit: HeaderValue;
  readonly remaining: HeaderValue;
  readonly reset: HeaderValue;
}

/** The numbers of a quota; `undefined` if there are none, or if the limit is 0: the model is not included then. */
function readQuota(
  { limit: most, remaining: left, reset }: Numbers,
  now: number,
): Pick<ReportedQuota, 'limit' | 'remaining' | 'resetAt'> | undefined {
  const max = wholeNumber(most);
  const remaining = wholeNumber(left);
  const resetAt = reset === undefined ? undefined : readReset(reset, now);
  if ((max !== undefined && max <= 0) || (max ?? remaining ?? resetAt) === undefined) return undefined;
  return {
    ...(max === undefined ? {} : { limit: max }),
    // Some providers count below 0.
    ...(remaining === undefined ? {} : { remaining: Math.max(0, remaining) }),
    ...(resetAt === undefined ? {} : { resetAt }),
  };
}

type Look = (name: string) => HeaderValue;

function quotaOf(row: QuotaHeader, look: Look, now: number, refused?: QuotaWindow): HeaderQuota | undefined {
  // Usual: most answers report none of the quotas.
  const has = (name: string | undefined): boolean => name !== undefined && look(name) !== undefined;
  if (!has(row.limit) && !has(row.remaining) && !has(row.reset)) return undefined;
  const isAssumed = row.window === 'refused';
  const window = row.window === 'refused' ? refused : row.window;
  if (window === undefined) return undefined;
  if (row.period !== undefined && !PERIOD_SECONDS[window].includes(wholeNumber(look(row.period)) ?? 0))
    return undefined;
  const [limit, remaining, reset] = [row.limit, row.remaining, row.reset].map((name) =>
    name === undefined ? undefined : look(name),
  );
  const numbers = readQuota({ limit, remaining, reset }, now);
  if (numbers === undefined) return undefined;
  return { quota: { unit: row.unit, window, ...numbers }, isAssumed, resetIsFull: row.resetIsFull === true };
}

const NAMED =
  /^x-ratelimit-(?:limit|remaining|reset)-(?:(req|requests)|tokens)-(?:1-)?(second|minute|hour|day|month)$/;

/** Rows for headers whose names contain their window, such as `x-ratelimit-remaining-tokens-minute`. */
function namedRows(headers: Headers): readonly QuotaHeader[] {
  const named = new Map<string, QuotaHeader>();
  for (const name of Object.keys(headers)) {
    if (!name.startsWith('x-ratelimit-')) continue;
    const [, requests, window] = NAMED.exec(name) ?? [];
    if (!isWindow(window)) continue;
    const unit: Unit = requests === undefined ? 'tokens' : 'requests';
    const ending = name.slice(name.indexOf('-', 'x-ratelimit-'.length));
    const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map(
      (what) => `x-ratelimit-${what}${ending}`,
    );
    if (limit !== undefined && remaining !== undefined && reset !== undefined)
      named.set(ending, { unit, window, limit, remaining, reset });
  }
  return [...named.values()];
}

/** What a refusal adds: the window that refused, and the headers in its body. */
export interface RefusedQuotas {
  readonly window?: QuotaWindow | undefined;
  readonly look: Look;
}

/** The quotas in headers, by the provider's rows, the shared rows and the headers' own names. */
// spec 7.12
export function quotasInHeaders(
  headers: Headers,
  own: readonly QuotaHeader[],
  now: number,
  refused?: RefusedQuotas,
): readonly HeaderQuota[] {
  const look: Look = refused?.look ?? ((name) => headers[name]);
  const found = new Map<string, HeaderQuota>();
  for (const group of [own, SHARED_ROWS, namedRows(headers)]) {
    for (const row of group) {
      const reported = quotaOf(row, look, now, refused?.window);
      if (reported === undefined) continue;
      const name = `${reported.quota.unit} ${reported.quota.window}`;
      if (!found.has(name)) found.set(name, reported);
    }
  }
  return [...found.values()];
}

/**
 * The quotas that the headers of an answer report, each unit and window once. Headers whose names do not say what they
 * count are read by the provider's `quotaHeaders`, and ignored without a row there.
 *
 * @param headers - By lower-case name.
 * @param own - The provider's `quotaHeaders`.
 * @param now - Epoch ms.
 */
export function readObservations(
  headers: Headers,
  own: readonly QuotaHeader[],
  now: number,
): readonly ReportedQuota[] {
  return quotasInHeaders(headers, own, now).map(({ quota }) => quota);
}
