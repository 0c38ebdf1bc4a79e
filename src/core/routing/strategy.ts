/** In which order the providers that could serve a call now are tried. */

import type { ProviderScore, Strategy, StrategyName, FailedAttempt, Target, Records } from './question.ts';
import { type AccountRecord, keyOf } from '../records/account.ts';
import { setbacksOf } from './exclusion.ts';
import type { Cost } from './cost.ts';

function byPriority(a: ProviderScore, b: ProviderScore): number {
  return a.priority - b.priority || a.index - b.index;
}

/** The cheaper first: what would be lost or comes back soonest is spent before what is scarce. */
export function cheaper(
  a: { price: number; minuteUse: number },
  b: { price: number; minuteUse: number },
): number {
  return a.price - b.price || a.minuteUse - b.minuteUse;
}

/** The strategies by name. `quota_aware` spends what would be lost or comes back soonest, and saves what is scarce. */
export const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = {
  priority: (scores) => scores.toSorted(byPriority),
  round_robin: (scores, turn) => {
    const inOrder = scores.toSorted((a, b) => a.index - b.index);
    // Counted over those that are ready: whoever comes after one that rests would else get its calls too.
    const first = turn % Math.max(1, inOrder.length);
    return [...inOrder.slice(first), ...inOrder.slice(0, first)];
  },
  quota_aware: (scores) => scores.toSorted((a, b) => cheaper(a, b) || byPriority(a, b)),
  // Whoever has not answered yet is tried first: nothing is known against it.
  latency: (scores) => scores.toSorted((a, b) => (a.latencyMs ?? 0) - (b.latencyMs ?? 0) || byPriority(a, b)),
};

/** How a provider stands; its latency is looked up only by those who ask for it. */
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

/** The best of several providers: the strategy's first among those that failed this call least. */
export function bestOf(
  scores: readonly LazyProviderScore[],
  failedAttempts: readonly FailedAttempt[],
  order: Strategy,
  turn: number,
): Target | undefined {
  let best: ProviderScore | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const standing of order(scores, turn)) {
    const setbacks = setbacksOf(failedAttempts, standing.name);
    if (setbacks >= fewest) continue;
    best = standing;
    fewest = setbacks;
  }
  // A strategy of the user's own may give back whatever it likes: what it names is looked up, not trusted.
  return (scores.find(({ name }) => name === best?.name) ?? scores[0])?.target;
}
