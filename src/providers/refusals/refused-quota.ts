/** Which quota refused, and what else a refusal tells of the provider's quotas. */

import table from '../../../spec/refusals.json' with { type: 'json' };
import type { FailureKind } from '../../core/failure.ts';
import { member, valuesAt } from '../../core/json.ts';
import type { ReportedQuota, QuotaWindow } from '../../core/limits/limit.ts';
import { statedHeader } from './retry-hints.ts';
import { type ToldQuota, toldQuotas } from './quota-headers.ts';
import type { Refusal } from './rules.ts';
import type { QuotaHeader } from '../spec.ts';

type Unit = ReportedQuota['unit'];

/** What a refusal tells of quotas. */
export interface RefusedQuota {
  /** The limit of the quota that refused. */
  readonly limit?: number | undefined;
  /** What it counts. */
  readonly unit?: Unit | undefined;
  /** Epoch ms at which it is back. */
  readonly resetAt?: number | undefined;
  /** The other quotas. */
  readonly beside: readonly ReportedQuota[];
}

/** The window that a kind speaks of. */
const WINDOWS: Readonly<Partial<Record<FailureKind, QuotaWindow>>> = {
  rate_limited: 'minute',
  quota_exhausted: 'day',
};

/** What is known of the refusal before its quotas are looked at. */
export interface RefusedBy {
  readonly kind: FailureKind;
  /** What the rule says that the limit counts. */
  readonly unit?: Unit | undefined;
  readonly quotaHeaders: readonly QuotaHeader[];
  readonly now: number;
}

function isOf(
  quota: Pick<StatedQuota, 'unit' | 'window'>,
  window: QuotaWindow | undefined,
  unit: Unit | undefined,
): boolean {
  const isOfUnit = unit === undefined || quota.unit === undefined || quota.unit === unit;
  return quota.window === window && isOfUnit;
}

/** The one limit that is stated, though not for which window; what it counts has to be known. */
function onlyOne(stated: readonly StatedQuota[], unit: Unit | undefined): StatedQuota | undefined {
  const [only, ...others] = stated;
  if (only?.unit === undefined || others.length > 0) return undefined;
  return isOf(only, undefined, unit) ? only : undefined;
}

/** A quota of which nothing is left, or which nobody but the refusal tells the window of. */
function isSpent({ quota: { remaining }, isAssumed }: ToldQuota): boolean {
  return remaining === undefined ? isAssumed : remaining <= 0;
}

function besides(
  told: readonly ToldQuota[],
  stated: readonly StatedQuota[],
  refused: { readonly unit: Unit | undefined; readonly window: QuotaWindow | undefined },
): readonly ReportedQuota[] {
  const found = new Map<string, ReportedQuota>();
  const labelled = stated.flatMap(({ unit, window, limit }) =>
    unit === undefined || window === undefined ? [] : [{ unit, window, limit }],
  );
  for (const quota of [...told.map((one) => one.quota), ...labelled]) {
    const isRefused = quota.window === refused.window && quota.unit === refused.unit;
    const name = `${quota.unit} ${quota.window}`;
    if (!isRefused && !found.has(name)) found.set(name, quota);
  }
  return [...found.values()];
}

/** The quota of a window that refused: one that the body states, else one that the headers show to be spent. */
function quotaOf(
  window: QuotaWindow,
  stated: readonly StatedQuota[],
  told: readonly ToldQuota[],
  by: RefusedBy,
): Omit<RefusedQuota, 'beside'> {
  const inBody = stated.find((quota) => isOf(quota, window, by.unit));
  const unit = inBody?.unit ?? by.unit;
  const spent = told.find((one) => isOf(one.quota, window, unit) && isSpent(one));
  const found = inBody ?? spent?.quota ?? onlyOne(stated, by.unit);
  const resetAt = spent?.resetIsFull === true ? undefined : spent?.quota.resetAt;
  return { limit: found?.limit, unit: found?.unit ?? by.unit, resetAt };
}

/** Which quota refused, and the others that the refusal tells. */
export function refusedQuota(refusal: Refusal, by: RefusedBy): RefusedQuota {
  const { headers, json } = refusal;
  const window = WINDOWS[by.kind];
  const stated = statedQuotas(refusal);
  const told = toldQuotas(headers, by.quotaHeaders, by.now, {
    window,
    look: (name) => statedHeader({ headers, json }, name),
  });
  if (window === undefined) return { beside: besides(told, stated, { window, unit: undefined }) };
  const found = quotaOf(window, stated, told, by);
  const limit = found.limit ?? positive(member(json, 'limit'));
  return { ...found, limit, beside: besides(told, stated, { window, unit: found.unit }) };
}

/** A limit as a refusal states it; what its words do not tell is absent. */
export interface StatedQuota {
  readonly unit?: ReportedQuota['unit'];
  readonly window?: QuotaWindow;
  readonly limit: number;
}

const { quotas, quotaLists, units, windows } = table.details;
const PATTERNS = quotas.map((source) => new RegExp(source, 'gi'));

function words<Name extends string>(by: Readonly<Record<Name, string>>, names: readonly Name[]) {
  const patterns = names.map((name) => [name, new RegExp(by[name], 'i')] as const);
  return (text: string): Name | undefined => patterns.find(([, pattern]) => pattern.test(text))?.[0];
}

const unitIn = words(units, ['tokens', 'requests']);
const windowIn = words(windows, ['month', 'day', 'hour', 'minute', 'second']);

/** A number above nought, thousands' commas and all. */
export function positive(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  const digits =
    typeof text === 'string'
      ? /^\s*(\d{1,12})\s*(?:$|[,;])/.exec(text.replaceAll(/,(?=\d{3})/g, ''))?.[1]
      : undefined;
  return digits === undefined || Number(digits) === 0 ? undefined : Number(digits);
}

function statedQuotaOf(label: string, stated: unknown): readonly StatedQuota[] {
  const limit = positive(stated);
  if (limit === undefined) return [];
  const [unit, window] = [unitIn(label), windowIn(label)];
  return [{ limit, ...(unit === undefined ? {} : { unit }), ...(window === undefined ? {} : { window }) }];
}

/** The limits that a refusal states, those of lists first: they name their windows. */
export function statedQuotas({ json, message }: Refusal): readonly StatedQuota[] {
  const listed = quotaLists.flatMap(({ path, label, limit }) =>
    valuesAt(json, path).flatMap((row) => {
      const name = member(row, label);
      return typeof name === 'string' ? statedQuotaOf(name, member(row, limit)) : [];
    }),
  );
  const said = PATTERNS.flatMap((pattern) =>
    [...message.matchAll(pattern)].flatMap(([text, limit]) => statedQuotaOf(text, limit)),
  );
  return [...listed, ...said];
}
