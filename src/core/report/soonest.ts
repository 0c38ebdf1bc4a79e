/** The soonest route of each key, for a call that no route serves: with many keys, without a look at each of their routes. */

import {
  accountAdmission,
  keyAdmission,
  later,
  modelAdmission,
  providerAdmission,
  type RouteReason,
} from '../routing/admission.ts';
import { type Alike, alikeOf } from '../routing/alike.ts';
import { demandOf } from '../routing/cost.ts';
import { unfitReason, withKnownLength } from '../routing/fitness.ts';
import type { Question } from '../routing/question.ts';
import { entitlementOf } from '../records/account.ts';
import { accountsOf } from '../records/shared-accounts.ts';
import type { Candidate, CandidateModel } from '../pool.ts';

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

/** Notes the routes of a model that can serve the call. Returns whether only its provider and its accounts delay it. */
function noteModel(question: Question, { provider }: Candidate, model: CandidateModel, keys: Keys): boolean {
  const { records, needs, now } = question;
  const known = records.provider(provider);
  const whole = providerAdmission(known, { now });
  const own = modelAdmission(known, model.id, { now });
  let isUnhindered = own.readyAt <= now;
  for (const account of accountsOf(provider, known, now)) {
    const record = records.account(account);
    if (entitlementOf(record, model.id).state !== 'closed') isUnhindered = false;
    const demand = demandOf({ provider, account }, record, model.id, needs, now);
    const use = accountAdmission(account, record, model.id, demand, { now });
    const admission = later(whole, later(own, use));
    for (const keyId of account.keyIds) {
      const { readyAt, reason } = later(admission, keyAdmission(record, keyId, { now }));
      note(keys, { provider: provider.name, keyId, readyAt: Math.max(readyAt, now), reason });
    }
  }
  return isUnhindered;
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

function noteCandidate(question: Question, candidate: Candidate, keys: Keys): void {
  const { records, needs, now } = question;
  const { provider, models } = candidate;
  const alike = alikeOf(candidate);
  const noted = new Set<Alike>();
  for (const [index, model] of models.entries()) {
    const group = alike[index];
    if (group !== undefined && noted.has(group)) continue;
    const unfit = unfitReason(provider, records.provider(provider), model, needs, now);
    if (unfit === undefined) {
      const isUnhindered = noteModel(question, candidate, model, keys);
      // No other model of the group is ready sooner.
      if (isUnhindered && group !== undefined) noted.add(group);
    } else if (keys.size === 0) noteUnfit(question, candidate, unfit, keys);
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
