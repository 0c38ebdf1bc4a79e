/** What one request on an account's quota for a model costs, so that scarce quota is kept. */

import { type AccountRecord, meterUse } from './account-record.ts';
import { costOf, type Demand } from './demand.ts';
import { isLong, type Meter, returnsAt } from './meter.ts';
import type { PoolAccount } from './pool.ts';

/** See `Standing.price` and `Standing.minuteUse`. */
export interface Cost {
  readonly price: number;
  readonly minuteUse: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** What of a long quota one request costs: the time until it comes back, in days, over the requests that are left. */
function priceOf(meter: Meter, use: { limit: number; used: number }, cost: number, now: number): number {
  // What refills all the time is lost while the bucket is full.
  if (meter.kind === 'refilling-bucket' && use.used === 0) return 0;
  const left = Math.max(1, (use.limit - use.used) / cost);
  return (returnsAt(meter, now) - now) / DAY_MS / left;
}

/** What a wasted request is worth, as a part of a day's quota. */
const WASTE_PRICE = 0.002;
/** A source that fails more seldom is not avoided. */
const LEAST_RATE = 0.1;

/** What it costs to be served where a share of requests fails: each is paid for, and each but the last is wasted. */
export function atRisk<C extends Cost>(cost: C, failureRate: number): C {
  if (failureRate < LEAST_RATE) return cost;
  return { ...cost, price: (cost.price + WASTE_PRICE) / (1 - failureRate) - WASTE_PRICE };
}

/** `demand` absent: a request of any size. */
export function priceAt(
  account: PoolAccount,
  record: AccountRecord,
  { model, demand }: { readonly model: string; readonly demand?: Demand | undefined },
  now: number,
): Cost {
  let price = 0;
  let minuteUse = 0;
  for (const meter of account.meters(model)) {
    const use = meterUse(record, meter, model, now);
    if (!Number.isFinite(use.limit)) continue;
    const cost = meter.unit === 'requests' ? 1 : costOf(meter, demand, use.limit);
    if (isLong(meter)) price = Math.max(price, priceOf(meter, use, cost, now));
    else minuteUse = Math.max(minuteUse, use.used / Math.max(1, use.limit));
  }
  return { price, minuteUse };
}
