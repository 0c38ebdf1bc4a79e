/**
 * How many of the calls could somebody have served who knows everything: limits, faults, and which calls are to come?
 *
 * **The problem.** Call j may be served at any moment of its window [from, until]. A machine (one counter of one
 * provider: an account, or an account's use of a model) admits a set of moments when its rules hold: at most so many in
 * any minute, in a minute of the clock, in a day, never while it is down. Machines are independent of each other, all
 * calls are worth the same, and any machine can serve any of them. Wanted is the largest number of calls served.
 *
 * **One machine alone is solved by haste:** go through the calls in the order in which they come, and serve each at the
 * first moment of its window at which the machine admits one. Proof by exchange, for windows of which the earlier one
 * also ends earlier (all calls of a scenario wait equally long): some best plan serves calls in their order. Where haste
 * serves call j at t and the best plan, equal up to there, does not, take that plan's next moment t' > t and serve j
 * at t instead. A span that holds t but not t' holds nothing between them, so it holds no more than haste found
 * admissible; a span that holds both is as full as before; a span that holds only t' has become emptier. A day's budget
 * that t uses and t' did not was left, since haste found it so; and if it was spent later that day, it is the first such moment
 * that moves. So the number stays the same, and the plan agrees with haste for one more call.
 *
 * **Several machines: a cut.** For any set B of calls, whoever serves them, at most |B| of B are served, and of the
 * others no machine serves more than it could have alone. So
 *
 *     served ≤ |B| + Σ over machines of haste(machine, calls outside B)      for every B.
 *
 * The least of these is the bound. B = all calls is the bound of a quiet day; B = none that of a hopeless one; between
 * them B is what comes at quiet times and its complement what comes when everything is full. The search for B is
 * greedy over stretches of time, and stops as soon as a plan that exists is as good.
 *
 * **Machines of one kind are one machine.** Of those with the same rules and the same gaps the limits add up: a plan of
 * the sum can be dealt out in turn, and each gets every k-th of a full window. A limit that falls is added up as if it
 * fell when what was spent before has ceased to count. Where they differ in their gaps only, the day is cut at the gaps as
 * well, and the lesser bound holds.
 *
 * **Which way it errs.** Never below what can be achieved: it is a bound for every B, whatever the search finds. It may
 * be above it, where several machines of different kinds compete for the same few calls. `atLeast`, a plan that exists, says
 * by how much at most. It errs upwards as well where the world is kinder to the oracle than to anybody else: a call is
 * on the road for the shortest or the longest time as the oracle likes, faults that strike a share of requests never
 * strike, and limits in tokens are left out. Such scenarios are under no load that would make it matter: `atLeast` knows
 * of tokens, and shows it.
 */
import { haste, type Window } from './haste.ts';
import { leastBound } from './least-bound.ts';
import type { Machine } from './machine.ts';
import { bestPlan, type Served } from './plans.ts';

export interface Oracle {
  /** Nobody serves more. */
  readonly atMost: number;
  /** A plan for so many exists. */
  readonly plan: readonly Served[];
}

/**
 * The bound and a plan. `reached`: how many somebody served, if that is known; no bound below it is looked for.
 * Machines that are to be kept for what the others cannot take come last.
 */
export function consult(machines: readonly Machine[], all: readonly Window[], reached = 0): Oracle {
  const plan = bestPlan(machines, all);
  const planned = new Set(plan.map(({ call }) => call));
  // What no machine could serve if it were the only call is not looked at.
  const possible = (call: Window): boolean => machines.some((machine) => haste(machine, [call]) > 0);
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
