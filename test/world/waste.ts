/**
 * How many requests somebody has to waste who does everything right but cannot look ahead: what it takes to find out
 * about each of a day's faults once, and to notice when it is over. Nothing here is measured.
 */

import type { Fault, ProviderName } from '../../src/testing.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../support/simulated-pool.ts';
import type { Day } from './draw.ts';
import { after } from './machine.ts';
import { type DayProvider, NAMES, type Scenario, USUAL_LATENCY_MS, USUAL_MODELS } from './scenario.ts';
import { HOUSES, patternFits } from './truth.ts';

/** What nobody has to explain where nothing is broken: for each served call. */
const FREE_SHARE = 0.005;
/** So many served calls may cost one that tries whether a low limit has been raised. */
const SERVED_PER_PROBE = 200;
/** So many served calls may cost one where another program takes now more, now less, and no answer tells how much. */
const SERVED_PER_SURPRISE = 25;
/** Refusals after which somebody knows how low a limit is that nobody names. */
const WHILE_SHRINKING = 3;
/** Refusals after which somebody knows that two keys are one account's: of a minute and of a day. */
const PER_UNDECLARED_KEY = 2;
const ATTEMPT_TIMEOUT_MS = 30 * SECOND;

/** How something that fails is found out, and how seldom it is tried again. */
interface Finding {
  /** Failures in a row before it is believed. */
  readonly threshold: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** How long an attempt takes to fail, besides the road. */
  readonly failsAfterMs?: number;
  /** Whether it passes by itself. */
  readonly passes?: boolean;
  /** Whether it is seen of one model at a time: that another one is struck as well takes one more. */
  readonly byModel?: boolean;
  /** By how much each pause is longer than the one before. Default 2. */
  readonly growth?: number;
}

/** Of what turns away but a share of requests the pauses grow the slower, the more it serves between two refusals. */
function growthAt(share: number): number {
  const servedBetween = (1 - share) / share;
  return Math.max(1, 2 ** (1 - servedBetween / 8));
}

const OUTAGE: Finding = {
  threshold: 3,
  firstPauseMs: 15 * SECOND,
  longestPauseMs: 10 * MINUTE,
  passes: true,
};
const BROKEN_ANSWER: Finding = { ...OUTAGE, byModel: true };
const DEAD_KEY: Finding = { threshold: 1, firstPauseMs: DAY, longestPauseMs: 7 * DAY };
const GONE: Finding = { threshold: 1, firstPauseMs: 6 * HOUR, longestPauseMs: 7 * DAY };

const FINDINGS: Readonly<Partial<Record<Fault['kind'], Finding>>> = {
  reset: OUTAGE,
  outage: OUTAGE,
  'server-error': BROKEN_ANSWER,
  garbage: BROKEN_ANSWER,
  malformed: BROKEN_ANSWER,
  empty: BROKEN_ANSWER,
  'error-in-200': BROKEN_ANSWER,
  cut: BROKEN_ANSWER,
  hang: {
    threshold: 2,
    firstPauseMs: 30 * SECOND,
    longestPauseMs: 10 * MINUTE,
    failsAfterMs: ATTEMPT_TIMEOUT_MS,
    passes: true,
  },
  congested: { threshold: 1, firstPauseMs: 30 * SECOND, longestPauseMs: 10 * MINUTE, passes: true },
  unauthorized: DEAD_KEY,
  leaked: DEAD_KEY,
  'out-of-credits': { threshold: 1, firstPauseMs: 4 * HOUR, longestPauseMs: DAY },
  retired: GONE,
  'unknown-model': GONE,
  'not-entitled': { threshold: 1, firstPauseMs: 3 * DAY, longestPauseMs: 7 * DAY },
};

/** What became of the calls, as far as it matters here. */
export interface Fate {
  readonly served: number;
  /** Epoch ms at which those came that nobody served, in order. */
  readonly lostAt: readonly number[];
}

/** While calls are lost, what failed lately may be tried as often as this: that is how its end is noticed in time. */
const IN_NEED_MS = MINUTE;

/** How often something is tried in vain that is broken from a moment until another one. */
function probesIn(from: number, until: number, finding: Finding, { lostAt }: Fate): number {
  const { firstPauseMs, longestPauseMs, failsAfterMs = 0, passes = false, growth = 2 } = finding;
  let probes = 0;
  let pauseMs = firstPauseMs;
  for (let at = from; ; probes += 1) {
    const isNeeded = passes && after(lostAt, at) < after(lostAt, at + IN_NEED_MS);
    const next = at + (isNeeded ? Math.min(pauseMs, IN_NEED_MS) : pauseMs);
    if (next >= until) return probes;
    at = next + failsAfterMs;
    pauseMs = Math.min(pauseMs * growth, longestPauseMs);
  }
}

/** How many things break by a fault that have to be found out one by one. */
function thingsOf(
  fault: Fault,
  name: ProviderName,
  { accounts = [1], models = USUAL_MODELS[name] }: DayProvider,
): number {
  const struck = fault.model === undefined ? 1 : models.filter((id) => patternFits(fault.model, id)).length;
  if (fault.kind === 'unauthorized' || fault.kind === 'leaked') {
    if (fault.key !== undefined) return 1;
    const keys = accounts.reduce((sum, count) => sum + count, 0);
    return fault.account === undefined ? keys : keys / accounts.length;
  }
  const struckAccounts = fault.account === undefined ? accounts.length : 1;
  if (fault.kind === 'out-of-credits') return struckAccounts;
  return fault.kind === 'not-entitled' ? struck * struckAccounts : struck;
}

/** Who and where a fault is. */
interface Place {
  readonly name: ProviderName;
  readonly provider: DayProvider;
  readonly day: Day;
}

/** For how long answers to what was sent before still come, and speak for the provider. */
function answersStillComeMs({ threshold }: Finding, name: ProviderName, { latencyMs }: DayProvider): number {
  const span = latencyMs ?? USUAL_LATENCY_MS[name];
  if (threshold === 1) return 0;
  return typeof span === 'number' ? span : Math.max(...span);
}

/** From when until when a fault strikes, within the day. */
function spanOf(
  fault: Fault,
  { startAt, lastsMs }: Scenario,
): { readonly from: number; readonly until: number } {
  return {
    from: Math.max(startAt, fault.from ?? startAt),
    until: Math.min(startAt + lastsMs, fault.until ?? startAt + lastsMs),
  };
}

/** How many requests fail before a fault is believed. */
function costOfBelief(fault: Fault, finding: Finding, { name, provider, day }: Place): number {
  const { arrivals, roadMs, scenario } = day;
  const { from, until } = spanOf(fault, scenario);
  const failsAfterMs =
    finding.failsAfterMs === undefined
      ? answersStillComeMs(finding, name, provider)
      : (scenario.call.attemptTimeoutMs ?? finding.failsAfterMs);
  // Whoever comes before the first failure is known cannot be warned.
  const first = arrivals[after(arrivals, from)] ?? until;
  const knownAt = Math.max(from, first) + failsAfterMs + 2 * roadMs[1];
  const unwarned = after(arrivals, Math.min(knownAt, until)) - after(arrivals, from);
  if (finding.threshold === 1) return Math.max(1, unwarned);
  // So many have to come in a row after the last answer to what was sent before.
  const { models = USUAL_MODELS[name] } = provider;
  const isOfSeveral = finding.byModel === true && fault.model === undefined && models.length > 1;
  return finding.threshold + unwarned + (isOfSeveral ? 1 : 0);
}

function costOfFault(fault: Fault, place: Place, fate: Fate): number {
  const finding = FINDINGS[fault.kind];
  if (finding === undefined) return 0;
  const { from, until } = spanOf(fault, place.day.scenario);
  const tried = probesIn(from, until, { ...finding, growth: growthAt(fault.share ?? 1) }, fate);
  return thingsOf(fault, place.name, place.provider) * (costOfBelief(fault, finding, place) + tried);
}

/** The share of requests that fail wherever they go, all day long; 0 where there is a place at which none do. */
function shareEverywhere(day: Day): number {
  const shares = NAMES.filter((name) => day.scenario.providers[name] !== undefined).map((name) =>
    Math.max(
      0,
      ...day.faults[name].flatMap(({ share = 0, model, from, until }) =>
        model === undefined && from === undefined && until === undefined ? share : [],
      ),
    ),
  );
  return Math.min(...shares);
}

/** What it takes to serve so many where a share of requests fails wherever they go: each is tried until it is served. */
function costOfChance(share: number, served: number): number {
  // Three standard deviations more than the mean.
  return (served * share + 3 * Math.sqrt(served * share)) / (1 - share);
}

/** The counters of a provider whose true limit is lower than the one that is assumed, at any time. */
function lowCounters(name: ProviderName, provider: DayProvider, day: Day): number {
  const house = HOUSES[name];
  const { accounts = [1], models = USUAL_MODELS[name], limits, told, tier = 'free' } = provider;
  const isLow = (model: string): boolean => {
    const assumed = { ...house.limits(model, tier), ...house.assumed, ...told };
    return (['rpm', 'rpd'] as const).some((limit) => {
      const changed = day.faults[name].flatMap((fault) =>
        fault.kind === 'limits' ? (fault[limit] ?? []) : [],
      );
      const least = Math.min(...changed, limits?.[limit] ?? Number.POSITIVE_INFINITY);
      return least < (assumed[limit] ?? Number.POSITIVE_INFINITY);
    });
  };
  const low = models.filter(isLow).length;
  return accounts.length * (house.together ? Math.min(1, low) : low);
}

function costOfLimits({ name, provider, day }: Place, { served }: Fate): number {
  const { accounts = [1], declared = true, elsewherePerHour } = provider;
  const low = lowCounters(name, provider, day);
  let cost = 0;
  if (low > 0) {
    // Two may be on their way at once.
    cost += low * (HOUSES[name].namesLimits ? 2 : WHILE_SHRINKING);
    // Nobody can know that a limit that was low is not raised again.
    cost += served / SERVED_PER_PROBE;
  }
  if (!declared) {
    cost += PER_UNDECLARED_KEY * (accounts.reduce((keys, count) => keys + count, 0) - accounts.length);
    // Where nobody names the limit, each key has a low one, and the others take now more of it, now less.
    if (!HOUSES[name].namesLimits) cost += served / SERVED_PER_PROBE;
  }
  // One for each day, and as many as it takes to follow somebody whose use is never told.
  if (elsewherePerHour !== undefined)
    cost += 1 + served / (HOUSES[name].namesLimits ? SERVED_PER_PROBE : SERVED_PER_SURPRISE);
  return cost;
}

/** The most requests of a day that may have served nobody. */
export function wasteAllowed(day: Day, fate: Fate): number {
  let cost = 0;
  const share = shareEverywhere(day);
  if (share > 0) cost += costOfChance(share, fate.served);
  for (const name of NAMES) {
    const provider = day.scenario.providers[name];
    if (provider === undefined) continue;
    for (const fault of share > 0 ? [] : day.faults[name])
      cost += costOfFault(fault, { name, provider, day }, fate);
    cost += costOfLimits({ name, provider, day }, fate);
  }
  return cost === 0 ? fate.served * FREE_SHARE : cost;
}
