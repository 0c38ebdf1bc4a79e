/** Holds the days of a scenario against the bar: the worst of all seeds counts. */

import type { StrategyName } from '../../src/index.ts';
import type { DayResult } from './run.ts';
import type { Scenario } from './scenario.ts';

const USUAL_BAR = 0.99;
const SLOWEST_REFUSAL_MS = 1;
/** Of fewer refusals the first ones, for which the code is still being compiled, are the ninth decile. */
const FEWEST_REFUSALS = 50;

/** All days of one scenario under one strategy. */
export interface Row {
  readonly scenario: string;
  readonly about: string;
  readonly strategy: StrategyName;
  readonly bar: number;
  /** The day of which the least share was served. */
  readonly hungriest: DayResult;
  /** The day on which most was wasted, for what was allowed. */
  readonly wasteful: DayResult;
  readonly meanShare: number;
  readonly meanWastedPerServed: number;
  /** The least that a plan was found to be below the bound, as a share of it: how far the oracle may be off. */
  readonly oracleSlack: number;
  /** Processor time that nine of ten calls take that fail without a request, in ms; 0 where hardly any did. */
  readonly refusalMs: number;
  readonly slowestRefusalMs: number;
  readonly pastDeadline: number;
  /** What does not hold; empty when all does. */
  readonly misses: readonly string[];
}

function overspent({ wasted, wasteAllowed }: DayResult): number {
  return wasted / Math.max(1, wasteAllowed);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function refusalMs({ refusals, refusalP90Ms }: DayResult): number {
  return refusals < FEWEST_REFUSALS ? 0 : refusalP90Ms;
}

function missesOf(days: readonly DayResult[], bar: number): string[] {
  const misses: string[] = [];
  const say = (what: string, missed: readonly DayResult[]): void => {
    if (missed.length > 0) misses.push(`${what} (${missed.length} of ${days.length} seeds)`);
  };
  say(
    'served',
    days.filter(({ share }) => share < bar),
  );
  say(
    'waste',
    days.filter(({ wasted, wasteAllowed }) => wasted > wasteAllowed),
  );
  say(
    'deadline',
    days.filter(({ pastDeadline }) => pastDeadline > 0),
  );
  say(
    'refusal',
    days.filter((day) => refusalMs(day) > SLOWEST_REFUSAL_MS),
  );
  // Then the oracle is wrong, not the pool right.
  say(
    'oracle',
    days.filter(({ share }) => share > 1),
  );
  return misses;
}

/** One row of the table. */
export function rowOf({ name, about, bar = USUAL_BAR }: Scenario, days: readonly DayResult[]): Row {
  const [first] = days;
  if (first === undefined) throw new Error(`no day of ${name} was run`);
  return {
    scenario: name,
    about,
    strategy: first.strategy,
    bar,
    hungriest: days.reduce((worst, day) => (day.share < worst.share ? day : worst), first),
    wasteful: days.reduce((worst, day) => (overspent(day) > overspent(worst) ? day : worst), first),
    meanShare: mean(days.map(({ share }) => share)),
    meanWastedPerServed: mean(days.map(({ wastedPerServed }) => wastedPerServed)),
    oracleSlack: Math.max(
      ...days.map(
        ({ oracle, planned, served }) => (oracle - Math.max(planned, served)) / Math.max(1, oracle),
      ),
    ),
    refusalMs: Math.max(...days.map(refusalMs)),
    slowestRefusalMs: Math.max(...days.map(({ slowestRefusalMs }) => slowestRefusalMs)),
    pastDeadline: days.reduce((sum, { pastDeadline }) => sum + pastDeadline, 0),
    misses: missesOf(days, bar),
  };
}
