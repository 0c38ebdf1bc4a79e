import { describe, expect, it } from 'vitest';
import type { ProviderName } from '../../src/testing.ts';
import { drawDay, type Day } from './draw.ts';
import { oracleFor } from './oracle.ts';
import { setUpDay } from './pool.ts';
import { keyName, NAMES, USUAL_MODELS } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { closes, machinesOfDay, midnights, patternFits, windowsOfDay } from './truth.ts';

interface OpenRoute {
  readonly provider: ProviderName;
  readonly key: string;
  readonly model: string;
}

/** A route of the named machine that no fault blocks at a time. */
function openRoute(day: Day, machine: string, at: number): OpenRoute | undefined {
  const [name, account = '', model] = machine.split(' ');
  const provider = NAMES.find((one) => one === name);
  if (provider === undefined) return undefined;
  const own = day.scenario.providers[provider];
  const index = Number(account.replace('account-', ''));
  const models = model === undefined ? (own?.models ?? USUAL_MODELS[provider]) : [model];
  const keys = Array.from({ length: own?.accounts?.[index] ?? 1 }, (_, key) => keyName(provider, index, key));
  const routes = keys.flatMap((key) => models.map((id): OpenRoute => ({ provider, key, model: id })));
  return routes.find(
    (route) =>
      !day.faults[provider].some(
        (fault) =>
          closes(fault) &&
          (fault.from ?? 0) <= at &&
          at < (fault.until ?? Number.POSITIVE_INFINITY) &&
          (fault.account ?? account) === account &&
          (fault.key ?? route.key) === route.key &&
          patternFits(fault.model, route.model),
      ),
  );
}

/** Sends the requests of the oracle's plan and those of other programs to the world, and counts the outcomes. */
function replay(day: Day): Record<string, number> {
  const { world } = setUpDay(day, 'priority');
  const calls = windowsOfDay(day);
  // `reached` is the maximum, so the oracle computes only the plan.
  const { plan } = oracleFor(machinesOfDay(day), calls, calls.length);
  const requests = [
    ...plan.map(({ call, machine, at }) => ({ at, call, route: openRoute(day, machine, at) })),
    ...day.foreign.map(({ at, ...route }) => ({ at, call: undefined, route })),
  ].toSorted((a, b) => a.at - b.at);
  const outcomes: Record<string, number> = {};
  for (const { at, call, route } of requests) {
    if (route === undefined) throw new Error('the plan uses a machine without an open route');
    const { provider, key, model } = route;
    const content = 'x'.repeat(((call === undefined ? 1 : calls[call]?.prompt) ?? 1) * 4);
    const body = { model, messages: [{ role: 'user', content }], max_tokens: day.scenario.call.maxTokens };
    world[provider].answer(
      {
        method: 'POST',
        path: `${new URL(world[provider].baseUrl).pathname}/chat/completions`,
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify(body),
      },
      at,
    );
    const outcome = call === undefined ? 'foreign' : (world.calls.at(-1)?.outcome ?? 'unanswered');
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return outcomes;
}

/** The lengths in hours of the days around a time in California. */
function hours(around: number): number[] {
  const found = midnights('America/Los_Angeles', around, 2);
  return found.slice(1).map((at, index) => (at - (found[index] ?? 0)) / 3_600_000);
}

describe('the model of the oracle', () => {
  const certain = SCENARIOS.filter(({ providers }) =>
    NAMES.every((name) => (providers[name]?.faults ?? []).every(({ share = 1 }) => share === 1)),
  );

  it.each(certain)('agrees with the world: $name', (scenario) => {
    const day = drawDay(scenario, 3);
    const outcomes = replay({ ...day, arrivals: day.arrivals.slice(0, 3000) });
    const { foreign: _, served, ...refused } = outcomes;
    expect(refused).toEqual({});
    expect(served).toBeGreaterThan(400);
  });

  it('has days of 25 and of 23 hours', () => {
    expect(hours(Date.UTC(2026, 10, 1, 12))).toEqual([24, 24, 25, 24]);
    expect(hours(Date.UTC(2027, 2, 14, 12))).toEqual([24, 24, 23, 24]);
  });
});
