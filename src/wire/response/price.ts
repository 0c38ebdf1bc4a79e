import dialect from '../../../spec/dialect.json' with { type: 'json' };
import { isJsonObject, type JsonObject, member, valuesAt } from '../../core/json.ts';

/** The names of a price, in `usage` or beside it. */
const PRICES = ['cost', 'total_cost', 'estimated_cost'];
/** The names of the sum, if a price is an object of its parts. */
const SUMS = ['total_cost', 'total', 'amount'];
/** Where a price may stand besides the answer itself. */
const PLACES = dialect.usage.paths.map((path) => ({ path, root: path.split('.', 1)[0] ?? '' }));
/** The members of an answer that may state its tokens or its price. */
const STATING: ReadonlySet<string> = new Set(['usage', ...PRICES, ...PLACES.map(({ root }) => root)]);

/** Whether an answer or a chunk may state its tokens or its price. Most chunks do not, and looking for each name is slow. */
export function mayStateUsage(answer: JsonObject): boolean {
  for (const name of Object.keys(answer)) if (STATING.has(name)) return true;
  return false;
}

function amountOf(value: unknown): number | undefined {
  if (isJsonObject(value))
    return amountOf(SUMS.map((name) => member(value, name)).find((sum) => !isJsonObject(sum)));
  const amount = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof amount === 'number' && Number.isFinite(amount) && amount >= 0 ? amount : undefined;
}

/** The highest price in an object; -1 if it has none. */
function priceIn(value: unknown): number {
  let highest = -1;
  for (const name of PRICES) {
    const price = member(value, name);
    if (price !== undefined) highest = Math.max(highest, amountOf(price) ?? -1);
  }
  return highest;
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
  let highest = priceIn(answer);
  for (const { path, root } of PLACES) {
    const place = member(answer, root);
    // Usual: most chunks have no usage.
    if (place === undefined) continue;
    const places = path === root ? [place] : valuesAt(answer, path);
    for (const found of places) highest = Math.max(highest, priceIn(found));
  }
  return highest < 0 ? undefined : highest + upstreamCost(usage);
}
