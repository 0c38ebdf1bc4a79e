/** Plans that serve calls with several machines: lower bounds for the oracle. */

import { after, type Machine, WorkingMachine } from './machine.ts';
import { isDaily, type Window } from './greedy.ts';

/** A call that a plan serves. */
export interface Served {
  readonly call: number;
  readonly machine: string;
  readonly at: number;
}

function sizeAt({ tokens }: Machine, { prompt = 0, answer = 0 }: Window): number {
  if (tokens === undefined) return 0;
  return tokens.counts === 'prompt' ? prompt : prompt + answer;
}

/** The preference among machines that can serve a call at the same time. The lowest rank wins. */
type Rank = (machine: Machine, at: number) => number;

/** Prefers the machine whose day ends first, because its unused quota is lost then. */
const expiringFirst: Rank = ({ rules }, at) => {
  let end = -Number.MAX_VALUE;
  for (const rule of rules) {
    if (isDaily(rule)) end = rule.begins[after(rule.begins, at)] ?? Number.POSITIVE_INFINITY;
  }
  return end;
};

/** Prefers the machine with the largest daily limit, and keeps the others for bursts. */
const largestFirst: Rank = ({ rules }) => {
  const day = rules.find(isDaily);
  return day === undefined ? -Number.MAX_VALUE : -Math.max(...day.limit.map(({ limit }) => limit));
};

/** A machine in a plan. It certainly serves nothing before `freeAt`. */
interface Worker {
  readonly machine: Machine;
  readonly at: WorkingMachine;
  freeAt: number;
}

/** The offer of a machine for a call. The lowest `order` wins. */
interface Bid {
  readonly worker: Worker;
  readonly at: number;
  readonly order: readonly [number, number];
}

function isLess([a, b]: Bid['order'], [c, d]: Bid['order']): boolean {
  return a === c ? b < d : a < c;
}

/** Serves each call as early as possible or, if `patient`, on the machine with the lowest rank that is in time. */
interface Policy {
  readonly rank: Rank;
  readonly patient: boolean;
}

function bidOf(worker: Worker, call: Window, { rank, patient }: Policy): Bid | undefined {
  if (worker.freeAt > call.until) return undefined;
  const at = worker.at.earliest(Math.max(call.from, worker.freeAt), sizeAt(worker.machine, call));
  // With a limit in tokens, a smaller call may be admitted earlier.
  if (worker.machine.tokens === undefined) worker.freeAt = at;
  if (at > call.until) return undefined;
  const ranked = rank(worker.machine, at);
  return { worker, at, order: patient ? [ranked, at] : [at, ranked] };
}

function planFor(machines: readonly Machine[], calls: readonly Window[], policy: Policy): Served[] {
  const workers = machines.map((machine): Worker => ({
    machine,
    at: new WorkingMachine(machine),
    freeAt: Number.NEGATIVE_INFINITY,
  }));
  const plan: Served[] = [];
  for (const [index, call] of calls.entries()) {
    let best: Bid | undefined;
    for (const worker of workers) {
      const bid = bidOf(worker, call, policy);
      if (bid !== undefined && (best === undefined || isLess(bid.order, best.order))) best = bid;
    }
    if (best === undefined) continue;
    best.worker.at.take(best.at, sizeAt(best.worker.machine, call));
    plan.push({ call: index, machine: best.worker.machine.name, at: best.at });
  }
  return plan;
}

/** The best of four plans. */
export function bestPlan(machines: readonly Machine[], calls: readonly Window[]): Served[] {
  let best: Served[] = [];
  for (const patient of [false, true]) {
    for (const rank of [expiringFirst, largestFirst]) {
      const plan = planFor(machines, calls, { rank, patient });
      if (plan.length > best.length) best = plan;
      if (best.length === calls.length) return best;
    }
  }
  return best;
}
