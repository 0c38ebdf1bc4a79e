/** A tier's limits as meters of one model, with the user's own numbers over the documented ones. */

import type { Meter } from '../core/limits/limit.ts';
import { matchesGlob } from './glob.ts';
import type { MeterSpec } from './spec.ts';

/** The user's own limits: requests a minute and a day, tokens a minute, requests at once. */
export interface LimitOverrides {
  readonly rpm?: number | undefined;
  readonly rpd?: number | undefined;
  readonly tpm?: number | undefined;
  readonly concurrency?: number | undefined;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** What is sent is counted even where no limit is known, so that one can be learnt from a refusal. */
const COUNTED: MeterSpec = {
  id: 'rpm',
  kind: 'token-bucket',
  unit: 'requests',
  per: 'account',
  windowMs: MINUTE_MS,
  marginMs: 250,
};
const OWN_RPM: MeterSpec = { ...COUNTED, isOwn: true };
const OWN_RPD: MeterSpec = { ...OWN_RPM, id: 'rpd', kind: 'daily', timeZone: 'UTC', marginMs: 1000 };
const OWN_TPM: MeterSpec = { ...OWN_RPM, id: 'tpm', unit: 'tokens' };
const OWN_CONCURRENCY: MeterSpec = { ...OWN_RPM, id: 'concurrency', kind: 'concurrency', marginMs: 0 };

function limitFor({ limit = Number.POSITIVE_INFINITY }: MeterSpec, model: string): number | undefined {
  if (typeof limit === 'number') return limit;
  return limit.find(({ models }) => matchesGlob(models, model))?.limit;
}

function meterFor(spec: MeterSpec, model: string): Meter | undefined {
  const limit = limitFor(spec, model);
  if (limit === undefined) return undefined;
  const { id, unit, per, marginMs, counts, isOwn, windowMs = MINUTE_MS, timeZone = 'UTC' } = spec;
  const base = { id, unit, per, limit, marginMs, counts, isOwn };
  switch (spec.kind) {
    case 'token-bucket':
    case 'refilling-bucket':
      return { ...base, kind: spec.kind, windowMs };
    case 'clock-minute':
    case 'concurrency':
      return { ...base, kind: spec.kind };
    case 'daily':
    case 'monthly':
      return { ...base, kind: spec.kind, timeZone };
  }
}

/** What a meter's limit is over, as users say it; anything else has no option of its own. */
function windowOf({ kind, windowMs = MINUTE_MS }: MeterSpec): 'minute' | 'day' | 'at once' | 'other' {
  if (kind === 'concurrency') return 'at once';
  if (kind === 'daily' || windowMs === DAY_MS) return 'day';
  return kind !== 'monthly' && windowMs === MINUTE_MS ? 'minute' : 'other';
}

function isLike(spec: MeterSpec, other: MeterSpec): boolean {
  return spec.unit === other.unit && windowOf(spec) === windowOf(other);
}

function overridden(
  specs: readonly MeterSpec[],
  limit: number | undefined,
  own: MeterSpec,
): readonly MeterSpec[] {
  if (limit === undefined) return specs;
  if (!specs.some((spec) => isLike(spec, own))) return [...specs, { ...own, limit }];
  return specs.map((spec) => (isLike(spec, own) ? { ...spec, limit, isOwn: true } : spec));
}

function counted(specs: readonly MeterSpec[]): readonly MeterSpec[] {
  return specs.some((spec) => isLike(spec, COUNTED)) ? specs : [...specs, COUNTED];
}

/** Gives the meters of a model; the same list for the same model. */
export function meterTable(
  specs: readonly MeterSpec[],
  overrides: LimitOverrides,
): (model: string) => readonly Meter[] {
  const requests = overridden(overridden(specs, overrides.rpm, OWN_RPM), overrides.rpd, OWN_RPD);
  const paced = overridden(requests, overrides.tpm, OWN_TPM);
  const effective = counted(overridden(paced, overrides.concurrency, OWN_CONCURRENCY));
  const known = new Map<string, readonly Meter[]>();
  return (model) => {
    let meters = known.get(model);
    if (meters === undefined) {
      meters = effective.flatMap((spec) => meterFor(spec, model) ?? []);
      known.set(model, meters);
    }
    return meters;
  };
}
