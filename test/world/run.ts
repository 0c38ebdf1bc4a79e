/** Runs one day of a scenario and holds it against the oracle. */

import { CallError, NoProvidersAvailableError, type StrategyName } from '../../src/index.ts';
import type { VirtualClock } from '../../src/testing.ts';
import { type Day, drawDay } from './draw.ts';
import type { Window } from './haste.ts';
import { consult } from './oracle.ts';
import { setStage, type Stage } from './pool.ts';
import type { Scenario } from './scenario.ts';
import { machinesOfDay, type Margins, NO_MARGINS, windowsOfDay } from './truth.ts';
import { wasteAllowed } from './waste.ts';

/** What became of a day. */
export interface DayResult {
  readonly scenario: string;
  readonly strategy: StrategyName;
  readonly seed: number;
  readonly calls: number;
  readonly served: number;
  /** Nobody could have served more. */
  readonly oracle: number;
  /** A plan exists for so many: the oracle is between the two. */
  readonly planned: number;
  /** The oracle, if it left the margins that the road asks for. */
  readonly oracleWithMargins: number;
  /** served / oracle. */
  readonly share: number;
  readonly sent: number;
  /** Requests that served no call. */
  readonly wasted: number;
  readonly wastedPerServed: number;
  /** What finding out about the day's faults costs somebody who cannot look ahead. */
  readonly wasteAllowed: number;
  /** By provider and cause. */
  readonly wastedBy: Readonly<Record<string, number>>;
  /** Calls that were not served, by what they ended with. */
  readonly lostBy: Readonly<Record<string, number>>;
  /** Of the calls that were served, waiting included; virtual time. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Processor time that calls took which failed without a request, in ms. */
  readonly refusals: number;
  readonly refusalP90Ms: number;
  readonly slowestRefusalMs: number;
  /** Calls that ended after their deadline. */
  readonly pastDeadline: number;
}

/** What is noted while a day goes by. */
interface Log {
  served: number;
  /** By call: served, but from a moment on that is outside its window. */
  readonly late: Set<number>;
  readonly latencies: number[];
  readonly refusals: number[];
  readonly lostBy: Record<string, number>;
  /** When the calls came that were lost. */
  readonly lostAt: number[];
  pastDeadline: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const CHARACTERS_PER_TOKEN = 4;
/** What the pool keeps from the limits of minutes and of days: as its specification says. */
const POOL_MARGINS: Margins = { minuteMs: 250, dayMs: 1000 };

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function lossOf(error: unknown): string {
  if (!(error instanceof CallError)) return String(error);
  const reasons =
    error instanceof NoProvidersAvailableError
      ? [...new Set(error.keys.map(({ provider, reason }) => `${provider} ${reason}`))].toSorted()
      : [];
  const tried = error.attempts.map(({ provider, outcome }) => `${provider} ${outcome}`);
  return [error.code, ...(tried.length > 0 ? [`tried ${tried.join(' → ')}`] : []), ...reasons].join(' | ');
}

function promptOf(tokens: number): string {
  return 'Hm. '.repeat(tokens).slice(0, tokens * CHARACTERS_PER_TOKEN);
}

/** Makes one call and notes what becomes of it. */
async function call(day: Day, { llm, clock }: Stage, index: number, log: Log): Promise<void> {
  const { waitMs, timeoutMs = DEFAULT_TIMEOUT_MS, maxTokens } = day.scenario.call;
  const arrival = clock.now();
  const began = process.cpuUsage();
  try {
    const { attempts } = await llm.chat(promptOf(day.promptTokens[index] ?? 1), { max_tokens: maxTokens });
    log.served += 1;
    log.latencies.push(clock.now() - arrival);
    if ((attempts.at(-1)?.startedAt ?? arrival) > arrival + waitMs) log.late.add(index);
  } catch (error) {
    const { user, system } = process.cpuUsage(began);
    const tookMs = (user + system) / 1000;
    const sent = error instanceof CallError && error.attempts.length > 0;
    if (!sent && clock.now() === arrival) log.refusals.push(tookMs);
    count(log.lostBy, lossOf(error));
    log.lostAt.push(arrival);
  }
  if (clock.now() - arrival > timeoutMs + 1) log.pastDeadline += 1;
}

/** Lets something happen at each of these moments, one after the other. */
function at(clock: VirtualClock, moments: readonly number[], what: (index: number) => void): void {
  const next = (index: number): void => {
    const moment = moments[index];
    if (moment === undefined) return;
    clock.after(Math.max(0, moment - clock.now()), () => {
      next(index + 1);
      what(index);
    });
  };
  next(0);
}

async function live(day: Day, stage: Stage): Promise<Log> {
  const { clock, world, llm } = stage;
  const log: Log = {
    served: 0,
    late: new Set(),
    latencies: [],
    refusals: [],
    lostBy: {},
    lostAt: [],
    pastDeadline: 0,
  };
  const { foreign, arrivals } = day;
  at(
    clock,
    foreign.map((one) => one.at),
    (index) => {
      const one = foreign[index];
      if (one === undefined) return;
      const { provider, key, model } = one;
      const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] });
      const path = `${new URL(world[provider].baseUrl).pathname}/chat/completions`;
      world[provider].answer(
        { method: 'POST', path, headers: { authorization: `Bearer ${key}` }, body },
        clock.now(),
      );
    },
  );
  await clock.run(
    new Promise<void>((resolve) => {
      let open = arrivals.length;
      if (open === 0) resolve();
      at(clock, arrivals, (index) => {
        void call(day, stage, index, log).finally(() => {
          open -= 1;
          if (open === 0) resolve();
        });
      });
    }),
  );
  await llm.close();
  return log;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** What the requests came to that served no call, by provider and cause. */
function wasteOf({ transport }: Stage, served: number): Record<string, number> {
  const wastedBy: Record<string, number> = {};
  let answered = 0;
  for (const { provider, noted } of transport.sent) {
    if (noted?.outcome === 'served') answered += 1;
    else count(wastedBy, `${provider} ${noted?.outcome}`);
  }
  if (answered > served) wastedBy['any given up'] = answered - served;
  return wastedBy;
}

function judge(
  day: Day,
  windows: readonly Window[],
  margins: Margins,
  reached = 0,
): { atMost: number; planned: number } {
  const { atMost, plan } = consult(machinesOfDay(day, margins), windows, reached);
  return { atMost, planned: plan.length };
}

/** One day of a scenario under a strategy. */
export async function runDay(scenario: Scenario, strategy: StrategyName, seed: number): Promise<DayResult> {
  const day = drawDay(scenario, seed);
  const stage = setStage(day, strategy);
  const { served, late, latencies, refusals, lostBy, lostAt, pastDeadline } = await live(day, stage);
  // A call that was served later than its window lets begin counts as one that anybody can serve.
  const windows = windowsOfDay(day).filter((_, index) => !late.has(index));
  const { atMost, planned } = judge(day, windows, NO_MARGINS, served - late.size);
  const narrower = atMost === windows.length ? atMost : judge(day, windows, POOL_MARGINS).atMost;
  const oracle = atMost + late.size;
  const wastedBy = wasteOf(stage, served);
  const sent = stage.transport.sent.length;
  const wasted = sent - served;
  return {
    scenario: scenario.name,
    strategy,
    seed,
    calls: day.arrivals.length,
    served,
    oracle,
    planned: planned + late.size,
    oracleWithMargins: narrower + late.size,
    share: oracle === 0 ? 1 : served / oracle,
    sent,
    wasted,
    wastedPerServed: wasted / Math.max(1, served),
    wasteAllowed: wasteAllowed(day, { served, lostAt: lostAt.toSorted((a, b) => a - b) }),
    wastedBy,
    lostBy,
    p50Ms: quantile(latencies, 0.5),
    p95Ms: quantile(latencies, 0.95),
    refusals: refusals.length,
    refusalP90Ms: quantile(refusals, 0.9),
    slowestRefusalMs: Math.max(0, ...refusals),
    pastDeadline,
  };
}
