/** The true limits and downtimes of all providers in a day of a scenario, for the oracle. */

import type { Fault, FaultKind, Limits, ProviderName } from '../../src/testing.ts';
import { DAY, MINUTE, SECOND } from '../support/simulated-pool.ts';
import type { Day } from './draw.ts';
import { foundSteps } from './finder.ts';
import { type Gap, limitAt, type Machine, type Rule, type Steps, type TokenRule } from './machine.ts';
import type { Window } from './greedy.ts';
import { accountName, type DayProvider, keyName, NAMES, USUAL_MODELS } from './scenario.ts';

/** The safety margins of a scheduler that does not know the network delays, nor the limits that the pool assumes. */
export interface Margins {
  readonly minuteMs: number;
  readonly dayMs: number;
  /** Whether it must find assumed limits out. Default false. */
  readonly finds?: boolean;
}

export const NO_MARGINS: Margins = { minuteMs: 0, dayMs: 0 };

interface ProviderFacts {
  /** Whether the models of an account share its limits, unless the provider's `quota` says otherwise. */
  readonly sharesLimits: boolean;
  readonly minute: 'sliding-window' | 'fixed-window';
  readonly timeZone: string;
  /** Whether a refusal reports the limit. */
  readonly namesLimits: boolean;
  /** The documented limits, or the best-known ones. */
  limits(model: string, tier: string): Limits;
  /** The limits that the pool assumes if none are documented. */
  readonly assumed?: Limits;
}

export const PROVIDER_FACTS: Readonly<Record<ProviderName, ProviderFacts>> = {
  openrouter: {
    sharesLimits: true,
    minute: 'fixed-window',
    timeZone: 'UTC',
    namesLimits: true,
    limits: (_, tier) => ({ rpm: 20, rpd: tier === 'credit' ? 1000 : 50 }),
  },
  google: {
    sharesLimits: false,
    minute: 'sliding-window',
    timeZone: 'America/Los_Angeles',
    namesLimits: true,
    limits: (model) => {
      if (model.startsWith('gemma-')) return { rpm: 30, rpd: 14_400, tpm: 16_000 };
      const lite = model.includes('flash-lite');
      return { ...(lite ? { rpm: 15, rpd: 500 } : { rpm: 5, rpd: 20 }), tpm: 250_000 };
    },
  },
  nim: {
    sharesLimits: false,
    minute: 'sliding-window',
    timeZone: 'UTC',
    namesLimits: false,
    limits: () => ({ rpm: 40 }),
    assumed: { rpm: 30 },
  },
  custom: {
    sharesLimits: true,
    minute: 'sliding-window',
    timeZone: 'UTC',
    namesLimits: true,
    limits: () => ({}),
  },
};

/** Whether the models of an account share its limits. */
export function sharesLimits(name: ProviderName, { quota }: DayProvider): boolean {
  return quota?.per === undefined ? PROVIDER_FACTS[name].sharesLimits : quota.per === 'account';
}

const QUARTER = MINUTE * 15;
const midnightsOf = new Map<string, readonly number[]>();

/** The starts of days in a time zone, from two days before a time to `days` after it. */
export function midnights(timeZone: string, around: number, days: number): readonly number[] {
  const from = Math.floor(around / DAY - 2) * DAY;
  const id = `${timeZone} ${from} ${days}`;
  const known = midnightsOf.get(id);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  const found: number[] = [];
  let date = format.format(from - QUARTER);
  for (let at = from; at <= around + days * DAY; at += QUARTER) {
    const next = format.format(at);
    if (next !== date) found.push(at);
    date = next;
  }
  midnightsOf.set(id, found);
  return found;
}

/** Faults that prevent a provider from serving requests. */
const CLOSED: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'reset',
  'outage',
  'forbidden',
  'unauthorized',
  'leaked',
  'out-of-credits',
  'retired',
  'unknown-model',
  'not-entitled',
  'hang',
  'server-error',
  'congested',
  'error-in-200',
  'empty',
  'malformed',
  'garbage',
  'cut',
]);

/** Whether a fault prevents all matching requests while it lasts. */
export function closes({ kind, share = 1, times, skip }: Fault): boolean {
  return CLOSED.has(kind) && share >= 1 && times === undefined && skip === undefined;
}

/** Whether the model pattern of a fault matches. */
export function patternFits(pattern: string | undefined, id: string): boolean {
  return (
    pattern === undefined ||
    new RegExp(`^${pattern.replaceAll(/[.+]/g, String.raw`\$&`).replaceAll('*', '.*')}$`).test(id)
  );
}

function gapOf({ from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY }: Fault): Gap {
  return { from, until };
}

/** The union of gaps, sorted and disjoint. */
function unionOf(gaps: readonly Gap[]): Gap[] {
  const all: Gap[] = [];
  for (const gap of gaps.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last !== undefined && gap.from <= last.until) {
      all[all.length - 1] = { from: last.from, until: Math.max(last.until, gap.until) };
    } else {
      all.push(gap);
    }
  }
  return all;
}

/** The intersection of several lists of gaps. */
function intersectionOf(lists: readonly (readonly Gap[])[]): Gap[] {
  const [first = [], ...others] = lists;
  return others
    .reduce<readonly Gap[]>(
      (left, right) =>
        left.flatMap((a) =>
          right.flatMap((b) => {
            const gap = { from: Math.max(a.from, b.from), until: Math.min(a.until, b.until) };
            return gap.from < gap.until ? [gap] : [];
          }),
        ),
      first,
    )
    .toSorted((a, b) => a.from - b.from);
}

interface Account {
  readonly name: ProviderName;
  readonly provider: DayProvider;
  readonly index: number;
  readonly keys: readonly string[];
  readonly faults: readonly Fault[];
}

function isAboutAccount({ account, key }: Fault, { index, keys }: Account): boolean {
  return (account ?? accountName(index)) === accountName(index) && (key === undefined || keys.includes(key));
}

/** The times when no key of an account can use a model. */
function gapsOf(account: Account, model: string): Gap[] {
  const about = account.faults.filter(
    (fault) => closes(fault) && isAboutAccount(fault, account) && patternFits(fault.model, model),
  );
  const everywhere = about.filter(({ key }) => key === undefined).map(gapOf);
  const byKey = account.keys.map((key) => unionOf(about.filter((fault) => fault.key === key).map(gapOf)));
  return unionOf([...everywhere, ...intersectionOf(byKey)]);
}

/** A limit over time, with the changes by `limits` faults. */
function stepsOf(
  { name, provider, faults }: Account,
  limit: keyof Limits,
  model: string | undefined,
): Steps | undefined {
  const facts = PROVIDER_FACTS[name];
  const usual = provider.limits?.[limit] ?? facts.limits(model ?? '', provider.tier ?? 'free')[limit];
  const changes = faults.filter(
    (fault) =>
      fault.kind === 'limits' &&
      fault[limit] !== undefined &&
      (fault.model === undefined
        ? true
        : !sharesLimits(name, provider) && patternFits(fault.model, model ?? '')),
  );
  if (usual === undefined && changes.length === 0) return undefined;
  const moments = [
    Number.NEGATIVE_INFINITY,
    ...changes.flatMap(({ from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY }) => [
      from,
      until,
    ]),
  ];
  return [...new Set(moments)]
    .filter((from) => from < Number.POSITIVE_INFINITY)
    .toSorted((a, b) => a - b)
    .map((from) => {
      const holding = changes.find((fault) => gapOf(fault).from <= from && from < gapOf(fault).until);
      const changed = holding?.kind === 'limits' ? holding[limit] : undefined;
      return { from, limit: changed ?? usual ?? Number.POSITIVE_INFINITY };
    });
}

/** The number of requests a minute that the pool assumes, if neither the provider nor the user states it. */
function assumedRpm({ name, provider }: Pick<Account, 'name' | 'provider'>): number | undefined {
  return provider.configured?.rpm === undefined ? PROVIDER_FACTS[name].assumed?.rpm : undefined;
}

/** Whether the pool must find a limit of the day out. */
export function isToBeFound({ scenario }: Day): boolean {
  return NAMES.some((name) => {
    const provider = scenario.providers[name];
    return provider !== undefined && assumedRpm({ name, provider }) !== undefined;
  });
}

/** A limit as far as it is known. An assumption holds for the account, so it is found for all models together. */
function foundOf(account: Account, truth: Steps, { scenario, arrivals }: Day): Steps {
  const assumed = assumedRpm(account);
  if (assumed === undefined) return truth;
  const { name, provider } = account;
  const parts = sharesLimits(name, provider) ? 1 : (provider.models ?? USUAL_MODELS[name]).length;
  const whole = truth.map(({ from, limit }) => ({ from, limit: limit * parts }));
  const { startAt, lastsMs } = scenario;
  // The first call that finds all that is assumed spent, wherever the earlier ones went.
  const firstTryAt = arrivals[assumed * (provider.accounts?.length ?? 1)] ?? startAt;
  return foundSteps(whole, assumed, firstTryAt, startAt + lastsMs).map(({ from, limit }) => ({
    from,
    limit: Math.min(limitAt(truth, from), Math.ceil(limit / parts)),
  }));
}

function rulesOf(account: Account, model: string | undefined, day: Day, margins: Margins): Rule[] {
  const { startAt, lastsMs } = day.scenario;
  const facts = PROVIDER_FACTS[account.name];
  const refills = account.provider.quota?.limiter === 'token-bucket';
  const windowMs = MINUTE + margins.minuteMs;
  const rules: Rule[] = [];
  const rps = stepsOf(account, 'rps', model);
  if (rps !== undefined)
    rules.push({ kind: 'sliding-window', windowMs: SECOND + margins.minuteMs, limit: rps });
  const truth = stepsOf(account, 'rpm', model);
  const rpm = truth !== undefined && margins.finds === true ? foundOf(account, truth, day) : truth;
  if (rpm !== undefined && facts.minute === 'sliding-window') {
    rules.push({ kind: refills ? 'token-bucket' : 'sliding-window', windowMs, limit: rpm });
  } else if (rpm !== undefined) {
    const first = Math.floor(startAt / MINUTE) - 1;
    const minutes = Array.from({ length: lastsMs / MINUTE + 10 }, (_, minute) => first + minute);
    const begins = minutes.map((minute) => minute * MINUTE + margins.minuteMs);
    rules.push({ kind: 'fixed-windows', begins, limit: rpm });
  }
  const rpd = stepsOf(account, 'rpd', model);
  if (rpd !== undefined && refills) {
    rules.push({ kind: 'token-bucket', windowMs: DAY + margins.dayMs, limit: rpd });
  } else if (rpd !== undefined) {
    const days = midnights(facts.timeZone, startAt, lastsMs / DAY + 2);
    rules.push({ kind: 'fixed-windows', begins: days.map((at) => at + margins.dayMs), limit: rpd });
  }
  return rules;
}

function tokensOf({ name, provider }: Account, model: string, margins: Margins): TokenRule | undefined {
  const { limits, quota = {}, tier = 'free' } = provider;
  const limit = limits?.tpm ?? PROVIDER_FACTS[name].limits(model, tier).tpm;
  if (limit === undefined) return undefined;
  const counts = name === 'google' || (quota.tokens ?? 'input') === 'input' ? 'prompt' : 'all';
  const kind = quota.limiter === 'token-bucket' ? 'token-bucket' : 'sliding-window';
  return { kind, windowMs: MINUTE + margins.minuteMs, limit, counts };
}

function machinesOf(account: Account, day: Day, margins: Margins): Machine[] {
  const { name, provider, index, keys } = account;
  const { models = USUAL_MODELS[name] } = provider;
  const foreign = day.foreign.filter((one) => one.provider === name && keys.includes(one.key));
  const label = `${name} ${accountName(index)}`;
  if (sharesLimits(name, provider)) {
    const down = intersectionOf(models.map((model) => gapsOf(account, model)));
    const at = foreign.map((one) => one.at);
    const tokens = tokensOf(account, models[0] ?? '', margins);
    return [{ name: label, rules: rulesOf(account, undefined, day, margins), down, foreign: at, tokens }];
  }
  return models.map((model) => ({
    name: `${label} ${model}`,
    rules: rulesOf(account, model, day, margins),
    down: gapsOf(account, model),
    foreign: foreign.filter((one) => one.model === model).map((one) => one.at),
    tokens: tokensOf(account, model, margins),
  }));
}

/** All counters of a day that ever admit a request. */
export function machinesOfDay(day: Day, margins: Margins = NO_MARGINS): Machine[] {
  const machines = NAMES.flatMap((name) => {
    const provider = day.scenario.providers[name];
    if (provider === undefined) return [];
    const { accounts = [1] } = provider;
    return accounts.flatMap((count, index) => {
      const keys = Array.from({ length: count }, (_, key) => keyName(name, index, key));
      return machinesOf({ name, provider, index, keys, faults: day.faults[name] }, day, margins);
    });
  });
  return machines.filter(({ rules }) => rules.every(({ limit }) => limit.some((step) => step.limit > 0)));
}

/** The window in which each call may arrive at a provider. */
export function windowsOfDay({ arrivals, promptTokens, scenario, networkMs }: Day): Window[] {
  const [least, most] = networkMs;
  const { waitMs, maxTokens, answerTokens = 1 } = scenario.call;
  const answer = maxTokens ?? (typeof answerTokens === 'number' ? answerTokens : answerTokens[1]);
  return arrivals.map((at, index) => ({
    from: at + least,
    until: at + most + waitMs,
    prompt: promptTokens[index],
    answer,
  }));
}
