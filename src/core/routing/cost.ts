/** The price of a route, which saves scarce quota, and the cost of a request on each limit. */

import { type AccountRecord, type LimitUse, limiterOf, useOf } from '../records/account.ts';
import { isLong, type Limit, returnsAt } from '../limits/limit.ts';
import type { PoolAccount, PoolProvider } from '../pool.ts';
import type { RequestNeeds, TokenEstimate } from './question.ts';
import { maxInForce } from '../limits/in-force.ts';
import { DAY_MS } from '../time.ts';

/** See `ProviderScore`. */
export interface Cost {
  readonly price: number;
  readonly minuteUse: number;
}

/** The price on one long limit: the days until the quota returns, divided by the requests that are left. spec 11.1 */
function priceOf(limit: Limit, use: LimitUse, cost: number, now: number): number {
  // A full token bucket does not refill, so its next token is free.
  if (limit.kind === 'token-bucket' && use.used === 0) return 0;
  const left = Math.max(1, (use.max - use.used) / cost);
  return (returnsAt(limit, now) - now) / DAY_MS / left;
}

/** The price of a failed request, as a part of a day's quota. */
const WASTE_PRICE = 0.002;
/** A lower failure rate does not change the price. */
const LEAST_RATE = 0.1;

/** The cost of a served request where a share of requests fails: all are paid for, all but the last are wasted. spec 11.1 */
export function withFailureRate<C extends Cost>(cost: C, failureRate: number): C {
  if (failureRate < LEAST_RATE) return cost;
  return { ...cost, price: (cost.price + WASTE_PRICE) / (1 - failureRate) - WASTE_PRICE };
}

/** How much is used of the quota that an account has for a model. */
export interface RouteUse {
  /** The used part of the limits of a minute, 0 to 1. */
  readonly minuteUse: number;
  readonly long: readonly { readonly limit: Limit; readonly use: LimitUse }[];
  /** Whether one of the long limits counts tokens. */
  readonly countsTokens: boolean;
}

export function routeUse(account: PoolAccount, record: AccountRecord, model: string, now: number): RouteUse {
  const long: { readonly limit: Limit; readonly use: LimitUse }[] = [];
  let minuteUse = 0;
  let countsTokens = false;
  for (const limit of account.limits(model)) {
    const limiter = limiterOf(record, limit, model);
    const max = maxInForce(limiter, limit, now);
    if (max === Number.POSITIVE_INFINITY) continue;
    const use = useOf(limiter, limit, max, now);
    if (!isLong(limit)) minuteUse = Math.max(minuteUse, use.used / Math.max(1, use.max));
    else {
      long.push({ limit, use });
      countsTokens ||= limit.unit === 'tokens';
    }
  }
  return { minuteUse, long, countsTokens };
}

/** The cost of a request on such a quota. spec 11.1 */
export function routeCost({ minuteUse, long }: RouteUse, demand: Demand, now: number): Cost {
  let price = 0;
  for (const { limit, use } of long) {
    const isOne = limit.unit === 'requests' && demand.needs.batch === undefined;
    const cost = isOne ? 1 : costOf(limit, demand, use.max);
    price = Math.max(price, priceOf(limit, use, cost, now));
  }
  return { price, minuteUse };
}

/** The assumed number of tokens of an answer, until it has come. */
const USUAL_ANSWER = 500;
/** The smallest `max_tokens` that is granted. */
const LEAST_ANSWER = 64;
/** A prompt rarely has more tokens than this percentage of its estimate. */
const CAUTION_PERCENT = 110;

/** What one request takes from a limit. */
interface Amount {
  readonly likely: number;
  readonly least: number;
}

/** The most tokens that a prompt is assumed to have. */
export function cautious(prompt: number): number {
  return Math.ceil((prompt * CAUTION_PERCENT) / 100);
}

/** A prompt that leaves less of the context is too long itself. */
const LEAST_ROOM_PART = 0.25;
/** What a model's template may add to a prompt, as a part of the context. */
const TEMPLATE_PART = 1 / 32;

/** The tokens that a context length leaves for the answer; undefined if the prompt takes most of it. spec 8.2 */
export function answerRoom(ctx: number, prompt: number): number | undefined {
  const room = Math.floor(ctx * (1 - TEMPLATE_PART) - cautious(prompt));
  return room >= ctx * LEAST_ROOM_PART ? room : undefined;
}

const ONE: Amount = { likely: 1, least: 1 };

/** A request to one provider. */
export interface Demand {
  readonly needs: RequestNeeds;
  /** The `max_tokens` that is sent if the caller sets none. */
  readonly maxTokens?: number | undefined;
}

/** The smallest limit in force on prompt and longest answer. */
function smallestReserve(account: PoolAccount, record: AccountRecord, model: string, now: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const limit of account.limits(model)) {
    if (limit.counts !== 'reserved') continue;
    least = Math.min(least, maxInForce(limiterOf(record, limit, model), limit, now));
  }
  return least;
}

/**
 * A request as one account would get it. If a limit counts the longest possible answer and the caller sets none, the
 * answer is bounded so that the request fits. spec 3.13
 */
export function demandOf(
  { provider, account }: { readonly provider: PoolProvider; readonly account: PoolAccount },
  record: AccountRecord,
  model: string,
  needs: RequestNeeds,
  now: number,
): Demand {
  const usual = provider.maxTokensWhenUnset;
  if (usual === undefined || needs.tokens === undefined) return { needs, maxTokens: undefined };
  const { prompt, maxTokens } = needs.tokens();
  if (maxTokens !== undefined) return { needs, maxTokens: undefined };
  const room = smallestReserve(account, record, model, now) - cautious(prompt);
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
    case 'inputs':
    case 'total':
    case undefined:
      return { likely: prompt + Math.min(maxTokens ?? USUAL_ANSWER, USUAL_ANSWER), least };
  }
}

function amountOf(limit: Limit, demand: Demand | undefined): Amount {
  // A limit below a whole batch may be a wrong one: trying on an unused limit shows it.
  if (limit.unit === 'requests')
    return limit.counts === 'inputs' ? { ...ONE, likely: demand?.needs.batch?.inputs ?? 1 } : ONE;
  const estimate = demand?.needs.tokens?.();
  return estimate === undefined ? ONE : tokensOf(limit, estimate, demand?.maxTokens);
}

/** The most that a request may take from a limit. */
export function largestCost(
  { maxTokensWhenUnset = 0 }: PoolProvider,
  { batch, tokens }: RequestNeeds,
): number {
  const inputs = batch?.inputs ?? 1;
  if (tokens === undefined) return inputs;
  const { prompt, maxTokens = Math.max(USUAL_ANSWER, maxTokensWhenUnset) } = tokens();
  return Math.max(inputs, cautious(prompt) + maxTokens);
}

/** A request that takes at least `size` from each limit that counts tokens or texts. */
export function demandOfSize(size: number): Demand {
  const tokens = (): TokenEstimate => ({ prompt: size, least: size, maxTokens: 0 });
  const batch = { inputs: size, longest: 0, longestTokens: tokens };
  return { needs: { size: 0, capabilities: [], tokens, batch }, maxTokens: undefined };
}

/** What a request takes from a limit with `max` in force; Infinity if it never fits. spec 3.12 */
export function costOf(limit: Limit, demand: Demand | undefined, max: number): number {
  const { likely, least } = amountOf(limit, demand);
  if (likely <= max) return Math.max(1, likely);
  // The estimate may be wrong: trying on an unused limit shows it.
  return least <= max ? max : Number.POSITIVE_INFINITY;
}
