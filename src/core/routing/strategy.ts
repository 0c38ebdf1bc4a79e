/** The strategies, and the choice among providers that could serve a call now. spec 11.4 */

import type { ProviderScore, Strategy, StrategyName, FailedAttempt, Target, Records } from './question.ts';
import { type AccountRecord, keyOf } from '../records/account.ts';
import { setbacksOf } from './exclusion.ts';
import type { Cost } from './cost.ts';

function byPriority(a: ProviderScore, b: ProviderScore): number {
  return a.priority - b.priority || a.index - b.index;
}

/** Compares two costs, the cheaper first. */
export function byCost(a: Cost, b: Cost): number {
  return a.price - b.price || a.minuteUse - b.minuteUse;
}

/** The strategies by name. `quota_aware` spends the quota that expires or refills soonest. */
export const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = {
  priority: (scores) => scores.toSorted(byPriority),
  round_robin: (scores, turn) => {
    const inOrder = scores.toSorted((a, b) => a.index - b.index);
    // Counts ready providers only. Otherwise the successor of a paused provider would get its calls, too.
    const first = turn % Math.max(1, inOrder.length);
    return [...inOrder.slice(first), ...inOrder.slice(0, first)];
  },
  quota_aware: (scores) => scores.toSorted((a, b) => byCost(a, b) || byPriority(a, b)),
  // A provider without a measured latency comes first.
  latency: (scores) => scores.toSorted((a, b) => (a.latencyMs ?? 0) - (b.latencyMs ?? 0) || byPriority(a, b)),
};

/** A provider's score that computes the latency only if a strategy reads it. */
export class LazyProviderScore implements ProviderScore {
  readonly name: string;
  readonly index: number;
  readonly priority: number;
  readonly price: number;
  readonly minuteUse: number;
  readonly target: Target;
  readonly #records: Records;

  constructor(records: Records, { price, minuteUse }: Cost, target: Target) {
    this.name = target.provider.name;
    this.index = target.provider.index;
    this.priority = target.provider.priority;
    this.price = price;
    this.minuteUse = minuteUse;
    this.target = target;
    this.#records = records;
  }

  get latencyMs(): number | undefined {
    let total = 0;
    let known = 0;
    for (const account of this.target.provider.accounts) {
      const record: AccountRecord = this.#records.account(account);
      for (const keyId of account.keyIds) {
        const { latencyMs } = keyOf(record, keyId);
        if (latencyMs === undefined) continue;
        total += latencyMs;
        known += 1;
      }
    }
    return known === 0 ? undefined : total / known;
  }
}

/** The first provider in the strategy's order among those with the fewest setbacks in this call. spec 11.6 */
export function bestOf(
  scores: readonly LazyProviderScore[],
  failedAttempts: readonly FailedAttempt[],
  order: Strategy,
  turn: number,
): Target | undefined {
  let best: ProviderScore | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const score of order(scores, turn)) {
    const setbacks = setbacksOf(failedAttempts, score.name);
    if (setbacks >= fewest) continue;
    best = score;
    fewest = setbacks;
  }
  // A user's strategy may return anything, so its choice is looked up by name.
  return (scores.find(({ name }) => name === best?.name) ?? scores[0])?.target;
}
