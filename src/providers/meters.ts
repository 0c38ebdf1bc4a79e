/** A tier's limits as meters of one model, with the user's own numbers over the documented ones. */

import type { Meter } from '../core/meter.ts';
import { matchesGlob } from './glob.ts';
import type { MeterSpec } from './spec.ts';

/** The user's own limits: requests a minute and a day, tokens a minute. */
export interface LimitOverrides {
  readonly rpm?: number | undefined;
  readonly rpd?: number | undefined;
  readonly tpm?: number | undefined;
}

const MINUTE_MS = 60_000;
const OWN_RPM: MeterSpec = {
  id: 'rpm',
  kind: 'token-bucket',
  unit: 'requests',
  per: 'account',
  limit: 0,
  windowMs: MINUTE_MS,
  marginMs: 250,
};
const OWN_RPD: MeterSpec = {
  id: 'rpd',
  kind: 'daily',
  unit: 'requests',
  per: 'account',
  limit: 0,
  timeZone: 'UTC',
  marginMs: 1000,
};

const OWN_TPM: MeterSpec = { ...OWN_RPM, id: 'tpm', unit: 'tokens' };

function limitFor(spec: MeterSpec, model: string): number | undefined {
  if (typeof spec.limit === 'number') return spec.limit;
  return spec.limit.find(({ models }) => matchesGlob(models, model))?.limit;
}

function meterFor(spec: MeterSpec, model: string): Meter | undefined {
  const limit = limitFor(spec, model);
  if (limit === undefined) return undefined;
  const base = { id: spec.id, unit: spec.unit, per: spec.per, limit, marginMs: spec.marginMs };
  switch (spec.kind) {
    case 'token-bucket':
      return { ...base, kind: spec.kind, windowMs: spec.windowMs ?? MINUTE_MS };
    case 'clock-minute':
      return { ...base, kind: spec.kind };
    case 'daily':
      return { ...base, kind: spec.kind, timeZone: spec.timeZone ?? 'UTC' };
  }
}

function overridden(
  specs: readonly MeterSpec[],
  limit: number | undefined,
  own: MeterSpec,
): readonly MeterSpec[] {
  if (limit === undefined) return specs;
  const concerns = (spec: MeterSpec): boolean =>
    spec.unit === own.unit && (spec.kind === 'daily') === (own.kind === 'daily');
  if (!specs.some(concerns)) return [...specs, { ...own, limit }];
  return specs.map((spec) => (concerns(spec) ? { ...spec, limit } : spec));
}

/** Gives the meters of a model; the same list for the same model. */
export function meterTable(
  specs: readonly MeterSpec[],
  overrides: LimitOverrides,
): (model: string) => readonly Meter[] {
  const requests = overridden(overridden(specs, overrides.rpm, OWN_RPM), overrides.rpd, OWN_RPD);
  const effective = overridden(requests, overrides.tpm, OWN_TPM);
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
