/**
 * Computes how many requests a perfect scheduler without foresight has to waste: those needed to detect each fault of a
 * day once, and to notice its end. Nothing here is measured.
 */

import type { Fault, ProviderName } from '../../src/testing.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../support/simulated-pool.ts';
import type { Day } from './draw.ts';
import { after } from './machine.ts';
import { type DayProvider, NAMES, type Scenario, USUAL_LATENCY_MS, USUAL_MODELS } from './scenario.ts';
import { midnights, PROVIDER_FACTS, patternFits, sharesLimits } from './truth.ts';

/** The waste per served call that is allowed on a day without faults. */
const FREE_SHARE = 0.005;
/** One probe per this many served calls is allowed, to check whether a low limit was raised. */
const SERVED_PER_PROBE = 200;
/** One refusal per this many served calls is allowed if another program uses the key and no answer reports the limit. */
const SERVED_PER_SURPRISE = 25;
/** The refusals needed to learn a limit that is not reported. */
const WHILE_SHRINKING = 3;
/** The refusals needed to learn that two keys share an account: one per minute limit, one per day limit. */
const PER_UNDECLARED_KEY = 2;
const ATTEMPT_TIMEOUT_MS = 30 * SECOND;

/** How a fault is detected, and how rarely it is probed. */
interface Detection {
  /** The consecutive failures that confirm it. */
  readonly threshold: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** The time until an attempt fails, without network delays. */
  readonly failsAfterMs?: number;
  /** Whether it ends by itself. */
  readonly passes?: boolean;
  /** Whether it shows in one model at a time. Detecting it in a second model takes one more failure. */
  readonly byModel?: boolean;
  /** The growth factor of the pauses. Default 2. */
  readonly growth?: number;
}

/** If only a share of requests fails, pauses grow more slowly the more is served between two failures. */
function growthAt(share: number): number {
  const servedBetween = (1 - share) / share;
  return Math.max(1, 2 ** (1 - servedBetween / 8));
}

const OUTAGE: Detection = {
  threshold: 3,
  firstPauseMs: 15 * SECOND,
  longestPauseMs: 10 * MINUTE,
  passes: true,
};
const BROKEN_ANSWER: Detection = { ...OUTAGE, byModel: true };
const DEAD_KEY: Detection = { threshold: 1, firstPauseMs: DAY, longestPauseMs: 7 * DAY };
const GONE: Detection = { threshold: 1, firstPauseMs: 6 * HOUR, longestPauseMs: 7 * DAY };

const DETECTIONS: Readonly<Partial<Record<Fault['kind'], Detection>>> = {
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

export interface DayOutcome {
  readonly served: number;
  /** The arrival times of lost calls in epoch ms, sorted. */
  readonly lostAt: readonly number[];
}

/** While calls are lost, a recent failure may be probed at this interval, so that its end is noticed in time. */
const LAST_RESORT_MS = MINUTE;

/** The number of failed probes of a fault between two times. */
function probesIn(from: number, until: number, detection: Detection, { lostAt }: DayOutcome): number {
  const { firstPauseMs, longestPauseMs, failsAfterMs = 0, passes = false, growth = 2 } = detection;
  let probes = 0;
  let pauseMs = firstPauseMs;
  for (let at = from; ; probes += 1) {
    const isNeeded = passes && after(lostAt, at) < after(lostAt, at + LAST_RESORT_MS);
    const next = at + (isNeeded ? Math.min(pauseMs, LAST_RESORT_MS) : pauseMs);
    if (next >= until) return probes;
    at = next + failsAfterMs;
    pauseMs = Math.min(pauseMs * growth, longestPauseMs);
  }
}

/** The number of targets that a fault affects, each of which needs its own detection. */
function targetsOf(
  fault: Fault,
  name: ProviderName,
  { accounts = [1], models = USUAL_MODELS[name] }: DayProvider,
): number {
  const affected = fault.model === undefined ? 1 : models.filter((id) => patternFits(fault.model, id)).length;
  if (fault.kind === 'unauthorized' || fault.kind === 'leaked') {
    if (fault.key !== undefined) return 1;
    const keys = accounts.reduce((sum, count) => sum + count, 0);
    return fault.account === undefined ? keys : keys / accounts.length;
  }
  const affectedAccounts = fault.account === undefined ? accounts.length : 1;
  if (fault.kind === 'out-of-credits') return affectedAccounts;
  return fault.kind === 'not-entitled' ? affected * affectedAccounts : affected;
}

interface Place {
  readonly name: ProviderName;
  readonly provider: DayProvider;
  readonly day: Day;
}

/** The time for which answers to earlier requests still arrive. They speak against a fault. */
function pendingAnswersMs({ threshold }: Detection, name: ProviderName, { latencyMs }: DayProvider): number {
  const span = latencyMs ?? USUAL_LATENCY_MS[name];
  if (threshold === 1) return 0;
  return typeof span === 'number' ? span : Math.max(...span);
}

/** The interval of a fault within the day. */
function spanOf(
  fault: Fault,
  { startAt, lastsMs }: Scenario,
): { readonly from: number; readonly until: number } {
  return {
    from: Math.max(startAt, fault.from ?? startAt),
    until: Math.min(startAt + lastsMs, fault.until ?? startAt + lastsMs),
  };
}

/** The number of requests that fail before a fault is confirmed. */
function costOfDetection(fault: Fault, detection: Detection, { name, provider, day }: Place): number {
  const { arrivals, networkMs, scenario } = day;
  const { from, until } = spanOf(fault, scenario);
  const failsAfterMs =
    detection.failsAfterMs === undefined
      ? pendingAnswersMs(detection, name, provider)
      : (scenario.call.attemptTimeoutMs ?? detection.failsAfterMs);
  // Calls that arrive before the first failure is known also fail.
  const first = arrivals[after(arrivals, from)] ?? until;
  const knownAt = Math.max(from, first) + failsAfterMs + 2 * networkMs[1];
  const unavoidable = after(arrivals, Math.min(knownAt, until)) - after(arrivals, from);
  if (detection.threshold === 1) return Math.max(1, unavoidable);
  // The consecutive failures come after the last answer to an earlier request.
  const { models = USUAL_MODELS[name] } = provider;
  const isOfSeveral = detection.byModel === true && fault.model === undefined && models.length > 1;
  return detection.threshold + unavoidable + (isOfSeveral ? 1 : 0);
}

function costOfFault(fault: Fault, place: Place, outcome: DayOutcome): number {
  // A model that now and then spends its tokens before the first word does so by chance, and is not down.
  if (fault.kind === 'empty' && fault.as === 'length') return costOfChance(fault.share ?? 1, outcome.served);
  const detection = DETECTIONS[fault.kind];
  if (detection === undefined) return 0;
  const { from, until } = spanOf(fault, place.day.scenario);
  const tried = probesIn(from, until, { ...detection, growth: growthAt(fault.share ?? 1) }, outcome);
  return targetsOf(fault, place.name, place.provider) * (costOfDetection(fault, detection, place) + tried);
}

/** The share of requests that fail at every provider all day. 0 if one provider has no such fault. */
function shareEverywhere(day: Day): number {
  const shares = NAMES.filter((name) => day.scenario.providers[name] !== undefined).map((name) =>
    Math.max(
      0,
      ...day.faults[name].flatMap(({ kind, share = 0, model, from, until }) =>
        DETECTIONS[kind] !== undefined && model === undefined && from === undefined && until === undefined
          ? share
          : [],
      ),
    ),
  );
  return Math.min(...shares);
}

/** The failures needed to serve calls when a share of requests fails at every provider and each call is retried. */
function costOfChance(share: number, served: number): number {
  // Three standard deviations more than the mean.
  return (served * share + 3 * Math.sqrt(served * share)) / (1 - share);
}

/** The number of counters whose true limit is ever lower than the pool assumes. */
function lowCounters(name: ProviderName, provider: DayProvider, day: Day): number {
  const facts = PROVIDER_FACTS[name];
  const { accounts = [1], models = USUAL_MODELS[name], limits, configured, tier = 'free' } = provider;
  const isLow = (model: string): boolean => {
    const assumed = { ...facts.limits(model, tier), ...facts.assumed, ...configured };
    return (['rpm', 'rpd'] as const).some((limit) => {
      const changed = day.faults[name].flatMap((fault) =>
        fault.kind === 'limits' ? (fault[limit] ?? []) : [],
      );
      const least = Math.min(...changed, limits?.[limit] ?? Number.POSITIVE_INFINITY);
      return least < (assumed[limit] ?? Number.POSITIVE_INFINITY);
    });
  };
  const low = models.filter(isLow).length;
  return accounts.length * (sharesLimits(name, provider) ? Math.min(1, low) : low);
}

/** The requests that are under way at once before the first refusal is known: those of the first burst beyond the true limit. */
function costOfFirstBurst({ name, provider, day }: Place): number {
  const { arrivals, networkMs, scenario } = day;
  const first = arrivals[0] ?? scenario.startAt;
  const burst = after(arrivals, first + 2 * networkMs[1]);
  const { limits, accounts = [1] } = provider;
  if (limits?.rps !== undefined) return Math.max(0, burst - limits.rps);
  const assumed = provider.configured?.rpm === undefined ? PROVIDER_FACTS[name].assumed?.rpm : undefined;
  if (assumed === undefined || limits?.rpm === undefined) return 0;
  return accounts.length * Math.max(0, Math.min(burst, assumed) - limits.rpm);
}

/** Whether refusals may mean the account or the model, so that each lesson needs a second one. */
function isAmbiguous({ name, provider }: Place): boolean {
  const isAssumed = provider.configured?.rpm === undefined && PROVIDER_FACTS[name].assumed !== undefined;
  return isAssumed && (provider.models ?? USUAL_MODELS[name]).length > 1;
}

/**
 * The requests that are refused before it is known that a day is spent, if refusals say nothing: those of the burst that
 * spent it, one after the minute's window, and then one each time that as much time has passed again.
 */
function costOfSilentDays({ provider, day }: Place): number {
  const { limits, configured, quota } = provider;
  if (quota?.refusal !== 'nothing' || limits?.rpd === undefined || limits.rpd >= (configured?.rpd ?? 0))
    return 0;
  const { arrivals, networkMs, scenario } = day;
  const endAt = scenario.startAt + scenario.lastsMs;
  const begins = midnights('UTC', scenario.startAt, scenario.lastsMs / DAY + 1);
  let cost = 0;
  for (const [index, begin] of begins.entries()) {
    const until = Math.min(endAt, begins[index + 1] ?? endAt);
    const spentAt = arrivals[after(arrivals, begin) + limits.rpd];
    if (spentAt === undefined || spentAt >= until) continue;
    const burst = after(arrivals, spentAt + 2 * networkMs[1]) - after(arrivals, spentAt - 1);
    cost += burst + 1 + Math.log2(Math.max(1, (until - spentAt) / MINUTE));
  }
  return cost;
}

function costOfLimits(place: Place, { served }: DayOutcome): number {
  const { name, provider, day } = place;
  const { accounts = [1], declared = true, elsewherePerHour } = provider;
  const low = lowCounters(name, provider, day);
  let cost = 0;
  if (low > 0) {
    // Two requests may be in flight at once.
    cost += low * (PROVIDER_FACTS[name].namesLimits ? 2 : WHILE_SHRINKING);
    // Only a probe shows whether a low limit was raised.
    cost += (served / SERVED_PER_PROBE) * (isAmbiguous(place) ? 2 : 1);
  }
  cost += costOfFirstBurst(place) + costOfSilentDays(place);
  if (provider.limits?.rps !== undefined) cost += served / SERVED_PER_PROBE;
  if (!declared) {
    cost += PER_UNDECLARED_KEY * (accounts.reduce((keys, count) => keys + count, 0) - accounts.length);
    // If the limit is not reported, each key looks like an account with a low, varying limit.
    if (!PROVIDER_FACTS[name].namesLimits) cost += served / SERVED_PER_PROBE;
  }
  // One per day, and those needed to follow the use by the other program.
  if (elsewherePerHour !== undefined)
    cost += 1 + served / (PROVIDER_FACTS[name].namesLimits ? SERVED_PER_PROBE : SERVED_PER_SURPRISE);
  return cost;
}

/** One refusal per model and requirement shows what the model wants. */
function costOfLikes({ name, day }: Place): number {
  return [...(day.requirements.get(name)?.values() ?? [])].reduce(
    (sum, requirements) => sum + requirements.length,
    0,
  );
}

/** The number of requests that may be wasted in a day. */
export function wasteAllowed(day: Day, outcome: DayOutcome): number {
  let cost = 0;
  const share = shareEverywhere(day);
  if (share > 0) cost += costOfChance(share, outcome.served);
  for (const name of NAMES) {
    const provider = day.scenario.providers[name];
    if (provider === undefined) continue;
    for (const fault of share > 0 ? [] : day.faults[name])
      cost += costOfFault(fault, { name, provider, day }, outcome);
    cost += costOfLimits({ name, provider, day }, outcome) + costOfLikes({ name, provider, day });
  }
  return cost === 0 ? outcome.served * FREE_SHARE : cost;
}
