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
 * the sum can be dealt out in turn, and each gets every k-th of a full window. Where they differ in their gaps only, the
 * day is cut at the gaps as well, and the lesser bound holds.
 *
 * **Which way it errs.** Never below what can be achieved: it is a bound for every B, whatever the search finds. It may
 * be above it, where several machines of different kinds compete for the same few calls. `atLeast`, a plan that exists, says
 * by how much at most. It errs upwards as well where the world is kinder to the oracle than to anybody else: a call is
 * on the road for the shortest or the longest time as the oracle likes, faults that strike a share of requests never
 * strike, and limits in tokens are left out. Such scenarios are under no load that would make it matter: `atLeast` knows
 * of tokens, and shows it.
 */

import { after, limitAt, type Machine, type Rule, type Steps, WorkingMachine } from './machine.ts';

/** A call, in the order of `from`; `until` never decreases either. */
export interface Window {
  /** Epoch ms. */
  readonly from: number;
  readonly until: number;
  /** Tokens of its prompt, and of its answer as far as they count. */
  readonly prompt?: number | undefined;
  readonly answer?: number | undefined;
}

/** A machine is used in a plan: who was served, where, when. */
export interface Served {
  readonly call: number;
  readonly machine: string;
  readonly at: number;
}

export interface Oracle {
  /** Nobody serves more. */
  readonly atMost: number;
  /** A plan for so many exists. */
  readonly plan: readonly Served[];
}

const SHORTEST_DAY_MS = 20 * 60 * 60 * 1000;

function isDaily(rule: Rule): rule is Extract<Rule, { kind: 'periods' }> {
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
function bestPlan(machines: readonly Machine[], calls: readonly Window[]): Served[] {
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

function addedSteps(many: readonly Steps[]): Steps {
  const moments = [...new Set(many.flatMap((steps) => steps.map(({ from }) => from)))].toSorted(
    (a, b) => a - b,
  );
  return moments.map((from) => ({ from, limit: many.reduce((sum, steps) => sum + limitAt(steps, from), 0) }));
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
    return { ...rule, limit: addedSteps(group.map(({ rules: own }) => own[index]?.limit ?? [])) };
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

/** The bound for every B; see above. */
class Cut {
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

/** The longest time for which what happens to one call is felt by another. */
const MEMORY_MS = 60_000;
/** So many of the longest lulls are places to cut a day at. */
const CUTS = [0, 100];

/** The indexes at which calls begin to come after the longest lulls. */
function lulls(calls: readonly Window[], cuts: number): number[] {
  const gaps = calls.map(({ from }, index) => ({ index, ms: from - (calls[index - 1]?.from ?? from) }));
  const longest = gaps.filter(({ ms }) => ms > 0).toSorted((a, b) => b.ms - a.ms);
  return longest.slice(0, cuts).map(({ index }) => index);
}

/** The indexes at which calls begin to come after a day has ended, a limit has changed, a machine has gone or come back. */
function changes(machines: readonly Machine[], calls: readonly Window[]): number[] {
  const moments = machines.flatMap(({ rules, down }) => [
    ...rules.flatMap((rule) => [
      ...(isDaily(rule) ? rule.begins : []),
      ...rule.limit.map(({ from }) => from),
    ]),
    ...down.flatMap(({ from, until }) => [from, until]),
  ]);
  const froms = calls.map(({ from }) => from);
  return moments.map((moment) => after(froms, moment - 1));
}

/** Where a day is cut for the search for B, first coarsely. */
function stretchesOf(machines: readonly Machine[], calls: readonly Window[]): number[][] {
  const turns = changes(machines, calls);
  return CUTS.map((cuts) =>
    [...new Set([0, ...turns, ...lulls(calls, cuts), calls.length])].toSorted((a, b) => a - b),
  );
}

/** Marks all calls but those that come near one that the plan leaves out. */
function quietCalls(calls: readonly Window[], missed: readonly boolean[], memoryMs: number): Uint8Array {
  const skip = new Uint8Array(calls.length).fill(1);
  const froms = calls.map(({ from }) => from);
  for (const [index, { from, until }] of calls.entries()) {
    if (missed[index] !== true) continue;
    const first = after(froms, from - memoryMs - (until - from) - 1);
    skip.fill(0, first, after(froms, until));
  }
  return skip;
}

const THRESHOLDS = 40;

/** Marks the stretches in which fewer calls come than in a share of them, for several shares. */
function quietStretches(calls: readonly Window[], edges: readonly number[]): Uint8Array[] {
  const sizes = edges.map((from, stretch) => (edges[stretch + 1] ?? calls.length) - from);
  const distinct = [...new Set(sizes)].toSorted((a, b) => a - b);
  return Array.from({ length: Math.min(THRESHOLDS, distinct.length) }, (_, index) => {
    const most = distinct[Math.floor((index * distinct.length) / Math.min(THRESHOLDS, distinct.length))] ?? 0;
    const skip = new Uint8Array(calls.length);
    for (const [stretch, from] of edges.entries())
      if ((sizes[stretch] ?? 0) <= most) skip.fill(1, from, edges[stretch + 1]);
    return skip;
  });
}

/** Between so few edges, any run of stretches is tried as one. */
const FEW_EDGES = 16;

/** So near to what somebody reached a bound is near enough. */
const SLACK = 0.005;

/** A change of B: all calls of a stretch are in it, or none. */
interface Flip {
  readonly from: number;
  readonly until: number | undefined;
  readonly value: number;
}

function flipsOf(edges: readonly number[]): Flip[] {
  return edges.flatMap((from, stretch) => {
    const ends = edges.length > FEW_EDGES ? [edges[stretch + 1]] : edges.slice(stretch + 1);
    return ends.flatMap((until) => [0, 1].map((value) => ({ from, until, value })));
  });
}

/** A set B, and the bound that it gives. */
interface Found {
  readonly skip: Uint8Array;
  readonly bound: number;
}

/** Whether all calls are in B, or none. */
function isWhole({ skip }: Found): boolean {
  return skip.every((marked) => marked === skip[0]);
}

/** Goes from one B to better ones, a change at a time. */
function descend(cut: Cut, from: Found, flips: readonly Flip[], enough: number): Found {
  let best = from;
  for (const flip of flips) {
    if (best.bound <= enough) break;
    const skip = Uint8Array.from(best.skip).fill(flip.value, flip.from, flip.until);
    const bound = cut.bound(skip);
    if (bound < best.bound) best = { skip, bound };
  }
  return best;
}

function leastOf(found: readonly Found[]): Found {
  return found.reduce((least, one) => (one.bound < least.bound ? one : least));
}

/** The least bound that is found; no less than `enough`, which somebody reached. */
function leastBound(
  cut: Cut,
  stretches: readonly (readonly number[])[],
  candidates: readonly Uint8Array[],
  enough: number,
): number {
  const starts = candidates.map((skip): Found => ({ skip, bound: cut.bound(skip) }));
  let best = leastOf(starts);
  for (const edges of stretches) {
    const flips = flipsOf(edges);
    best = descend(cut, best, flips, enough);
    // Between few edges everything and nothing are other places to begin at, where the first has not led near enough.
    const others = edges.length > FEW_EDGES ? [] : starts.filter(isWhole);
    for (const begin of others)
      if (best.bound > enough * (1 + SLACK)) best = leastOf([best, descend(cut, begin, flips, enough)]);
  }
  return best.bound;
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
  const cut = new Cut(machines, calls);
  const nothing = new Uint8Array(calls.length);
  const stretches = stretchesOf(machines, calls);
  const candidates = [
    ...quietStretches(calls, stretches.at(-1) ?? []),
    Uint8Array.from(nothing).fill(1),
    nothing,
    quietCalls(calls, missed, 0),
    quietCalls(calls, missed, MEMORY_MS),
  ];
  return { atMost: leastBound(cut, stretches, candidates, enough), plan };
}
