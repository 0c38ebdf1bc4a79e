/** What people are shown of one limit: how much of it is spent, and from when more is left. Changes nothing. */

import { bucketName, bucketOf, meterUse } from './account-record.ts';
import { accountsOf } from './accounts.ts';
import type { Sight } from './health.ts';
import { spanOf } from './meter.ts';
import type { QuotaWindow } from './observation.ts';
import type { Candidate } from './pool.ts';
import { readyAtOf } from './quota.ts';

/** One limit of an account, as it stands. */
export interface MeterStatus {
  readonly provider: string;
  readonly account: string;
  /** Undefined: it covers all the models. */
  readonly model: string | undefined;
  readonly unit: 'requests' | 'tokens';
  /** `at-once`: how many may be under way. */
  readonly window: QuotaWindow | 'at-once';
  readonly used: number;
  readonly limit: number;
  /** Epoch ms from which more is left than now; undefined while nothing is spent. */
  readonly returnsAt: number | undefined;
}

/** The limits of a candidate's accounts, each once; a meter without a limit is none. */
export function meterStatuses({ records, now }: Sight, candidate: Candidate): readonly MeterStatus[] {
  const { provider, models } = candidate;
  return accountsOf(provider, records.provider(provider), now).flatMap((account) => {
    const record = records.account(account);
    const rows = new Map<string, MeterStatus>();
    for (const { id } of models) {
      for (const meter of account.meters(id)) {
        const name = bucketName(meter, id);
        const { used, limit } = meterUse(record, meter, id, now);
        if (rows.has(name) || !Number.isFinite(limit)) continue;
        const missing = limit - used + 1;
        rows.set(name, {
          provider: provider.name,
          account: account.id,
          model: meter.per === 'account' ? undefined : id,
          unit: meter.unit,
          window: spanOf(meter),
          used,
          limit,
          returnsAt: used === 0 ? undefined : readyAtOf(bucketOf(record, meter, id), meter, missing, now),
        });
      }
    }
    return [...rows.values()];
  });
}
