/** Ways to serve calls with several machines: what the oracle can certainly do. */

import { after, type Machine, WorkingMachine } from './machine.ts';
import { isDaily, type Window } from './haste.ts';

/** A machine is used in a plan: who was served, where, when. */
export interface Served {
  readonly call: number;
  readonly machine: string;
  readonly at: number;
}

function sizeAt({ tokens }: Machine, { prompt = 0, answer = 0 }: Window): number {
  if (tokens === undefined) return 0;
  return tokens.counts === 'prompt' ? prompt : prompt + answer;
}

/** Which of two machines is taken that can serve a call at the same moment: the one of lower rank. */
type Rank = (machine: Machine, at: number) => number;

/** What a machine has for a day is lost when the day ends: what ends first is spent first. */
const whatIsLostFirst: Rank = ({ rules }, at) => {
  let end = -Number.MAX_VALUE;
  for (const rule of rules) {
    if (isDaily(rule)) end = rule.begins[after(rule.begins, at)] ?? Number.POSITIVE_INFINITY;
  }
  return end;
};

/** What has most for a day is spent first, so that the others help out when much comes at once. */
const whatIsPlenty: Rank = ({ rules }) => {
  const day = rules.find(isDaily);
  return day === undefined ? -Number.MAX_VALUE : -Math.max(...day.limit.map(({ limit }) => limit));
};

/** A machine at work in a plan, and before which moment it certainly serves nothing. */
interface Hand {
  readonly machine: Machine;
  readonly at: WorkingMachine;
  freeAt: number;
}

/** What a machine can do for a call: the lesser, the better. */
interface Bid {
  readonly hand: Hand;
  readonly at: number;
  readonly order: readonly [number, number];
}

function isLess([a, b]: Bid['order'], [c, d]: Bid['order']): boolean {
  return a === c ? b < d : a < c;
}

/** How calls are dealt out: each as soon as any machine can, or, `patient`, to the one of lowest rank that can in time. */
interface Manner {
  readonly rank: Rank;
  readonly patient: boolean;
}

function bidOf(hand: Hand, call: Window, { rank, patient }: Manner): Bid | undefined {
  if (hand.freeAt > call.until) return undefined;
  const at = hand.at.earliest(Math.max(call.from, hand.freeAt), sizeAt(hand.machine, call));
  // A smaller one may not have to wait as long.
  if (hand.machine.tokens === undefined) hand.freeAt = at;
  if (at > call.until) return undefined;
  const ranked = rank(hand.machine, at);
  return { hand, at, order: patient ? [ranked, at] : [at, ranked] };
}

/** A way to serve calls. */
function planFor(machines: readonly Machine[], calls: readonly Window[], manner: Manner): Served[] {
  const hands = machines.map((machine): Hand => ({
    machine,
    at: new WorkingMachine(machine),
    freeAt: Number.NEGATIVE_INFINITY,
  }));
  const plan: Served[] = [];
  for (const [index, call] of calls.entries()) {
    let best: Bid | undefined;
    for (const hand of hands) {
      const bid = bidOf(hand, call, manner);
      if (bid !== undefined && (best === undefined || isLess(bid.order, best.order))) best = bid;
    }
    if (best === undefined) continue;
    best.hand.at.take(best.at, sizeAt(best.hand.machine, call));
    plan.push({ call: index, machine: best.hand.machine.name, at: best.at });
  }
  return plan;
}

/** The best of some plans. */
export function bestPlan(machines: readonly Machine[], calls: readonly Window[]): Served[] {
  let best: Served[] = [];
  for (const patient of [false, true]) {
    for (const rank of [whatIsLostFirst, whatIsPlenty]) {
      const plan = planFor(machines, calls, { rank, patient });
      if (plan.length > best.length) best = plan;
      if (best.length === calls.length) return best;
    }
  }
  return best;
}
