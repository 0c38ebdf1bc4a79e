/** The limits that a key is paced by: as documented or learnt, and as its provider states them. */

import { limitUse } from '../../core/records/account.ts';
import { type Limit, spanOf, type ReportedQuota, type QuotaWindow } from '../../core/limits/limit.ts';
import type { Records } from '../../core/routing/question.ts';
import type { Candidate, PoolAccount } from '../../core/pool.ts';

/** One limit of a key. */
export interface KeyQuota {
  readonly unit: 'requests' | 'tokens';
  /** `at-once`: how many may be under way. */
  readonly window: QuotaWindow | 'at-once';
  /** The lowest of its models', where they differ. */
  readonly limit: number | undefined;
  /** The highest of its models', where they differ. */
  readonly highest?: number | undefined;
  /** Whether each model has its own. */
  readonly perModel: boolean;
  /** What is left of it, where the provider has just said so. */
  readonly remaining?: number | undefined;
  /** Epoch ms at which it resets, where the provider has just said so. */
  readonly resetAt?: number | undefined;
  /** Whether the provider has just said so; else it is documented, set by you, or learnt. */
  readonly stated: boolean;
}

/** A quota that covers one meter more. */
function widened(quota: KeyQuota | undefined, limit: Limit, max: number): KeyQuota {
  const limits = [max, quota?.limit ?? max, quota?.highest ?? max];
  const lowest = Math.min(...limits);
  const highest = Math.max(...limits);
  return {
    unit: limit.unit,
    window: spanOf(limit),
    limit: lowest,
    ...(highest === lowest ? {} : { highest }),
    perModel: limit.per === 'account-model',
    stated: false,
  };
}

/** What a key is paced by; a meter without a limit is none. */
export function pacedBy(
  models: Candidate['models'],
  account: PoolAccount,
  { records, now }: { readonly records: Records; readonly now: number },
): readonly KeyQuota[] {
  const record = records.account(account);
  const quotas = new Map<string, KeyQuota>();
  for (const { id } of models) {
    for (const limit of account.limits(id)) {
      const { max } = limitUse(record, limit, id, now);
      const name = `${limit.unit} ${spanOf(limit)} ${limit.per}`;
      if (Number.isFinite(max)) quotas.set(name, widened(quotas.get(name), limit, max));
    }
  }
  return [...quotas.values()];
}

/** The same with what the provider states in the place of what was assumed. */
export function corrected(
  quotas: readonly KeyQuota[],
  reported: readonly ReportedQuota[],
): readonly KeyQuota[] {
  const stated = reported.map(({ unit, window, limit, remaining, resetAt }): KeyQuota => ({
    unit,
    window,
    limit: limit ?? quotas.find((quota) => quota.unit === unit && quota.window === window)?.limit,
    perModel: false,
    remaining,
    resetAt,
    stated: true,
  }));
  const isStated = ({ unit, window }: KeyQuota): boolean =>
    stated.some((quota) => quota.unit === unit && quota.window === window);
  return [...quotas.filter((quota) => !isStated(quota)), ...stated];
}
