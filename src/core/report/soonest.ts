/** The soonest route of each key, for a call that no route serves: with many keys, without a look at each of their routes. */

import {
  type Admission,
  keyAdmission,
  later,
  modelAdmission,
  providerAdmission,
  type RouteReason,
} from '../routing/admission.ts';
import { idleOf, type KnownAccount, knownAccounts, knownAdmission } from '../routing/known-routes.ts';
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

/** The first of an account's soonest answers, for all its keys. `fit`: by index, the answers of the guards of each fit model. */
function soonestOf(
  question: Question,
  candidate: Candidate,
  known: KnownAccount,
  fit: readonly (Admission | undefined)[],
): Admission | undefined {
  const { now } = question;
  const idle = idleOf(question, candidate, known);
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

function noteCandidate(question: Question, candidate: Candidate, keys: Keys): void {
  const { records, needs, now } = question;
  const { provider, models } = candidate;
  const record = records.provider(provider);
  const whole = providerAdmission(record, { now });
  const unfit = models.map((model) => unfitReason(provider, record, model, needs, now));
  const [first] = unfit;
  if (first !== undefined && keys.size === 0) noteUnfit(question, candidate, first, keys);
  const fit = models.map(({ id }, index) =>
    unfit[index] === undefined ? later(whole, modelAdmission(record, id, { now })) : undefined,
  );
  for (const known of knownAccounts(question, candidate)) {
    const soonest = soonestOf(question, candidate, known, fit);
    if (soonest === undefined) continue;
    for (const keyId of known.account.keyIds) {
      const { readyAt, reason } = later(soonest, keyAdmission(known.record, keyId, { now }));
      note(keys, { provider: provider.name, keyId, readyAt: Math.max(readyAt, now), reason });
    }
  }
}

/** The soonest route of each key, in the order of the call's stages. Of routes that are ready at once, the first. spec 12.7 */
export function soonestOfKeys(asked: Question): readonly KeyReadiness[] {
  const question = withKnownLength(asked);
  const byProvider = new Map<string, Keys>();
  for (const candidate of question.stages.flat()) {
    const { name } = candidate.provider;
    const keys: Keys = byProvider.get(name) ?? new Map();
    noteCandidate(question, candidate, keys);
    if (keys.size > 0) byProvider.set(name, keys);
  }
  return [...byProvider.values()].flatMap((keys) => [...keys.values()]);
}
