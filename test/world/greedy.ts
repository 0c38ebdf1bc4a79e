/** The greedy schedule of one machine. See oracle.ts. */

import { type Machine, type Rule, WorkingMachine } from './machine.ts';

/** The window of a call. Calls are sorted by `from`, and `until` never decreases. */
export interface Window {
  /** Epoch ms. */
  readonly from: number;
  readonly until: number;
  /** Tokens of the prompt and of the answer, as far as they count. */
  readonly prompt?: number | undefined;
  readonly answer?: number | undefined;
}

const SHORTEST_DAY_MS = 20 * 60 * 60 * 1000;

/** Whether a rule counts by the day. */
export function isDaily(rule: Rule): rule is Extract<Rule, { kind: 'fixed-windows' }> {
  return rule.kind === 'fixed-windows' && (rule.begins[1] ?? 0) - (rule.begins[0] ?? 0) > SHORTEST_DAY_MS;
}

/** The number of calls that a machine can serve alone. `skip` marks calls to leave out. */
export function servedGreedily(machine: Machine, calls: readonly Window[], skip?: Uint8Array): number {
  const working = new WorkingMachine(machine);
  let served = 0;
  let freeAt = Number.NEGATIVE_INFINITY;
  for (const [index, { from, until }] of calls.entries()) {
    if (skip?.[index] === 1 || until < freeAt) continue;
    const at = working.earliest(Math.max(from, freeAt));
    freeAt = at;
    if (at > until) continue;
    working.take(at);
    served += 1;
  }
  return served;
}
