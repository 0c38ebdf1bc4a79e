import dialect from '../../../spec/dialect.json' with { type: 'json' };
import { isJsonObject, member, valuesAt } from '../../core/json.ts';

/** The names of a price, in `usage` or beside it. */
const PRICES = ['cost', 'total_cost', 'estimated_cost'];
/** The names of the sum, if a price is an object of its parts. */
const SUMS = ['total_cost', 'total', 'amount'];

function amountOf(value: unknown): number | undefined {
  if (isJsonObject(value)) return amountOf(SUMS.map((name) => value[name]).find((sum) => !isJsonObject(sum)));
  const amount = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof amount === 'number' && Number.isFinite(amount) && amount >= 0 ? amount : undefined;
}

function pricesIn(value: unknown): readonly number[] {
  return PRICES.map((name) => amountOf(member(value, name))).filter((amount) => amount !== undefined);
}

/** What an upstream bills to the caller's own account there, besides the price of the router. */
function upstreamCost(usage: unknown): number {
  if (member(usage, 'is_byok') !== true) return 0;
  return amountOf(member(member(usage, 'cost_details'), 'upstream_inference_cost')) ?? 0;
}

/** What an answer cost, as its provider states it; undefined if it states no price. Of several prices, the highest. */
// spec 13.5
export function readCost(answer: unknown): number | undefined {
  const usage = member(answer, 'usage');
  const places = [answer, ...dialect.usage.paths.flatMap((path) => valuesAt(answer, path))];
  const prices = places.flatMap(pricesIn);
  return prices.length === 0 ? undefined : Math.max(...prices) + upstreamCost(usage);
}
