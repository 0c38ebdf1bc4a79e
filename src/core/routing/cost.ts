/** What one request on an account's quota for a model costs, so that scarce quota is kept. */

import { type AccountRecord, meterUse, bucketOf } from '../records/account.ts';
import { isLong, type Meter, returnsAt } from '../limits/limit.ts';
import type { PoolAccount, PoolProvider } from '../pool.ts';
import type { Needs, TokenEstimate } from './question.ts';
import { limitOf } from '../limits/window.ts';

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

/** An answer of unknown length is taken to have about so many tokens until it has come. */
const USUAL_ANSWER = 500;
/** A shorter answer is of no use. */
const LEAST_ANSWER = 64;
/** A prompt has seldom more tokens than this many percent of the estimate. */
const CAUTION_PERCENT = 110;

/** What one request takes: as it is estimated, and at least. */
interface Amount {
  readonly likely: number;
  readonly least: number;
}

function cautious(prompt: number): number {
  return Math.ceil((prompt * CAUTION_PERCENT) / 100);
}

const ONE: Amount = { likely: 1, least: 1 };

/** A request to one provider. */
export interface Demand {
  readonly needs: Needs;
  /** The most tokens that the answer may have, to be sent where the caller says nothing. */
  readonly maxTokens: number | undefined;
}

/** Whom a request is to go to, and how that account stands. */
export interface Addressee {
  readonly provider: PoolProvider;
  readonly account: PoolAccount;
  readonly record: AccountRecord;
  readonly model: string;
}

/** The least of the limits in force on what a request may take. */
function tightestReserve({ account, record, model }: Addressee, now: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const meter of account.meters(model)) {
    if (meter.counts !== 'reserved') continue;
    least = Math.min(least, limitOf(bucketOf(record, meter, model), meter, now));
  }
  return least;
}

/**
 * What a request asks of one model of an account. Where a meter counts the longest possible answer and the caller sets
 * none, the answer is bounded so that the request fits the meter at all.
 */
export function demandOf(addressee: Addressee, needs: Needs, now: number): Demand {
  const usual = addressee.provider.maxTokensWhenUnset;
  if (usual === undefined || needs.tokens === undefined) return { needs, maxTokens: undefined };
  const { prompt, maxTokens } = needs.tokens();
  if (maxTokens !== undefined) return { needs, maxTokens: undefined };
  const room = tightestReserve(addressee, now) - cautious(prompt);
  return { needs, maxTokens: Math.max(LEAST_ANSWER, Math.min(usual, Math.floor(room))) };
}

function tokensOf(meter: Meter, estimate: TokenEstimate, granted: number | undefined): Amount {
  const { least, maxTokens } = estimate;
  const prompt = cautious(estimate.prompt);
  switch (meter.counts) {
    case 'input':
      return { likely: prompt, least };
    case 'reserved': {
      const answer = maxTokens ?? granted ?? 0;
      return { likely: prompt + answer, least: least + answer };
    }
    case 'total':
    case undefined:
      return { likely: prompt + Math.min(maxTokens ?? USUAL_ANSWER, USUAL_ANSWER), least };
  }
}

/** What a request takes of a meter whose limit in force is `limit`; Infinity: it never fits. */
export function costOf(meter: Meter, demand: Demand | undefined, limit: number): number {
  const estimate = meter.unit === 'tokens' ? demand?.needs.tokens?.() : undefined;
  const { likely, least } = estimate === undefined ? ONE : tokensOf(meter, estimate, demand?.maxTokens);
  if (likely <= limit) return Math.max(1, likely);
  // The estimate may be wrong: an empty meter shows whether it is.
  return least <= limit ? limit : Number.POSITIVE_INFINITY;
}
