/** Every route of the pool, and when it is ready, computed from the same numbers as the decisions. Changes nothing. spec 12.7 */

import { accountsOf } from '../records/shared-accounts.ts';
import {
  accountAdmission,
  type Admission,
  keyAdmission,
  later,
  modelAdmission,
  providerAdmission,
  type RouteReason,
} from '../routing/admission.ts';
import { demandOf } from '../routing/cost.ts';
import type { RequestNeeds, Records } from '../routing/question.ts';
import { unfitReason } from '../routing/fitness.ts';
import type { FreeReason } from '../model.ts';
import type { Candidate, CandidateModel, PoolAccount, PoolProvider } from '../pool.ts';
import { billsAll, modelOf, type ProviderRecord } from '../records/provider.ts';

/** One route, and when it is ready. */
export interface RouteStatus {
  readonly provider: string;
  readonly account: string;
  readonly keyId: string;
  readonly model: string;
  readonly ready: boolean;
  /** Epoch ms; undefined: waiting does not help. */
  readonly readyAt: number | undefined;
  readonly reason: RouteReason | undefined;
  /** Why it is free. Undefined if it is billed, or nothing is known. */
  readonly freeBecause: FreeReason | undefined;
}

export const NOTHING_NEEDED: RequestNeeds = { size: 0, capabilities: [] };

/** The guards of an account's use of a model, whatever the key. */
export function admissionOf(
  records: Records,
  target: { readonly provider: PoolProvider; readonly account: PoolAccount },
  model: string,
  needs: RequestNeeds,
  now: number,
): Admission {
  const provider = records.provider(target.provider);
  const record = records.account(target.account);
  const demand = demandOf(target, record, model, needs, now);
  const route = later(
    modelAdmission(provider, model, { now }),
    accountAdmission(target.account, record, model, demand, { now }),
  );
  return later(providerAdmission(provider, { now }), route);
}

/** Why a route is free. A documented stop proves more than a price. spec 11.8 */
function freeBecause(
  account: PoolAccount,
  model: CandidateModel,
  provider: ProviderRecord,
): FreeReason | undefined {
  const { billed } = modelOf(provider, model.id);
  if ((billed ?? 0) > 0 || model.costs === true || billsAll(provider)) return undefined;
  const documented = account.freeBecause && (model.freeBecause ?? account.freeBecause);
  const isPrice = documented === 'unproven' || documented === 'listed-price-0';
  return billed === 0 && isPrice ? 'answered-cost-0' : documented;
}

/** Every route of a candidate, in its own order. */
export function routeStatuses(
  records: Records,
  candidate: Candidate,
  now: number,
  needs: RequestNeeds = NOTHING_NEEDED,
): readonly RouteStatus[] {
  const { provider } = candidate;
  const known = records.provider(provider);
  const accounts = accountsOf(provider, known, now);
  return candidate.models.flatMap((model) => {
    const unfit = unfitReason(provider, known, model, needs, now);
    return accounts.flatMap((account) => {
      const record = records.account(account);
      const admission = admissionOf(records, { provider, account }, model.id, needs, now);
      return account.keyIds.map((keyId) => {
        const { readyAt, reason } = later(admission, keyAdmission(record, keyId, { now }));
        const isFit = unfit === undefined;
        return {
          provider: provider.name,
          account: account.id,
          keyId,
          model: model.id,
          ready: isFit && readyAt <= now,
          readyAt: isFit && Number.isFinite(readyAt) ? Math.max(readyAt, now) : undefined,
          reason: unfit ?? reason,
          freeBecause: freeBecause(account, model, known),
        };
      });
    });
  });
}
