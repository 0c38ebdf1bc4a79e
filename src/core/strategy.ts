/** In which order the providers that could serve a call now are tried. */

/** How one provider stands, as seen by a strategy. */
export interface Standing {
  readonly name: string;
  /** Position in the user's list of providers. */
  readonly index: number;
  /** The user's priority; lower is tried first. */
  readonly priority: number;
  /** Mean time that an answer of this provider takes; undefined until it has answered. */
  readonly latencyMs: number | undefined;
  /**
   * What one request of its cheapest ready route costs of a day's quota: 0 where no day is counted, rising
   * as the day's quota runs out, falling as its reset comes near; more where many requests fail.
   */
  readonly price: number;
  /** The used part of that route's minute, 0 to 1. */
  readonly minuteUse: number;
}

/** Orders the providers, best first. `turn` is the number of the call, starting at 0. Must not change its arguments. */
export type Strategy = (standings: readonly Standing[], turn: number) => readonly Standing[];

export type StrategyName = 'priority' | 'round_robin' | 'quota_aware' | 'latency';

function byPriority(a: Standing, b: Standing): number {
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
  priority: (standings) => standings.toSorted(byPriority),
  round_robin: (standings, turn) => {
    const inOrder = standings.toSorted((a, b) => a.index - b.index);
    // Counted over those that are ready: whoever comes after one that rests would else get its calls too.
    const first = turn % Math.max(1, inOrder.length);
    return [...inOrder.slice(first), ...inOrder.slice(0, first)];
  },
  quota_aware: (standings) => standings.toSorted((a, b) => cheaper(a, b) || byPriority(a, b)),
  // Whoever has not answered yet is tried first: nothing is known against it.
  latency: (standings) =>
    standings.toSorted((a, b) => (a.latencyMs ?? 0) - (b.latencyMs ?? 0) || byPriority(a, b)),
};
