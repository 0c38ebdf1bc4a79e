/**
 * Computes how many calls of a day could have been served by a scheduler that knows everything: limits, faults, and all
 * calls to come.
 *
 * **Problem.** Call j may be served at any time in its window [from, until]. A machine is one counter of a provider: an
 * account, or an account's use of one model. It admits a set of times if they satisfy its rules: at most n requests in any
 * minute, in a minute of the clock, or in a day, and none while it is down. Machines are independent. All calls have the
 * same value, and every machine can serve every call. The goal is the maximum number of served calls.
 *
 * **One machine: the greedy schedule is optimal.** It goes through the calls in order and serves each at the first time in
 * its window that the machine admits. Proof by exchange, for windows with the same order of starts and ends (all calls of
 * a scenario wait equally long): some optimal schedule serves the calls in order. Take one that equals the greedy schedule
 * up to call j, which greedy serves at t. Let t' > t be the next time in the optimal schedule, and serve j at t instead.
 * An interval that holds t but not t' holds no other time between them, so it holds no more than greedy found admissible.
 * An interval that holds both is as full as before, and one that holds only t' is emptier. If t uses a day's limit that t'
 * did not use, greedy found room in it. If a later time of that day used it up, that time is the first one that moves. So
 * the number of served calls stays the same, and the schedule agrees with greedy for one more call.
 *
 * **Several machines: a cut.** For every set B of calls, any schedule serves at most |B| calls of B. Of the other calls, no
 * machine serves more than it could alone. So
 *
 *     served ≤ |B| + Σ over machines of greedy(machine, calls outside B)      for every B.
 *
 * The bound is the minimum over B. B = all calls bounds a quiet day, B = no calls bounds an overloaded one. In between, B
 * holds the calls of quiet periods. The search for B is greedy over stretches of time, and stops when a known plan reaches
 * the bound.
 *
 * **Machines of one kind are merged.** The limits of machines with the same rules and the same downtimes add up: a plan for
 * the sum can be distributed in turn, so that each machine gets every k-th request of a full window. A decrease of a limit
 * takes effect in the sum when earlier requests no longer count. If machines differ only in their downtimes, the day is
 * also split at these, and the lower of both bounds applies.
 *
 * **Limits that must be found out.** If the pool assumes a limit, because neither the provider nor the user states it, knowing
 * the true one is not possible for anybody. Then the oracle's machines have the limit as finder.ts finds it out. A pool that
 * finds it out sooner counts as perfect, but never as better than with the true limit.
 *
 * **Direction of errors.** The result is never below the optimum, because every B gives a bound. It may be above it if
 * machines of different kinds compete for the same few calls. `plan`, a plan that exists, limits this error. The result is
 * also too high where the model favours the oracle: network delays are as short or long as the oracle likes, faults that
 * apply to a share of requests never apply, and limits in tokens are ignored. The load of such scenarios is too low for
 * this to matter, as `plan`, which respects limits in tokens, shows.
 */
import { servedGreedily, type Window } from './greedy.ts';
import { leastBound } from './least-bound.ts';
import type { Machine } from './machine.ts';
import { bestPlan, type Served } from './plans.ts';

export interface Oracle {
  /** An upper bound of the number of served calls. */
  readonly atMost: number;
  /** A plan that exists: a lower bound. */
  readonly plan: readonly Served[];
}

/**
 * Computes the bound and a plan.
 * @param reached - The number of calls that a schedule has served. The search stops at it.
 */
export function oracleFor(machines: readonly Machine[], all: readonly Window[], reached = 0): Oracle {
  const plan = bestPlan(machines, all);
  const planned = new Set(plan.map(({ call }) => call));
  // Leaves out calls that no machine could serve even if they were the only ones.
  const possible = (call: Window): boolean => machines.some((machine) => servedGreedily(machine, [call]) > 0);
  const indexes = [...all.keys()].filter((index) => {
    const call = all[index];
    return call !== undefined && (planned.has(index) || possible(call));
  });
  const calls = indexes.flatMap((index) => all[index] ?? []);
  const missed = indexes.map((index) => !planned.has(index));
  const enough = Math.max(plan.length, reached);
  if (enough >= calls.length) return { atMost: calls.length, plan };
  return { atMost: leastBound(machines, calls, missed, enough), plan };
}
