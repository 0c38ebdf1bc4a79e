import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { type Gap, limitAt, type Machine, type Rule } from './machine.ts';
import { servedGreedily, type Window } from './greedy.ts';
import { oracleFor } from './oracle.ts';

// Small worlds: a minute has 6 ticks, a day has 20, and no world lasts longer than 40.
const MINUTE = 6;
const DAY = 20;

const spans: fc.Arbitrary<Gap> = fc
  .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 12 }))
  .map(([from, length]) => ({ from, until: from + length }));

const steps = (most: number): fc.Arbitrary<{ from: number; limit: number }[]> =>
  fc
    .tuple(
      fc.integer({ min: 0, max: most }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 0, max: most }),
    )
    .map(([first, from, then]) => [
      { from: Number.NEGATIVE_INFINITY, limit: first },
      { from, limit: then },
    ]);

const constant = (most: number): fc.Arbitrary<{ from: number; limit: number }[]> =>
  fc.integer({ min: 1, max: most }).map((limit) => [{ from: Number.NEGATIVE_INFINITY, limit }]);

const minute = fc.oneof(
  fc.record({
    kind: fc.constant('sliding-window' as const),
    windowMs: fc.constant(MINUTE),
    limit: fc.oneof(constant(2), steps(2)),
  }),
  fc.record({
    kind: fc.constant('fixed-windows' as const),
    begins: fc.constant([0, 6, 12, 18, 24, 30, 36]),
    limit: constant(2),
  }),
  fc.record({
    kind: fc.constant('token-bucket' as const),
    windowMs: fc.constant(MINUTE),
    limit: constant(2),
  }),
);
const day: fc.Arbitrary<Rule> = fc.record({
  kind: fc.constant('fixed-windows' as const),
  begins: fc.constant([-5, -5 + DAY, -5 + 2 * DAY]),
  limit: constant(3),
});

function machineOf(name: string): fc.Arbitrary<Machine> {
  return fc
    .record({
      name: fc.constant(name),
      rules: fc.oneof(fc.tuple(minute), fc.tuple(minute, day)),
      down: fc.oneof(fc.constant([]), fc.tuple(spans)),
      foreign: fc.oneof(
        { arbitrary: fc.constant([]), weight: 3 },
        {
          arbitrary: fc
            .array(fc.integer({ min: 0, max: 30 }), { maxLength: 2 })
            .map((all) => all.toSorted((a, b) => a - b)),
          weight: 1,
        },
      ),
    })
    .map((machine) =>
      // The model has no foreign requests for token buckets.
      machine.rules.some(({ kind }) => kind === 'token-bucket') ? { ...machine, foreign: [] } : machine,
    );
}

const machines: fc.Arbitrary<Machine[]> = fc
  .tuple(machineOf('a'), machineOf('b'), fc.boolean())
  .map(([a, b, twins]) => (twins ? [a, { ...a, name: 'b' }] : [a, b]));

function callsOf(most: number, waits: readonly number[]): fc.Arbitrary<Window[]> {
  return fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: most }),
      fc.constantFrom(...waits),
    )
    .map(([moments, wait]) =>
      moments.toSorted((a, b) => a - b).map((from) => ({ from, until: from + wait })),
    );
}

/** Whether the rules of a machine admit these times, checked literally. */
function admits({ rules, down, foreign }: Machine, moments: readonly number[]): boolean {
  const sorted = moments.toSorted((a, b) => a - b);
  const spent = [...sorted, ...foreign];
  const countIn = (from: number, to: number): number => spent.filter((at) => at >= from && at <= to).length;
  return sorted.every((at, index) => {
    if (down.some((gap) => gap.from <= at && at < gap.until)) return false;
    // Requests at the same time but later in the list do not count yet.
    const laterTwins = sorted.slice(index + 1).filter((other) => other === at).length;
    return rules.every((rule) => {
      const limit = limitAt(rule.limit, at);
      if (rule.kind === 'sliding-window') return countIn(at - rule.windowMs + 1, at) - laterTwins <= limit;
      if (rule.kind === 'fixed-windows') {
        const begin = rule.begins.findLast((moment) => moment <= at) ?? Number.NEGATIVE_INFINITY;
        return countIn(begin, at) - laterTwins <= limit;
      }
      let level = limit;
      let last = sorted[0] ?? 0;
      for (const moment of sorted.slice(0, index + 1)) {
        level = Math.min(limit, level + ((moment - last) * limit) / rule.windowMs) - 1;
        last = moment;
      }
      return level >= -1e-6;
    });
  });
}

/** The optimum by exhaustive search. */
function bruteForce(all: readonly Machine[], calls: readonly Window[]): number {
  const plans: number[][] = all.map(() => []);
  let best = 0;
  const tryFrom = (call: number, served: number): void => {
    const window = calls[call];
    if (window === undefined) {
      best = Math.max(best, served);
      return;
    }
    if (served + calls.length - call <= best) return;
    for (const [index, machine] of all.entries()) {
      const moments = plans[index] ?? [];
      for (let at = window.from; at <= window.until; at += 1) {
        moments.push(at);
        if (admits(machine, moments)) tryFrom(call + 1, served + 1);
        moments.pop();
      }
    }
    tryFrom(call + 1, served);
  };
  tryFrom(0, 0);
  return best;
}

/** A machine with a limit of one, which changes to `then` at time 1. */
function falling(name: string, then: number): Machine {
  const limit = [
    { from: Number.NEGATIVE_INFINITY, limit: 1 },
    { from: 1, limit: then },
  ];
  return { name, rules: [{ kind: 'sliding-window', windowMs: MINUTE, limit }], down: [], foreign: [] };
}

describe('the oracle', () => {
  it('is exact for one machine', () => {
    fc.assert(
      fc.property(machineOf('a'), fc.oneof(callsOf(7, [0]), callsOf(4, [2, 5, 9])), (machine, calls) => {
        expect(servedGreedily(machine, calls)).toBe(bruteForce([machine], calls));
      }),
      { numRuns: 400 },
    );
  });

  it('is never below the optimum, and its plan never above', () => {
    fc.assert(
      fc.property(machines, fc.oneof(callsOf(7, [0]), callsOf(4, [2, 5])), (all, calls) => {
        const best = bruteForce(all, calls);
        const { atMost, plan } = oracleFor(all, calls);
        expect(atMost).toBeGreaterThanOrEqual(best);
        expect(plan.length).toBeLessThanOrEqual(best);
      }),
      { numRuns: 400 },
    );
  });

  it('counts one machine before its limit decreases and another one after', () => {
    const calls = [0, 1].map((at) => ({ from: at, until: at }));
    expect(oracleFor([falling('a', 1), falling('b', 0)], calls).atMost).toBe(2);
  });

  it('equals the optimum in more than 90 % of small worlds', () => {
    const samples = fc.sample(fc.tuple(machines, callsOf(7, [0])), { numRuns: 400, seed: 1 });
    const exact = samples.filter(([all, calls]) => oracleFor(all, calls).atMost === bruteForce(all, calls));
    expect(exact.length / samples.length).toBeGreaterThan(0.9);
  });

  it('makes plans that the machines admit', () => {
    fc.assert(
      fc.property(machines, callsOf(30, [0, 3, 12]), (all, calls) => {
        const { plan } = oracleFor(all, calls);
        for (const machine of all) {
          const moments = plan.filter((served) => served.machine === machine.name).map(({ at }) => at);
          expect(admits(machine, moments)).toBe(true);
        }
        for (const { call, at } of plan) {
          expect(at).toBeGreaterThanOrEqual(calls[call]?.from ?? Number.NaN);
          expect(at).toBeLessThanOrEqual(calls[call]?.until ?? Number.NaN);
        }
      }),
    );
  });
});
