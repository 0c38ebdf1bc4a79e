/** Draws the random parts of a scenario from a seed. */

import type { Fault, Requirement, ProviderName } from '../../src/testing.ts';
import { drawRequirements, drawnFaultsOf, drawRequests, type DayRequest } from './draw-requests.ts';
import { HOUR } from '../support/simulated-pool.ts';
import { seededRandom } from '../support/seeded-random.ts';
import {
  type DayFault,
  type DayProvider,
  type Drawn,
  keyName,
  type Load,
  NAMES,
  type Scenario,
  USUAL_MODELS,
  USUAL_NETWORK_MS,
} from './scenario.ts';

/** A request by another program. */
export interface Foreign {
  /** Epoch ms of its arrival. */
  readonly at: number;
  readonly provider: ProviderName;
  readonly key: string;
  readonly model: string;
}

export interface Day {
  readonly scenario: Scenario;
  readonly seed: number;
  /** The times of the calls in epoch ms, sorted. */
  readonly arrivals: readonly number[];
  /** The prompt length of each call in tokens. */
  readonly promptTokens: readonly number[];
  /** The request of each call. */
  readonly requests: readonly DayRequest[];
  readonly faults: Readonly<Record<ProviderName, readonly Fault[]>>;
  /** What the models like, by provider and model. */
  readonly requirements: ReadonlyMap<ProviderName, ReadonlyMap<string, readonly Requirement[]>>;
  readonly foreign: readonly Foreign[];
  readonly networkMs: readonly [least: number, most: number];
}

type Random = () => number;

const LEAST_PROMPT = 4;

export function drawn(value: Drawn, random: Random): number {
  if (typeof value === 'number') return value;
  const [least, most] = value;
  return least + random() * (most - least);
}

/** The load of an office at an hour of the day, as a share of its peak. */
function officeShare(hour: number): number {
  if (hour < 7 || hour >= 20) return 0.03;
  const morning = Math.exp(-(((hour - 11) / 2) ** 2));
  const afternoon = Math.exp(-(((hour - 15) / 1.8) ** 2));
  return 0.03 + 0.97 * Math.max(morning, afternoon);
}

/** Random times at a rate of `perHour` × `share`. */
function moments(
  { startAt, lastsMs }: Scenario,
  perHour: number,
  random: Random,
  share: (at: number) => number = () => 1,
): number[] {
  const times: number[] = [];
  const meanGapMs = HOUR / perHour;
  let at = startAt;
  for (;;) {
    at += -Math.log(1 - random()) * meanGapMs;
    if (at >= startAt + lastsMs) return times;
    if (random() < share(at)) times.push(Math.floor(at));
  }
}

function bursts(scenario: Scenario, load: Extract<Load, { kind: 'bursts' }>, random: Random): number[] {
  const times: number[] = [];
  const { startAt, lastsMs } = scenario;
  let at = startAt + random() * drawn(load.everyMs, random);
  while (at < startAt + lastsMs) {
    const size = Math.round(drawn(load.size, random));
    for (let made = 0; made < size; made += 1) times.push(Math.floor(at));
    at += drawn(load.everyMs, random) * (0.8 + 0.4 * random());
  }
  return times;
}

function arrivalsOf(scenario: Scenario, load: Load, random: Random): number[] {
  switch (load.kind) {
    case 'poisson':
      return moments(scenario, drawn(load.perHour, random), random);
    case 'office':
      return moments(scenario, drawn(load.perHour, random), random, (at) =>
        officeShare(new Date(at).getUTCHours() + new Date(at).getUTCMinutes() / 60),
      );
    case 'bursts':
      return bursts(scenario, load, random);
  }
}

/** All occurrences of a fault. */
function faultsOf(fault: DayFault, { startAt, lastsMs }: Scenario, random: Random): Fault[] {
  const { from, lastsMs: span, everyMs, ...rest } = fault;
  const faults: Fault[] = [];
  const end = startAt + lastsMs;
  let at = from === undefined ? undefined : startAt + drawn(from, random);
  do {
    const begins = at ?? startAt;
    const until = span === undefined ? undefined : begins + drawn(span, random);
    faults.push({ ...rest, from: at, until });
    if (everyMs === undefined) return faults;
    at = begins + drawn(everyMs, random);
  } while (at < end);
  return faults;
}

function foreignOf(scenario: Scenario, name: ProviderName, provider: DayProvider, random: Random): Foreign[] {
  const { elsewherePerHour, models = USUAL_MODELS[name] } = provider;
  const [model] = models;
  if (elsewherePerHour === undefined || model === undefined) return [];
  const key = keyName(name, 0, 0);
  return moments(scenario, elsewherePerHour, random).map((at) => ({ at, provider: name, key, model }));
}

function requirementsOf(
  name: ProviderName,
  { requirements: share, models = USUAL_MODELS[name] }: DayProvider,
  random: Random,
): ReadonlyMap<string, readonly Requirement[]> {
  if (share === undefined) return new Map();
  return new Map(models.map((id) => [id, drawRequirements(share, random)]));
}

export function drawDay(scenario: Scenario, seed: number): Day {
  const random = seededRandom(seed * 7919 + 17);
  const arrivals = scenario.load
    .flatMap((load) => arrivalsOf(scenario, load, random))
    .toSorted((a, b) => a - b);
  const { promptTokens = LEAST_PROMPT } = scenario.call;
  const foreign: Foreign[] = [];
  const faults: Record<ProviderName, readonly Fault[]> = { openrouter: [], google: [], nim: [], custom: [] };
  const requirements = new Map<ProviderName, ReadonlyMap<string, readonly Requirement[]>>();
  for (const name of NAMES) {
    const provider = scenario.providers[name];
    if (provider === undefined) continue;
    requirements.set(name, requirementsOf(name, provider, random));
    faults[name] = (provider.faults ?? [])
      .flatMap((fault) => faultsOf(fault, scenario, random))
      .concat(drawnFaultsOf(provider, random));
    foreign.push(...foreignOf(scenario, name, provider, random));
  }
  return {
    scenario,
    seed,
    arrivals,
    promptTokens: arrivals.map(() => Math.max(LEAST_PROMPT, Math.round(drawn(promptTokens, random)))),
    requests: drawRequests(scenario.call, arrivals.length, random),
    faults,
    requirements,
    foreign: foreign.toSorted((a, b) => a.at - b.at),
    networkMs: scenario.networkMs ?? USUAL_NETWORK_MS,
  };
}
