import { limitUse } from '../../core/records/account.ts';
import { type Limit, spanOf, type ReportedQuota, type QuotaWindow } from '../../core/limits/limit.ts';
import type { Records } from '../../core/routing/question.ts';
import type { Candidate, PoolAccount } from '../../core/pool.ts';

/** One limit that applies to a key. */
export interface KeyQuota {
  readonly unit: 'requests' | 'tokens';
  /** `at-once`: a limit of concurrent requests. */
  readonly window: QuotaWindow | 'at-once';
  /** The limit; the lowest one if models differ. */
  readonly limit: number | undefined;
  /** The highest limit if models differ. */
  readonly highest?: number | undefined;
  /** Whether each model has a quota of its own. */
  readonly perModel: boolean;
  /** What is left, as just reported by the provider. */
  readonly remaining?: number | undefined;
  /** When it resets, in epoch milliseconds, as just reported by the provider. */
  readonly resetAt?: number | undefined;
  /** Whether the provider has just reported it. Otherwise it is documented, learnt or your own setting. */
  readonly reported: boolean;
}

/** Adds a limit to a quota, which then spans several models. */
function withLimit(quota: KeyQuota | undefined, limit: Limit, max: number): KeyQuota {
  const limits = [max, quota?.limit ?? max, quota?.highest ?? max];
  const lowest = Math.min(...limits);
  const highest = Math.max(...limits);
  return {
    unit: limit.unit,
    window: spanOf(limit),
    limit: lowest,
    ...(highest === lowest ? {} : { highest }),
    perModel: limit.per === 'account-model',
    reported: false,
  };
}

/** The limits in force for an account, one row per unit, window and scope. A limit without a number is left out. */
export function quotasOf(
  models: Candidate['models'],
  account: PoolAccount,
  records: Records,
  now: number,
): readonly KeyQuota[] {
  const record = records.account(account);
  const quotas = new Map<string, KeyQuota>();
  for (const { id } of models) {
    for (const limit of account.limits(id)) {
      const { max } = limitUse(record, limit, id, now);
      const name = `${limit.unit} ${spanOf(limit)} ${limit.per}`;
      if (Number.isFinite(max)) quotas.set(name, withLimit(quotas.get(name), limit, max));
    }
  }
  return [...quotas.values()];
}

/** The quotas with those that the provider has just reported in place of the assumed ones. */
export function withReported(
  quotas: readonly KeyQuota[],
  reported: readonly ReportedQuota[],
): readonly KeyQuota[] {
  const rows = reported.map(({ unit, window, limit, remaining, resetAt }): KeyQuota => ({
    unit,
    window,
    limit: limit ?? quotas.find((quota) => quota.unit === unit && quota.window === window)?.limit,
    perModel: false,
    remaining,
    resetAt,
    reported: true,
  }));
  const isAssumed = ({ unit, window }: KeyQuota): boolean =>
    !rows.some((row) => row.unit === unit && row.window === window);
  return [...quotas.filter(isAssumed), ...rows];
}
