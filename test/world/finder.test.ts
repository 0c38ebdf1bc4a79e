/** Checks what somebody knows who must find a limit out: how soon, and how a raise and a cut show. */

import { expect, it } from 'vitest';
import { HOUR, MINUTE } from '../support/simulated-pool.ts';
import { foundSteps } from './finder.ts';
import type { Steps } from './machine.ts';

const ALWAYS = Number.NEGATIVE_INFINITY;

/** The tries in which the known limit changes, in minutes from the first one. */
function changesOf(truth: Steps): string[] {
  const steps = foundSteps(truth, 30, 0, 3 * HOUR);
  return steps.flatMap(({ from, limit }, index) =>
    limit === (steps[index - 1]?.limit ?? 30) ? [] : [`${(from / MINUTE).toFixed(1)}: ${limit}`],
  );
}

it('finds three times as much in eight tries', () => {
  expect(changesOf([{ from: ALWAYS, limit: 90 }])).toEqual([
    '0.0: 31',
    '0.8: 33',
    '1.5: 37',
    '2.2: 45',
    '2.7: 56',
    '3.1: 70',
    '3.5: 87',
    '3.7: 90',
  ]);
});

it('finds a raise with the first try after it, in the rhythm in which it asked in vain', () => {
  const truth = (raisedAt: number): Steps => [
    { from: ALWAYS, limit: 30 },
    { from: raisedAt, limit: 32 },
  ];
  const tries = foundSteps([{ from: ALWAYS, limit: 30 }], 30, 0, 2 * HOUR).slice(1);
  const minutes = tries.map(({ from }) => (from / MINUTE).toFixed(1));
  expect(minutes).toEqual(['0.0', '0.8', '3.2', '10.4', '32.0', '62.0', '92.0']);
  expect(changesOf(truth(33 * MINUTE))).toEqual(['62.0: 31', '62.8: 32']);
  expect(changesOf(truth(61 * MINUTE))).toEqual(['62.0: 31', '62.8: 32']);
});

it('knows a cut at once', () => {
  const truth: Steps = [
    { from: ALWAYS, limit: 30 },
    { from: 40 * MINUTE, limit: 15 },
  ];
  expect(changesOf(truth)).toEqual(['40.0: 15']);
});
