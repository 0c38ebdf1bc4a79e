/** The bound of the oracle for one set of calls, and the machines as few as they can be for it. */

import { haste, type Window } from './haste.ts';
import { limitAt, type Machine, type Rule, type Steps } from './machine.ts';

/** When what was spent before `at` has ceased to count. */
function forgottenAt(rule: Rule, at: number): number {
  if (rule.kind === 'periods') return rule.begins.find((begin) => begin >= at) ?? Number.POSITIVE_INFINITY;
  return at + rule.windowMs;
}

/**
 * The limit under which all that still counts was spent: a fall shows once nothing is left from before it. Of several
 * machines one may have spent what the old limit allowed while another still serves under the new one.
 */
function withLateFalls(rule: Rule): Steps {
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
  const all = many.map(withLateFalls);
  const moments = [...new Set(all.flatMap((steps) => steps.map(({ from }) => from)))].toSorted(
    (a, b) => a - b,
  );
  return moments.map((from) => ({ from, limit: all.reduce((sum, steps) => sum + limitAt(steps, from), 0) }));
}

/** What has to be equal for machines to be one: all but the limits of a rule of minutes; of days the limits, too. */
function kindOf({ rules, down, foreign, name }: Machine): string {
  if (foreign.length > 0) return name;
  const shapes = rules.map((rule) => {
    if (rule.kind === 'periods') return { ...rule, begins: [rule.begins.length, ...rule.begins.slice(0, 2)] };
    return rules.length === 1 && rule.kind === 'sliding'
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

/** Machines of one kind as one. */
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

/** A limit of a day that these calls cannot reach, or that the minutes keep from being reached, is none. */
function relaxed(machine: Machine, calls: readonly Window[]): Machine {
  const { rules, foreign } = machine;
  const minute = rules.find((rule) => rule.kind === 'sliding');
  const [first, last] = [calls[0], calls.at(-1)];
  if (minute === undefined || foreign.length > 0 || first === undefined || last === undefined) return machine;
  const most = Math.max(...minute.limit.map(({ limit }) => limit));
  const kept = rules.filter((rule) => {
    if (rule.kind !== 'periods') return true;
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
  return rule?.kind === 'sliding' && others.length === 0 && foreign.length === 0;
}

/** Between two of their edges, machines that differ only in their gaps are one. */
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

function hasteByEpochs(epochs: readonly Epoch[], calls: readonly Window[], skip: Uint8Array): number {
  let served = 0;
  for (const { from, until, machines } of epochs) {
    const inside = calls.flatMap((call, index) => {
      if (skip[index] === 1 || call.until < from || call.from >= until) return [];
      return [{ from: Math.max(call.from, from), until: Math.min(call.until, until - 1) }];
    });
    let most = 0;
    for (const machine of machines) most += haste(machine, inside);
    served += Math.min(inside.length, most);
  }
  return served;
}

/** The bound for every B; see oracle.ts. */
export class Cut {
  readonly #calls: readonly Window[];
  readonly #others: readonly Machine[];
  readonly #plain: readonly Machine[];
  readonly #epochs: readonly Epoch[];

  constructor(machines: readonly Machine[], calls: readonly Window[]) {
    this.#calls = calls;
    const all = machines.map((machine) => relaxed(machine, calls));
    this.#others = mergedMachines(all.filter((machine) => !isPlain(machine)));
    const plain = all.filter(isPlain);
    this.#plain = mergedMachines(plain);
    this.#epochs = this.#plain.length > 1 ? epochsOf(plain) : [];
  }

  /** `skip` marks the calls of B. */
  bound(skip: Uint8Array): number {
    let bound = 0;
    for (const marked of skip) bound += marked;
    for (const machine of this.#others) bound += haste(machine, this.#calls, skip);
    let plain = 0;
    for (const machine of this.#plain) plain += haste(machine, this.#calls, skip);
    if (this.#epochs.length === 0) return bound + plain;
    return bound + Math.min(plain, hasteByEpochs(this.#epochs, this.#calls, skip));
  }
}
