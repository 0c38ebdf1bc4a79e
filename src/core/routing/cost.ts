/** What one request on an account's quota for a model costs, so that scarce quota is kept. */

import { type AccountRecord, type LimitUse, limitUse, limiterOf } from '../records/account.ts';
import { isLong, type Limit, returnsAt } from '../limits/limit.ts';
import type { PoolAccount, PoolProvider } from '../pool.ts';
import type { RequestNeeds, TokenEstimate } from './question.ts';
import { maxInForce } from '../limits/window.ts';
import { DAY_MS } from '../time.ts';

/** See `Standing.price` and `Standing.minuteUse`. */
export interface Cost {
  readonly price: number;
  readonly minuteUse: number;
}

/** What of a long quota one request costs: the time until it comes back, in days, over the requests that are left. */
function priceOf(limit: Limit, use: LimitUse, cost: number, now: number): number {
  // What refills all the time is lost while the bucket is full.
  if (limit.kind === 'token-bucket' && use.used === 0) return 0;
  const left = Math.max(1, (use.max - use.used) / cost);
  return (returnsAt(limit, now) - now) / DAY_MS / left;
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
  for (const limit of account.limits(model)) {
    const use = limitUse(record, limit, model, now);
    if (!Number.isFinite(use.max)) continue;
    const cost = limit.unit === 'requests' ? 1 : costOf(limit, demand, use.max);
    if (isLong(limit)) price = Math.max(price, priceOf(limit, use, cost, now));
    else minuteUse = Math.max(minuteUse, use.used / Math.max(1, use.max));
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
  readonly needs: RequestNeeds;
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
  for (const limit of account.limits(model)) {
    if (limit.counts !== 'reserved') continue;
    least = Math.min(least, maxInForce(limiterOf(record, limit, model), limit, now));
  }
  return least;
}

/**
 * What a request asks of one model of an account. Where a meter counts the longest possible answer and the caller sets
 * none, the answer is bounded so that the request fits the meter at all.
 */
export function demandOf(addressee: Addressee, needs: RequestNeeds, now: number): Demand {
  const usual = addressee.provider.maxTokensWhenUnset;
  if (usual === undefined || needs.tokens === undefined) return { needs, maxTokens: undefined };
  const { prompt, maxTokens } = needs.tokens();
  if (maxTokens !== undefined) return { needs, maxTokens: undefined };
  const room = tightestReserve(addressee, now) - cautious(prompt);
  return { needs, maxTokens: Math.max(LEAST_ANSWER, Math.min(usual, Math.floor(room))) };
}

function tokensOf(limit: Limit, estimate: TokenEstimate, granted: number | undefined): Amount {
  const { least, maxTokens } = estimate;
  const prompt = cautious(estimate.prompt);
  switch (limit.counts) {
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
export function costOf(limit: Limit, demand: Demand | undefined, max: number): number {
  const estimate = limit.unit === 'tokens' ? demand?.needs.tokens?.() : undefined;
  const { likely, least } = estimate === undefined ? ONE : tokensOf(limit, estimate, demand?.maxTokens);
  if (likely <= max) return Math.max(1, likely);
  // The estimate may be wrong: an empty meter shows whether it is.
  return least <= max ? max : Number.POSITIVE_INFINITY;
}
