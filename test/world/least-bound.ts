/** Searches for the set B with the lowest bound. See oracle.ts. */

import { Cut } from './cut.ts';
import { isDaily, type Window } from './greedy.ts';
import { after, type Machine } from './machine.ts';

/** The longest time over which one call can affect another. */
const MEMORY_MS = 60_000;
/** The numbers of longest lulls at which to split a day. */
const CUTS = [0, 100];

/** The indexes of the first calls after the longest lulls. */
function lulls(calls: readonly Window[], cuts: number): number[] {
  const gaps = calls.map(({ from }, index) => ({ index, ms: from - (calls[index - 1]?.from ?? from) }));
  const longest = gaps.filter(({ ms }) => ms > 0).toSorted((a, b) => b.ms - a.ms);
  return longest.slice(0, cuts).map(({ index }) => index);
}

/** The indexes of the first calls after the end of a day, the change of a limit, or a downtime's start or end. */
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

/** The indexes at which a day is split for the search for B, coarse ones first. */
function stretchesOf(machines: readonly Machine[], calls: readonly Window[]): number[][] {
  const changed = changes(machines, calls);
  return CUTS.map((cuts) =>
    [...new Set([0, ...changed, ...lulls(calls, cuts), calls.length])].toSorted((a, b) => a - b),
  );
}

/** Marks all calls except those close to a call that the plan misses. */
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

/** Marks the stretches with the fewest calls, for several thresholds. */
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

/** With at most this many edges, the search tries every run of stretches. */
const FEW_EDGES = 16;

/** A bound within this share of a reached number is good enough. */
const SLACK = 0.005;

/** A change of B: adds or removes all calls of a stretch. */
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

/** A set B and its bound. */
interface Candidate {
  readonly skip: Uint8Array;
  readonly bound: number;
}

/** Whether B has all calls or none. */
function isWhole({ skip }: Candidate): boolean {
  return skip.every((marked) => marked === skip[0]);
}

/** Applies changes that lower the bound, one at a time. */
function descend(cut: Cut, from: Candidate, flips: readonly Flip[], enough: number): Candidate {
  let best = from;
  for (const flip of flips) {
    if (best.bound <= enough) break;
    const skip = Uint8Array.from(best.skip).fill(flip.value, flip.from, flip.until);
    const bound = cut.bound(skip);
    if (bound < best.bound) best = { skip, bound };
  }
  return best;
}

function leastOf(found: readonly Candidate[]): Candidate {
  return found.reduce((least, one) => (one.bound < least.bound ? one : least));
}

/**
 * Searches for the lowest bound.
 * @param missed - Marks the calls that the known plan misses.
 * @param enough - A number of calls that was reached. The search stops at it.
 */
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
  const starts = candidates.map((skip): Candidate => ({ skip, bound: cut.bound(skip) }));
  let best = leastOf(starts);
  for (const edges of stretches) {
    const flips = flipsOf(edges);
    best = descend(cut, best, flips, enough);
    // With few edges, the search also starts from all calls and from none if the first start was not good enough.
    const others = edges.length > FEW_EDGES ? [] : starts.filter(isWhole);
    for (const begin of others)
      if (best.bound > enough * (1 + SLACK)) best = leastOf([best, descend(cut, begin, flips, enough)]);
  }
  return best.bound;
}
