/** Runs one day of a scenario and compares it with the oracle. */

import {
  errorFromResponse,
  type FreeLLM,
  CallError,
  type ChatResponse,
  NoProvidersAvailableError,
  type StrategyName,
} from '../../src/index.ts';
import type { VirtualClock } from '../../src/testing.ts';
import { type Day, drawDay } from './draw.ts';
import type { Window } from './greedy.ts';
import { oracleFor } from './oracle.ts';
import { isRight } from '../support/right-answers.ts';
import { setUpDay, type DaySetup } from './pool.ts';
import type { Scenario } from './scenario.ts';
import { isToBeFound, machinesOfDay, type Margins, NO_MARGINS, windowsOfDay } from './truth.ts';
import { wasteAllowed } from './waste.ts';

export interface DayResult {
  readonly scenario: string;
  readonly strategy: StrategyName;
  readonly seed: number;
  readonly calls: number;
  readonly served: number;
  /** The upper bound of served calls, for somebody who must find assumed limits out as in finder.ts. */
  readonly oracle: number;
  /** The same for somebody who knows all limits. */
  readonly oracleKnowing: number;
  /** The calls that a known plan serves: a lower bound for the oracle. */
  readonly planned: number;
  /** The upper bound with the safety margins of the pool. */
  readonly oracleWithMargins: number;
  /** served / oracle. */
  readonly share: number;
  readonly sent: number;
  /** Requests that served no call. */
  readonly wasted: number;
  readonly wastedPerServed: number;
  /** The requests that a perfect scheduler without foresight needs to detect the day's faults. */
  readonly wasteAllowed: number;
  /** By provider and cause. */
  readonly wastedBy: Readonly<Record<string, number>>;
  /** Lost calls by their error. */
  readonly lostBy: Readonly<Record<string, number>>;
  /** The latency of served calls in virtual time, including waits. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** CPU time of calls that failed without a request, in ms. */
  readonly refusals: number;
  readonly refusalP90Ms: number;
  readonly slowestRefusalMs: number;
  /** Calls that ended after their deadline. */
  readonly pastDeadline: number;
}

/** The record of a day in progress. */
interface Log {
  served: number;
  /** The indexes of calls that were served by a request after their window. */
  readonly late: Set<number>;
  readonly latencies: number[];
  readonly refusals: number[];
  readonly lostBy: Record<string, number>;
  /** The arrival times of lost calls. */
  readonly lostAt: number[];
  pastDeadline: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const CHARACTERS_PER_TOKEN = 4;
/** The pool's safety margins for windows and days, as in spec/README.md. */
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

/** Makes a call of a conversation, as an agent does. */
async function turnOf(llm: FreeLLM, session: string): Promise<Pick<ChatResponse, 'attempts'>> {
  const response = await llm.fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { 'x-session-id': session },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hm.' }] }),
  });
  await response.text();
  if (!response.ok) throw errorFromResponse(response) ?? new Error(`status ${response.status}`);
  return { attempts: [] };
}

/** Makes one call. Throws if the answer is not the expected one. */
async function ask(day: Day, { poolOf }: DaySetup, index: number): Promise<Pick<ChatResponse, 'attempts'>> {
  const llm = poolOf(index);
  const { conversations } = day.scenario.call;
  if (conversations !== undefined) return turnOf(llm, String(index % conversations));
  const options = { max_tokens: day.scenario.call.maxTokens };
  const request = day.requests[index];
  if (request === undefined) return llm.chat(promptOf(day.promptTokens[index] ?? 1), options);
  const { messages, fields, extra, streams } = request;
  const body = { ...options, ...fields, extraBody: extra };
  const response = streams ? await llm.stream(messages, body).response() : await llm.chat(messages, body);
  if (!isRight(request, response))
    throw new Error(`a wrong answer to ${JSON.stringify(request)}: ${JSON.stringify(response)}`);
  return response;
}

/** Makes one call and records its outcome. */
async function call(day: Day, setup: DaySetup, index: number, log: Log): Promise<void> {
  const { clock } = setup;
  const { waitMs, timeoutMs = DEFAULT_TIMEOUT_MS } = day.scenario.call;
  const arrival = clock.now();
  const began = process.cpuUsage();
  try {
    const { attempts } = await ask(day, setup, index);
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

/** Calls `action` at each of the times. */
function at(clock: VirtualClock, moments: readonly number[], action: (index: number) => void): void {
  const next = (index: number): void => {
    const moment = moments[index];
    if (moment === undefined) return;
    clock.after(Math.max(0, moment - clock.now()), () => {
      next(index + 1);
      action(index);
    });
  };
  next(0);
}

async function playDay(day: Day, setup: DaySetup): Promise<Log> {
  const { clock, world } = setup;
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
        void call(day, setup, index, log).finally(() => {
          open -= 1;
          if (open === 0) resolve();
        });
      });
    }),
  );
  await setup.close();
  return log;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** The requests that served no call, by provider and cause. */
function wasteOf({ transport }: DaySetup, served: number): Record<string, number> {
  const wastedBy: Record<string, number> = {};
  let answered = 0;
  for (const { provider, noted } of transport.sent) {
    if (noted?.outcome === 'served') answered += 1;
    else count(wastedBy, `${provider} ${noted?.outcome}`);
  }
  if (answered > served) wastedBy['any unused answer'] = answered - served;
  return wastedBy;
}

function boundsFor(
  day: Day,
  windows: readonly Window[],
  margins: Margins,
  reached = 0,
): { atMost: number; planned: number } {
  const { atMost, plan } = oracleFor(machinesOfDay(day, margins), windows, reached);
  return { atMost, planned: plan.length };
}

export async function runDay(scenario: Scenario, strategy: StrategyName, seed: number): Promise<DayResult> {
  const day = drawDay(scenario, seed);
  const setup = setUpDay(day, strategy);
  const { served, late, latencies, refusals, lostBy, lostAt, pastDeadline } = await playDay(day, setup);
  // The model of the oracle does not cover calls served after their window, so they count for both sides.
  const windows = windowsOfDay(day).filter((_, index) => !late.has(index));
  const reached = served - late.size;
  const all = boundsFor(day, windows, NO_MARGINS, reached);
  const finds = isToBeFound(day);
  // A pool that finds a limit out sooner than the oracle does has served all that was possible.
  const found = finds ? boundsFor(day, windows, { ...NO_MARGINS, finds }, reached).atMost : all.atMost;
  const atMost = Math.min(all.atMost, Math.max(found, reached));
  const planned = Math.min(all.planned, atMost);
  const narrower =
    atMost === windows.length ? atMost : boundsFor(day, windows, { ...POOL_MARGINS, finds }).atMost;
  const oracle = atMost + late.size;
  const wastedBy = wasteOf(setup, served);
  const sent = setup.transport.sent.length;
  const wasted = sent - served;
  return {
    scenario: scenario.name,
    strategy,
    seed,
    calls: day.arrivals.length,
    served,
    oracle,
    oracleKnowing: all.atMost + late.size,
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
