/** What the headers of an answer tell of the provider's quotas. */

import table from '../../../spec/refusals.json' with { type: 'json' };
import { isJsonObject } from '../../core/json.ts';
import type { ReportedQuota, QuotaWindow } from '../../core/limits/limit.ts';
import { readReset } from './retry-hints.ts';
import type { Headers } from '../../ports.ts';
import type { QuotaHeader } from '../spec.ts';

type Unit = ReportedQuota['unit'];
type Told = string | number | undefined;

/** A quota as headers tell it. */
export interface ToldQuota {
  readonly quota: ReportedQuota;
  /** Nobody says that the window is this one, but that it refused. */
  readonly isAssumed: boolean;
  /** `resetAt` is the moment at which a bucket that refills is full again. */
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

/** The whole number that a header holds; of a header that came twice the first. */
function wholeNumber(value: Told): number | undefined {
  const digits = /^\s*(-?\d{1,15})(?:\.\d{0,20})?\s*(?:,|$)/.exec(String(value ?? ''))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

interface Numbers {
  readonly limit: Told;
  readonly remaining: Told;
  readonly reset: Told;
}

/** The numbers of a quota; `undefined` where none is told, or a limit of nought: that is no limit, but a refusal. */
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
    // Some go on counting below nought.
    ...(remaining === undefined ? {} : { remaining: Math.max(0, remaining) }),
    ...(resetAt === undefined ? {} : { resetAt }),
  };
}

type Look = (name: string) => Told;

function toldBy(row: QuotaHeader, look: Look, now: number, refused?: QuotaWindow): ToldQuota | undefined {
  const isAssumed = row.window === 'refused';
  const window = row.window === 'refused' ? refused : row.window;
  if (window === undefined) return undefined;
  if (row.period !== undefined && !PERIOD_SECONDS[window].includes(wholeNumber(look(row.period)) ?? 0))
    return undefined;
  const [limit, remaining, reset] = [row.limit, row.remaining, row.reset].map((name) =>
    name === undefined ? undefined : look(name),
  );
  const told = readQuota({ limit, remaining, reset }, now);
  if (told === undefined) return undefined;
  return { quota: { unit: row.unit, window, ...told }, isAssumed, resetIsFull: row.resetIsFull === true };
}

const NAMED =
  /^x-ratelimit-(?:limit|remaining|reset)-(?:(req|requests)|tokens)-(?:1-)?(second|minute|hour|day|month)$/;

/** The rows of headers that name their window, such as `x-ratelimit-remaining-tokens-minute`. */
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

/** What a refusal adds: the window that refused, and headers that its body holds. */
export interface RefusedQuotas {
  readonly window?: QuotaWindow | undefined;
  readonly look: Look;
}

/** Every quota that headers tell of: by the provider's rows, by the shared ones, and by the headers' own names. */
export function toldQuotas(
  headers: Headers,
  own: readonly QuotaHeader[],
  now: number,
  refused?: RefusedQuotas,
): readonly ToldQuota[] {
  const look: Look = refused?.look ?? ((name) => headers[name]);
  const found = new Map<string, ToldQuota>();
  for (const row of [...own, ...SHARED_ROWS, ...namedRows(headers)]) {
    const told = toldBy(row, look, now, refused?.window);
    const name = told === undefined ? '' : `${told.quota.unit} ${told.quota.window}`;
    if (told !== undefined && !found.has(name)) found.set(name, told);
  }
  return [...found.values()];
}

/**
 * The quotas that the headers of an answer tell of, each unit and window once. Headers whose names do not say what
 * they count are read as the provider's `quotaHeaders` say; without those they mean nothing.
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
  return toldQuotas(headers, own, now).map(({ quota }) => quota);
}
