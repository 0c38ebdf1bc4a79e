/** The bound for one set B of calls, with merged machines. See oracle.ts. */

import { servedGreedily, type Window } from './greedy.ts';
import { limitAt, type Machine, type Rule, type Steps } from './machine.ts';

/** The time from which requests before `at` no longer count. */
function forgottenAt(rule: Rule, at: number): number {
  if (rule.kind === 'fixed-windows')
    return rule.begins.find((begin) => begin >= at) ?? Number.POSITIVE_INFINITY;
  return at + rule.windowMs;
}

/**
 * Delays each decrease of a limit until requests from before it no longer count. In a sum of machines, one may have used
 * the old limit in full while another serves under the new one.
 */
function withDelayedDecreases(rule: Rule): Steps {
  const spans = rule.limit.map(({ limit }, index) => {
    const next = rule.limit[index + 1];
    return { limit, until: next === undefined ? Number.POSITIVE_INFINITY : forgottenAt(rule, next.from) };
  });
  const moments = [...rule.limit.map(({ from }) => from), ...spans.map(({ until }) => until)];
  return [...new Set(moments)]
    .filter((moment) => moment < Number.POSITIVE_INFINITY)
    .toSorted((a, b) => a - b)
    .map((from) => {
      const counting = spans.filter(
        ({ until }, index) => (rule.limit[index]?.from ?? from) <= from && from < until,
      );
      return { from, limit: Math.max(...counting.map(({ limit }) => limit)) };
    });
}

function addedSteps(many: readonly Rule[]): Steps {
  const all = many.map(withDelayedDecreases);
  const moments = [...new Set(all.flatMap((steps) => steps.map(({ from }) => from)))].toSorted(
    (a, b) => a - b,
  );
  return moments.map((from) => ({ from, limit: all.reduce((sum, steps) => sum + limitAt(steps, from), 0) }));
}

/** The key by which machines can be merged. Limits per minute may differ, limits per day may not. */
function kindOf({ rules, down, foreign, name }: Machine): string {
  if (foreign.length > 0) return name;
  const shapes = rules.map((rule) => {
    if (rule.kind === 'fixed-windows')
      return { ...rule, begins: [rule.begins.length, ...rule.begins.slice(0, 2)] };
    return rules.length === 1 && rule.kind === 'sliding-window'
      ? { kind: rule.kind, windowMs: rule.windowMs }
      : rule;
  });
  return JSON.stringify([shapes, down]);
}

function merged(group: readonly Machine[]): Machine | undefined {
  const [first] = group;
  if (first === undefined || group.length === 1) return first;
  const rules = first.rules.map((rule, index): Rule => {
    return { ...rule, limit: addedSteps(group.flatMap(({ rules: own }) => own[index] ?? [])) };
  });
  return { ...first, name: group.map(({ name }) => name).join(' + '), rules };
}

/** Merges machines of one kind. */
function mergedMachines(machines: readonly Machine[]): Machine[] {
  const groups = new Map<string, Machine[]>();
  for (const machine of machines) {
    const kind = kindOf(machine);
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [machine]);
    else group.push(machine);
  }
  return [...groups.values()].flatMap((group) => merged(group) ?? []);
}

/** Drops daily limits that these calls, or the limit per minute, can never reach. */
function withoutUnreachableLimits(machine: Machine, calls: readonly Window[]): Machine {
  const { rules, foreign } = machine;
  const minute = rules.find((rule) => rule.kind === 'sliding-window');
  const [first, last] = [calls[0], calls.at(-1)];
  if (minute === undefined || foreign.length > 0 || first === undefined || last === undefined) return machine;
  const most = Math.max(...minute.limit.map(({ limit }) => limit));
  const kept = rules.filter((rule) => {
    if (rule.kind !== 'fixed-windows') return true;
    const least = Math.min(...rule.limit.map(({ limit }) => limit));
    return rule.begins.some((begin, period) => {
      const end = rule.begins[period + 1] ?? Number.POSITIVE_INFINITY;
      const waiting = calls.filter(({ from, until }) => until >= begin && from < end).length;
      const spanMs = Math.min(end, last.until) - Math.max(begin, first.from);
      const windows = Math.floor(spanMs / minute.windowMs) + 1;
      return Math.min(waiting, most * windows) > least;
    });
  });
  return { ...machine, rules: kept };
}

function isPlain({ rules: [rule, ...others], foreign }: Machine): boolean {
  return rule?.kind === 'sliding-window' && others.length === 0 && foreign.length === 0;
}

/** A period in which no machine goes down or comes back, with merged machines. */
interface Epoch {
  readonly from: number;
  readonly until: number;
  readonly machines: readonly Machine[];
}

function epochsOf(machines: readonly Machine[]): Epoch[] {
  const edges = new Set(machines.flatMap(({ down }) => down.flatMap(({ from, until }) => [from, until])));
  const moments = [Number.NEGATIVE_INFINITY, ...[...edges].toSorted((a, b) => a - b)];
  return moments.map((from, index) => {
    const isUp = ({ down }: Machine): boolean => !down.some((gap) => gap.from <= from && from < gap.until);
    const up = machines.filter(isUp).map((machine) => ({ ...machine, down: [] }));
    return { from, until: moments[index + 1] ?? Number.POSITIVE_INFINITY, machines: mergedMachines(up) };
  });
}

function greedyByEpochs(epochs: readonly Epoch[], calls: readonly Window[], skip: Uint8Array): number {
  let served = 0;
  for (const { from, until, machines } of epochs) {
    const inside = calls.flatMap((call, index) => {
      if (skip[index] === 1 || call.until < from || call.from >= until) return [];
      return [{ from: Math.max(call.from, from), until: Math.min(call.until, until - 1) }];
    });
    let most = 0;
    for (const machine of machines) most += servedGreedily(machine, inside);
    served += Math.min(inside.length, most);
  }
  return served;
}

/** Computes the bound for any B. See oracle.ts. */
export class Cut {
  readonly #calls: readonly Window[];
  readonly #others: readonly Machine[];
  readonly #plain: readonly Machine[];
  readonly #epochs: readonly Epoch[];

  constructor(machines: readonly Machine[], calls: readonly Window[]) {
    this.#calls = calls;
    const all = machines.map((machine) => withoutUnreachableLimits(machine, calls));
    this.#others = mergedMachines(all.filter((machine) => !isPlain(machine)));
    const plain = all.filter(isPlain);
    this.#plain = mergedMachines(plain);
    this.#epochs = this.#plain.length > 1 ? epochsOf(plain) : [];
  }

  /** `skip` marks the calls of B. */
  bound(skip: Uint8Array): number {
    let bound = 0;
    for (const marked of skip) bound += marked;
    for (const machine of this.#others) bound += servedGreedily(machine, this.#calls, skip);
    let plain = 0;
    for (const machine of this.#plain) plain += servedGreedily(machine, this.#calls, skip);
    if (this.#epochs.length === 0) return bound + plain;
    return bound + Math.min(plain, greedyByEpochs(this.#epochs, this.#calls, skip));
  }
}
