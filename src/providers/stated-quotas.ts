/** What a refusal says in its body of the provider's quotas. */

import table from '../../spec/refusals.json' with { type: 'json' };
import { member, valuesAt } from '../core/json-path.ts';
import type { Observation, QuotaWindow } from '../core/observation.ts';
import type { Refusal } from './refusal-rules.ts';

/** A limit as a refusal states it; what its words do not tell is absent. */
export interface StatedQuota {
  readonly unit?: Observation['unit'];
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

function quotaOf(label: string, stated: unknown): readonly StatedQuota[] {
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
      return typeof name === 'string' ? quotaOf(name, member(row, limit)) : [];
    }),
  );
  const said = PATTERNS.flatMap((pattern) =>
    [...message.matchAll(pattern)].flatMap(([text, limit]) => quotaOf(text, limit)),
  );
  return [...listed, ...said];
}
