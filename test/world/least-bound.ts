/** Searches for the set B whose bound is the least; see oracle.ts. */

import { Cut } from './cut.ts';
import { isDaily, type Window } from './haste.ts';
import { after, type Machine } from './machine.ts';

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

/** The least bound that is found for some calls; no less than `enough`, which somebody reached. `missed`: what a plan leaves out. */
export function leastBound(
  machines: readonly Machine[],
  calls: readonly Window[],
  missed: readonly boolean[],
  enough: number,
): number {
  const cut = new Cut(machines, calls);
  const stretches = stretchesOf(machines, calls);
  const nothing = new Uint8Array(calls.length);
  const candidates = [
    ...quietStretches(calls, stretches.at(-1) ?? []),
    Uint8Array.from(nothing).fill(1),
    nothing,
    quietCalls(calls, missed, 0),
    quietCalls(calls, missed, MEMORY_MS),
  ];
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
