import { describe, expect, it } from 'vitest';
import { drawDay } from './draw.ts';
import { FINDING_SCENARIOS } from './finding-scenarios.ts';
import { type DayResult, runDay } from './run.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

/** The calls of a day that are made. To find out a limit takes more of them. */
const CALLS = 600;
const FINDING_CALLS = 1000;
const SEED = 4;

function beginningOf(scenario: Scenario): Scenario {
  const calls = FINDING_SCENARIOS.includes(scenario) ? FINDING_CALLS : CALLS;
  const end = drawDay(scenario, SEED).arrivals[calls] ?? Number.POSITIVE_INFINITY;
  return { ...scenario, lastsMs: Math.min(scenario.lastsMs, end - scenario.startAt) };
}

/** In a short time, the detection of faults costs a larger share of the calls. */
const LENIENCE = 0.0075;

/** The first minutes of a day on which limits must be found out are spent on that: here the whole day has the bar. */
const FINDING_BAR = 0.75;
const FINDING_WASTE = 16;

/**
 * The bar of `npm run bench:day` for the beginning of one day. It does not count the cost of the safety margins, which is
 * a larger share of a short time.
 */
function misses(
  { served, oracle, oracleWithMargins, ...day }: DayResult,
  bar: number,
  waste: number,
): string[] {
  return [
    ...(served < bar * oracleWithMargins ? [`served ${served} of ${oracleWithMargins}`] : []),
    ...(served > oracle ? [`served ${served}, above the bound ${oracle}`] : []),
    ...(day.wasted > day.wasteAllowed + waste ? [`wasted ${day.wasted}, allowed ${day.wasteAllowed}`] : []),
    ...(day.pastDeadline > 0 ? [`${day.pastDeadline} calls past their deadline`] : []),
  ];
}

describe('a simulated day', () => {
  it.each(SCENARIOS)('$name: $about', async (scenario) => {
    const day = await runDay(beginningOf(scenario), 'quota_aware', SEED);
    expect(day.served).toBeGreaterThan(0);
    const finds = FINDING_SCENARIOS.includes(scenario);
    const bar = finds ? FINDING_BAR : (scenario.bar ?? 0.99);
    expect({ misses: misses(day, bar - LENIENCE, finds ? FINDING_WASTE : 0), day }).toEqual({
      misses: [],
      day,
    });
  });

  it('has unique names of scenarios', () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('is the same for the same seed', async () => {
    const [first] = SCENARIOS;
    if (first === undefined) throw new Error('no scenarios');
    const scenario = { ...first, lastsMs: first.lastsMs / 20 };
    const timeless = async (): Promise<object> => {
      const { refusalP90Ms: _, slowestRefusalMs: __, ...day } = await runDay(scenario, 'quota_aware', 1);
      return day;
    };
    expect(await timeless()).toEqual(await timeless());
  });
});
