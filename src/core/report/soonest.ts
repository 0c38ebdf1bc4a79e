/** The soonest route of each key, for a call that no route serves: with many keys, without a look at each of their routes. */

import {
  type Admission,
  keyAdmission,
  later,
  modelAdmission,
  providerAdmission,
  type RouteReason,
} from '../routing/admission.ts';
import { type AccountView, type AccountViews, viewAccounts } from '../routing/idle-accounts.ts';
import { knownAdmission } from '../routing/known-routes.ts';
import { unfitReason, withKnownLength } from '../routing/fitness.ts';
import type { Question } from '../routing/question.ts';
import { accountsOf } from '../records/shared-accounts.ts';
import type { Candidate } from '../pool.ts';

/** When a key is ready for a call, and why it is not ready. */
export interface KeyReadiness {
  readonly provider: string;
  readonly keyId: string;
  /** Epoch ms, at least `now`. Infinity: waiting does not help. */
  readonly readyAt: number;
  readonly reason: RouteReason | undefined;
}

type Keys = Map<string, KeyReadiness>;

function note(keys: Keys, found: KeyReadiness): void {
  const known = keys.get(found.keyId);
  if (known === undefined || found.readyAt < known.readyAt) keys.set(found.keyId, found);
}

function noteUnfit(
  { records, now }: Question,
  { provider }: Candidate,
  reason: RouteReason,
  keys: Keys,
): void {
  for (const { keyIds } of accountsOf(provider, records.provider(provider), now)) {
    for (const keyId of keyIds)
      note(keys, { provider: provider.name, keyId, readyAt: Number.POSITIVE_INFINITY, reason });
  }
}

/** By index, the answers of the guards of each fit model, whatever the account. */
type Fit = readonly (Admission | undefined)[];

/** The first of an account's soonest answers, for all its keys. */
function soonestOf(
  question: Question,
  candidate: Candidate,
  { known, idle }: AccountView,
  fit: Fit,
): Admission | undefined {
  const { now } = question;
  const usual = idle && fit[idle.index];
  if (usual !== undefined && usual.readyAt <= now) return idle;
  let soonest: Admission | undefined;
  for (const [index, admission] of fit.entries()) {
    if (admission === undefined) continue;
    if (soonest !== undefined && soonest.readyAt <= Math.max(admission.readyAt, now)) continue;
    const found = later(admission, knownAdmission(question, candidate, known, index));
    if (soonest === undefined || found.readyAt < soonest.readyAt) soonest = found;
  }
  return soonest;
}

function noteAccounts(
  question: Question,
  candidate: Candidate,
  { all }: AccountViews,
  fit: Fit,
  keys: Keys,
): void {
  const { now } = question;
  const provider = candidate.provider.name;
  for (const view of all) {
    const soonest = soonestOf(question, candidate, view, fit);
    if (soonest === undefined) continue;
    const { account, record, isSound } = view.known;
    for (const keyId of account.keyIds) {
      const { readyAt, reason } = isSound ? soonest : later(soonest, keyAdmission(record, keyId, { now }));
      note(keys, { provider, keyId, readyAt: Math.max(readyAt, now), reason });
    }
  }
}

/** The keys of accounts that all admit nothing, as a call for models that are all ready sees them. */
const usualKeys = new WeakMap<AccountViews, readonly KeyReadiness[]>();

/** Whether the readiness of the keys follows from the views alone. */
function isUsual({ all, awake }: AccountViews, fit: Fit, now: number): boolean {
  return (
    awake.length === 0 &&
    all.every(({ known }) => known.isSound) &&
    fit.every((admission) => admission !== undefined && admission.readyAt <= now)
  );
}

/** The keys of a candidate, with those of the provider's earlier candidates. */
function withCandidate(
  question: Question,
  candidate: Candidate,
  earlier: readonly KeyReadiness[],
): readonly KeyReadiness[] {
  const { records, needs, now } = question;
  const { provider, models } = candidate;
  const record = records.provider(provider);
  const whole = providerAdmission(record, { now });
  const unfit = models.map((model) => unfitReason(provider, record, model, needs, now));
  const fit = models.map(({ id }, index) =>
    unfit[index] === undefined ? later(whole, modelAdmission(record, id, { now })) : undefined,
  );
  const views = viewAccounts(question, candidate);
  const usual = earlier.length === 0 && isUsual(views, fit, now);
  const known = usual ? usualKeys.get(views) : undefined;
  if (known !== undefined) return known;
  const keys: Keys = new Map(earlier.map((key) => [key.keyId, key]));
  const [first] = unfit;
  if (first !== undefined && keys.size === 0) noteUnfit(question, candidate, first, keys);
  noteAccounts(question, candidate, views, fit, keys);
  const list = [...keys.values()];
  if (usual) usualKeys.set(views, list);
  return list;
}

/**
 * For each provider, the soonest route of each of its keys, in the order of the call's stages. Of routes that are ready at
 * once, the first. A list stays the same while nothing changes. spec 12.7
 */
export function soonestOfKeys(asked: Question): readonly (readonly KeyReadiness[])[] {
  const question = withKnownLength(asked);
  const byProvider = new Map<string, readonly KeyReadiness[]>();
  for (const candidate of question.stages.flat()) {
    const { name } = candidate.provider;
    const keys = withCandidate(question, candidate, byProvider.get(name) ?? []);
    if (keys.length > 0) byProvider.set(name, keys);
  }
  return [...byProvider.values()];
}
