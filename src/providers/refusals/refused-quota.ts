/** The quota that refused a request, and the other quotas that the refusal reports. */

import table from '../../../spec/refusals.json' with { type: 'json' };
import { type FailureKind, windowFilledBy } from '../../core/failure.ts';
import { member, valuesAt } from '../../core/json.ts';
import type { ReportedQuota, QuotaWindow } from '../../core/limits/limit.ts';
import { type HeaderQuota, quotasInHeaders } from './quota-headers.ts';
import { reportedHeader } from './retry-hints.ts';
import type { Refusal } from './rules.ts';
import type { QuotaHeader } from '../spec.ts';

type Unit = ReportedQuota['unit'];

/** What a refusal reports of quotas. */
export interface RefusedQuota {
  /** The limit of the quota that refused. */
  readonly limit?: number | undefined;
  readonly unit?: Unit | undefined;
  /** Epoch ms at which it resets. */
  readonly resetAt?: number | undefined;
  readonly others: readonly ReportedQuota[];
}

/** What is known of a refusal before its quotas are read. */
export interface RefusedBy {
  readonly kind: FailureKind;
  /** The unit that the rule names. */
  readonly unit?: Unit | undefined;
  readonly quotaHeaders: readonly QuotaHeader[];
  readonly now: number;
}

function isOf(
  quota: Pick<BodyQuota, 'unit' | 'window'>,
  window: QuotaWindow | undefined,
  unit: Unit | undefined,
): boolean {
  const isOfUnit = unit === undefined || quota.unit === undefined || quota.unit === unit;
  return quota.window === window && isOfUnit;
}

/** The body's only limit, if it names its unit and no window. */
function onlyOne(inBody: readonly BodyQuota[], unit: Unit | undefined): BodyQuota | undefined {
  const [only, ...others] = inBody;
  if (only?.unit === undefined || others.length > 0) return undefined;
  return isOf(only, undefined, unit) ? only : undefined;
}

/** Whether headers show that this quota refused: nothing is left, or its window is assumed to be the refusing one. */
function isSpent({ quota: { remaining }, isAssumed }: HeaderQuota): boolean {
  return remaining === undefined ? isAssumed : remaining <= 0;
}

function otherQuotas(
  inHeaders: readonly HeaderQuota[],
  inBody: readonly BodyQuota[],
  refused: { readonly unit: Unit | undefined; readonly window: QuotaWindow | undefined },
): readonly ReportedQuota[] {
  const found = new Map<string, ReportedQuota>();
  const labelled = inBody.flatMap(({ unit, window, limit }) =>
    unit === undefined || window === undefined ? [] : [{ unit, window, limit }],
  );
  for (const quota of [...inHeaders.map((one) => one.quota), ...labelled]) {
    const isRefused = quota.window === refused.window && quota.unit === refused.unit;
    const name = `${quota.unit} ${quota.window}`;
    if (!isRefused && !found.has(name)) found.set(name, quota);
  }
  return [...found.values()];
}

/** The quota of the refusing window: the body's, else one that headers show to be spent. */
function quotaOf(
  window: QuotaWindow,
  inBody: readonly BodyQuota[],
  inHeaders: readonly HeaderQuota[],
  by: RefusedBy,
): Omit<RefusedQuota, 'others'> {
  const named = inBody.find((quota) => isOf(quota, window, by.unit));
  const unit = named?.unit ?? by.unit;
  const spent = inHeaders.find((one) => isOf(one.quota, window, unit) && isSpent(one));
  const found = named ?? spent?.quota ?? onlyOne(inBody, by.unit);
  const resetAt = spent?.resetIsFull === true ? undefined : spent?.quota.resetAt;
  return { limit: found?.limit, unit: found?.unit ?? by.unit, resetAt };
}

/** The quota that refused, and the others that the refusal reports. */
// spec 7.12
export function refusedQuota(refusal: Refusal, by: RefusedBy): RefusedQuota {
  const { headers, json } = refusal;
  const window = windowFilledBy(by.kind);
  const inBody = quotasInBody(refusal);
  const inHeaders = quotasInHeaders(headers, by.quotaHeaders, by.now, {
    window,
    look: (name) => reportedHeader({ headers, json }, name),
  });
  if (window === undefined) return { others: otherQuotas(inHeaders, inBody, { window, unit: undefined }) };
  const found = quotaOf(window, inBody, inHeaders, by);
  const limit = found.limit ?? paths.limit.flatMap(({ path }) => valuesAt(json, path)).map(positive)[0];
  return { ...found, limit, others: otherQuotas(inHeaders, inBody, { window, unit: found.unit }) };
}

/** A limit that the body of a refusal reports; its unit and window are absent if the body does not name them. */
interface BodyQuota {
  readonly unit?: ReportedQuota['unit'];
  readonly window?: QuotaWindow;
  readonly limit: number;
}

const { quotas, quotaLists, units, windows, paths } = table.details;
const PATTERNS = quotas.map((source) => new RegExp(source, 'gi'));

function words<Name extends string>(by: Readonly<Record<Name, string>>, names: readonly Name[]) {
  const patterns = names.map((name) => [name, new RegExp(by[name], 'i')] as const);
  return (text: string): Name | undefined => patterns.find(([, pattern]) => pattern.test(text))?.[0];
}

const unitIn = words(units, ['tokens', 'requests']);
const windowIn = words(windows, ['month', 'day', 'hour', 'minute', 'second']);

/** A number above 0, with or without commas before thousands. */
export function positive(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  const digits =
    typeof text === 'string'
      ? /^\s*(\d{1,12})\s*(?:$|[,;])/.exec(text.replaceAll(/,(?=\d{3})/g, ''))?.[1]
      : undefined;
  return digits === undefined || Number(digits) === 0 ? undefined : Number(digits);
}

function bodyQuotaOf(label: string, max: unknown): readonly BodyQuota[] {
  const limit = positive(max);
  if (limit === undefined) return [];
  const [unit, window] = [unitIn(label), windowIn(label)];
  return [{ limit, ...(unit === undefined ? {} : { unit }), ...(window === undefined ? {} : { window }) }];
}

/** The limits in a refusal's body. Those of lists come first, since they name their windows. */
function quotasInBody({ json, message }: Refusal): readonly BodyQuota[] {
  const listed = quotaLists.flatMap(({ path, label, limit }) =>
    valuesAt(json, path).flatMap((row) => {
      const name = member(row, label);
      return typeof name === 'string' ? bodyQuotaOf(name, member(row, limit)) : [];
    }),
  );
  const matched = PATTERNS.flatMap((pattern) =>
    [...message.matchAll(pattern)].flatMap(([text, limit]) => bodyQuotaOf(text, limit)),
  );
  return [...listed, ...matched];
}
