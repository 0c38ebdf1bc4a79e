/** What a machine can do alone, and the calls that it is asked to do. */

import { type Machine, type Rule, WorkingMachine } from './machine.ts';

/** A call, in the order of `from`; `until` never decreases either. */
export interface Window {
  /** Epoch ms. */
  readonly from: number;
  readonly until: number;
  /** Tokens of its prompt, and of its answer as far as they count. */
  readonly prompt?: number | undefined;
  readonly answer?: number | undefined;
}

const SHORTEST_DAY_MS = 20 * 60 * 60 * 1000;

/** Whether a rule counts by the day. */
export function isDaily(rule: Rule): rule is Extract<Rule, { kind: 'periods' }> {
  return rule.kind === 'periods' && (rule.begins[1] ?? 0) - (rule.begins[0] ?? 0) > SHORTEST_DAY_MS;
}

/** How many of the calls a machine could serve alone. `skip` marks those that are not looked at. */
export function haste(machine: Machine, calls: readonly Window[], skip?: Uint8Array): number {
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
