import { describe, expect, it, vi } from 'vitest';
import { drawDay } from './draw.ts';
import { type DayResult, runDay } from './run.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

// Thousands of calls take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const CALLS = 2000;
const SEED = 4;

/** The beginning of a day. */
function beginningOf(scenario: Scenario): Scenario {
  const end = drawDay(scenario, SEED).arrivals[CALLS] ?? Number.POSITIVE_INFINITY;
  return { ...scenario, lastsMs: Math.min(scenario.lastsMs, end - scenario.startAt) };
}

/** In so short a time what it costs to find out about a fault is a larger share of the day. */
const LENIENCE = 0.005;

/**
 * The bar of `npm run bench:day`, for the beginning of one day. What the margins for the road cost is a larger share, too:
 * it does not count here.
 */
function misses({ served, oracle, oracleWithMargins, ...day }: DayResult, bar: number): string[] {
  return [
    ...(served < bar * oracleWithMargins ? [`served ${served} of ${oracleWithMargins}`] : []),
    ...(served > oracle ? [`served ${served}, more than anybody can: ${oracle}`] : []),
    ...(day.wasted > day.wasteAllowed ? [`wasted ${day.wasted}, allowed ${day.wasteAllowed}`] : []),
    ...(day.pastDeadline > 0 ? [`${day.pastDeadline} calls past their deadline`] : []),
  ];
}

describe('a day in a second', () => {
  it.each(SCENARIOS)('$name: $about', async (scenario) => {
    const day = await runDay(beginningOf(scenario), 'quota_aware', SEED);
    expect(day.served).toBeGreaterThan(0);
    expect({ misses: misses(day, (scenario.bar ?? 0.99) - LENIENCE), day }).toEqual({ misses: [], day });
  });

  it('has no two scenarios of one name', () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('is the same for the same seed', async () => {
    const [first] = SCENARIOS;
    if (first === undefined) throw new Error('there is no scenario');
    const scenario = { ...first, lastsMs: first.lastsMs / 20 };
    const timeless = async (): Promise<object> => {
      const { refusalP90Ms: _, slowestRefusalMs: __, ...day } = await runDay(scenario, 'quota_aware', 1);
      return day;
    };
    expect(await timeless()).toEqual(await timeless());
  });
});
