/** Compares the days of a scenario with the bar. The worst seed counts. */

import type { StrategyName } from '../../src/index.ts';
import type { DayResult } from './run.ts';
import type { Scenario } from './scenario.ts';

const DEFAULT_BAR = 0.99;
const MAX_REFUSAL_MS = 1;
/** With fewer refusals, the 90th percentile would measure only the compilation of the code. */
const MIN_REFUSALS = 50;

/** All days of one scenario under one strategy. */
export interface Row {
  readonly scenario: string;
  readonly about: string;
  readonly strategy: StrategyName;
  readonly bar: number;
  /** The day with the lowest share of served calls. */
  readonly leastServed: DayResult;
  /** The day with the most waste relative to the allowance. */
  readonly mostWasteful: DayResult;
  readonly meanShare: number;
  readonly meanWastedPerServed: number;
  /** The largest gap between the bound and a known plan, as a share of the bound. Limits the error of the oracle. */
  readonly oracleSlack: number;
  /** The 90th percentile of CPU time of calls that fail without a request, in ms. 0 if there are few. */
  readonly refusalMs: number;
  readonly slowestRefusalMs: number;
  readonly pastDeadline: number;
  /** The checks that failed. */
  readonly misses: readonly string[];
}

function overspent({ wasted, wasteAllowed }: DayResult): number {
  return wasted / Math.max(1, wasteAllowed);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function refusalMs({ refusals, refusalP90Ms }: DayResult): number {
  return refusals < MIN_REFUSALS ? 0 : refusalP90Ms;
}

function missesOf(days: readonly DayResult[], bar: number): string[] {
  const misses: string[] = [];
  const report = (check: string, missed: readonly DayResult[]): void => {
    if (missed.length > 0) misses.push(`${check} (${missed.length} of ${days.length} seeds)`);
  };
  report(
    'served',
    days.filter(({ share }) => share < bar),
  );
  report(
    'waste',
    days.filter(({ wasted, wasteAllowed }) => wasted > wasteAllowed),
  );
  report(
    'deadline',
    days.filter(({ pastDeadline }) => pastDeadline > 0),
  );
  report(
    'refusal',
    days.filter((day) => refusalMs(day) > MAX_REFUSAL_MS),
  );
  // A share above 1 is a fault of the oracle.
  report(
    'oracle',
    days.filter(({ share }) => share > 1),
  );
  return misses;
}

export function rowOf({ name, about, bar = DEFAULT_BAR }: Scenario, days: readonly DayResult[]): Row {
  const [first] = days;
  if (first === undefined) throw new Error(`no results for ${name}`);
  return {
    scenario: name,
    about,
    strategy: first.strategy,
    bar,
    leastServed: days.reduce((worst, day) => (day.share < worst.share ? day : worst), first),
    mostWasteful: days.reduce((worst, day) => (overspent(day) > overspent(worst) ? day : worst), first),
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
