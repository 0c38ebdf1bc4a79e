/** What a provider's account endpoint tells: the account's tier and what it has used. */

import { parseJson, valuesAt } from '../../core/json.ts';
import type { ReportedQuota } from '../../core/limits/limit.ts';
import type { AccountSpec } from '../spec.ts';

/** An account as its provider sees it; what the answer does not tell is absent. */
export interface AccountState {
  /** One of the provider's tiers. */
  readonly tier?: string;
  readonly reported: readonly ReportedQuota[];
}

type TierRow = NonNullable<AccountSpec['tier']>[number];

function isMet(row: TierRow, json: unknown): boolean {
  const { is, atLeast } = row;
  const [value] = valuesAt(json, row.path);
  if (is !== undefined) return value === is;
  return atLeast === undefined ? value !== undefined : typeof value === 'number' && value >= atLeast;
}

function count(json: unknown, path: string | undefined): number | undefined {
  const [value] = path === undefined ? [] : valuesAt(json, path);
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(0, Math.floor(value)) : undefined;
}

/** A limit of nought or none at all tells nothing. */
function observationOf(quota: AccountSpec['quotas'][number], json: unknown): readonly ReportedQuota[] {
  const { unit, window } = quota;
  const [max = 0, used, left] = [quota.limit, quota.used, quota.remaining].map((path) => count(json, path));
  // Whoever goes on asking is counted above the limit.
  const remaining = left ?? (used === undefined ? undefined : Math.max(0, max - used));
  if (max === 0) return [];
  return [{ unit, window, limit: max, ...(remaining === undefined ? {} : { remaining }) }];
}

/**
 * Reads the answer of an account endpoint. Never throws; of an unknown shape nothing is read.
 *
 * @param body - The body of an answer with status 200.
 * @param account - The provider's `account`: where in the body the tier and the quotas are.
 */
export function readAccountState(body: string, account: AccountSpec): AccountState {
  const json = parseJson(body);
  const tier = account.tier?.find((row) => isMet(row, json))?.tier;
  const reported = account.quotas.flatMap((quota) => observationOf(quota, json));
  return tier === undefined ? { reported } : { tier, reported };
}
