/** The limits of a model: those of its tier, with the user's numbers in place of the documented ones. */

import type { Limit } from '../core/limits/limit.ts';
import type { ModelKind } from '../core/model.ts';
import { matchesGlob } from './pattern.ts';
import type { LimitSpec } from './spec.ts';
import { DAY_MS, MINUTE_MS } from '../core/time.ts';

/** The user's limits: requests per minute and day, tokens per minute, requests at once. */
export interface LimitOverrides {
  readonly rpm?: number | undefined;
  readonly rpd?: number | undefined;
  readonly tpm?: number | undefined;
  readonly concurrency?: number | undefined;
}

/** Requests are counted even if no limit is known, so that one can be learnt from a refusal. */
const COUNTED: LimitSpec = {
  id: 'rpm',
  kind: 'sliding-window',
  unit: 'requests',
  per: 'account',
  windowMs: MINUTE_MS,
  marginMs: 250,
};
const OWN_RPM: LimitSpec = { ...COUNTED, isOwn: true };
const OWN_RPD: LimitSpec = { ...OWN_RPM, id: 'rpd', kind: 'daily', timeZone: 'UTC', marginMs: 1000 };
const OWN_TPM: LimitSpec = { ...OWN_RPM, id: 'tpm', unit: 'tokens' };
const OWN_CONCURRENCY: LimitSpec = { ...OWN_RPM, id: 'concurrency', kind: 'concurrency', marginMs: 0 };

function limitFor(
  { max = Number.POSITIVE_INFINITY, assumed }: LimitSpec,
  model: string,
): { readonly limit: number; readonly assumed?: boolean | undefined } | undefined {
  if (typeof max === 'number') return { limit: max, assumed };
  return max.find(({ models }) => matchesGlob(models, model));
}

function limitFromSpec(spec: LimitSpec, model: string, kind: ModelKind): Limit | undefined {
  const row = limitFor(spec, model);
  if (row === undefined || (spec.only !== undefined && spec.only !== kind)) return undefined;
  const {
    id,
    unit,
    per,
    marginMs,
    counts,
    countsCached,
    isOwn,
    windowMs = MINUTE_MS,
    timeZone = 'UTC',
  } = spec;
  const { limit: max, assumed } = row;
  const base = { id, unit, per, max, marginMs, counts, countsCached, isOwn, assumed };
  switch (spec.kind) {
    case 'sliding-window':
    case 'token-bucket':
      return { ...base, kind: spec.kind, windowMs };
    case 'fixed-window':
    case 'concurrency':
      return { ...base, kind: spec.kind };
    case 'daily':
    case 'monthly':
      return { ...base, kind: spec.kind, timeZone };
  }
}

/** The window of a limit, in the terms of the user's options. */
function windowOf({ kind, windowMs = MINUTE_MS }: LimitSpec): 'minute' | 'day' | 'at once' | 'other' {
  if (kind === 'concurrency') return 'at once';
  if (kind === 'daily' || windowMs === DAY_MS) return 'day';
  return kind !== 'monthly' && windowMs === MINUTE_MS ? 'minute' : 'other';
}

function isLike(spec: LimitSpec, other: LimitSpec): boolean {
  return spec.unit === other.unit && windowOf(spec) === windowOf(other);
}

function overridden(
  specs: readonly LimitSpec[],
  max: number | undefined,
  own: LimitSpec,
): readonly LimitSpec[] {
  if (max === undefined) return specs;
  if (!specs.some((spec) => isLike(spec, own))) return [...specs, { ...own, max }];
  return specs.map((spec) => (isLike(spec, own) ? { ...spec, max, isOwn: true, assumed: false } : spec));
}

function counted(specs: readonly LimitSpec[]): readonly LimitSpec[] {
  return specs.some((spec) => isLike(spec, COUNTED)) ? specs : [...specs, COUNTED];
}

/** Models of which each limit counts the whole account share their list, so that it is seen that they share their quota. */
function shareLists(): (limits: readonly Limit[]) => readonly Limit[] {
  const lists = new Map<string, readonly Limit[]>();
  return (limits) => {
    if (limits.some(({ per }) => per === 'account-model')) return limits;
    const text = JSON.stringify(limits);
    const known = lists.get(text) ?? limits;
    lists.set(text, known);
    return known;
  };
}

/** Returns a function that gives a model's limits: the same list for the same model. */
// spec 3.11
export function limitTable(
  specs: readonly LimitSpec[],
  overrides: LimitOverrides,
  kindOf: (model: string) => ModelKind = () => 'chat',
): (model: string) => readonly Limit[] {
  const requests = overridden(overridden(specs, overrides.rpm, OWN_RPM), overrides.rpd, OWN_RPD);
  const paced = overridden(requests, overrides.tpm, OWN_TPM);
  const effective = counted(overridden(paced, overrides.concurrency, OWN_CONCURRENCY));
  const known = new Map<string, readonly Limit[]>();
  const shared = shareLists();
  return (model) => {
    let limits = known.get(model);
    if (limits === undefined) {
      limits = shared(effective.flatMap((spec) => limitFromSpec(spec, model, kindOf(model)) ?? []));
      known.set(model, limits);
    }
    return limits;
  };
}
