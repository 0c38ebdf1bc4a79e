/** What people are shown of the pool, read off the same numbers that decide. Changes nothing. */

import { keyOf, type LastError, limitUse, limiterName, limiterOf } from '../records/account.ts';
import { accountsOf } from '../records/shared-accounts.ts';
import {
  ADMITTED,
  accountAdmission,
  type Admission,
  keyAdmission,
  later,
  modelAdmission,
  providerAdmission,
  type Reason,
} from '../routing/admission.ts';
import { breakerReadyAt, type CircuitBreaker } from '../circuit-breaker.ts';
import { demandOf } from '../routing/cost.ts';
import type { RequestNeeds, Records } from '../routing/question.ts';
import { unfit } from '../routing/fitness.ts';
import { isLong, returnsAt, spanOf, type QuotaWindow } from '../limits/limit.ts';
import type { Candidate, CandidateModel, PoolAccount } from '../pool.ts';
import { readyAtOf } from '../limits/window.ts';

/** Why a route is not ready; a request can also be `context_too_long` for a model, or ask what it lacks (`unsupported`). */
export type RouteReason = Reason;

/** One route and its guards' answer. */
export interface RouteStatus {
  readonly provider: string;
  readonly account: string;
  readonly keyId: string;
  readonly model: string;
  readonly ready: boolean;
  /** Epoch ms; undefined: not by waiting. */
  readonly readyAt: number | undefined;
  readonly reason: RouteReason | undefined;
}

const NOTHING_NEEDED: RequestNeeds = { size: 0, capabilities: [] };

/** The records at one moment. */
export interface Sight {
  readonly records: Records;
  /** Epoch ms. */
  readonly now: number;
}

/** The accounts of a candidate, as far as it is known which of its keys share one. */
function accountsAt({ records, now }: Sight, { provider }: Candidate): readonly PoolAccount[] {
  return accountsOf(provider, records.provider(provider), now);
}

/** The guards of a model on an account, whatever the key. */
function admissionOf(
  { records, now }: Sight,
  candidate: Candidate,
  account: PoolAccount,
  { model, needs }: { readonly model: CandidateModel; readonly needs: RequestNeeds },
): Admission {
  const provider = records.provider(candidate.provider);
  const record = records.account(account);
  const demand = demandOf({ provider: candidate.provider, account, record, model: model.id }, needs, now);
  const route = later(
    modelAdmission(provider, model.id, { now }),
    accountAdmission(account, record, { model: model.id, demand }, { now }),
  );
  return later(providerAdmission(provider, { now }), route);
}

/** Every route of a candidate, in its own order. */
export function routeStatuses(
  sight: Sight,
  candidate: Candidate,
  needs: RequestNeeds = NOTHING_NEEDED,
): readonly RouteStatus[] {
  const { records, now } = sight;
  const provider = candidate.provider.name;
  const known = records.provider(candidate.provider);
  const accounts = accountsAt(sight, candidate);
  return candidate.models.flatMap((model) => {
    const reasonAgainst = unfit(known, model, needs, now);
    return accounts.flatMap((account) => {
      const record = records.account(account);
      const admission = admissionOf(sight, candidate, account, { model, needs });
      return account.keyIds.map((keyId) => {
        const { readyAt, reason } = later(admission, keyAdmission(record, keyId, { now }));
        const isFit = reasonAgainst === undefined;
        return {
          provider,
          account: account.id,
          keyId,
          model: model.id,
          ready: isFit && readyAt <= now,
          readyAt: isFit && Number.isFinite(readyAt) ? Math.max(readyAt, now) : undefined,
          reason: reasonAgainst ?? reason,
        };
      });
    });
  });
}

/** How a key's breakers stand together: the strictest of provider, account and key. */
function breakerState(now: number, breakers: readonly CircuitBreaker[]): CircuitBreaker['state'] {
  let state: CircuitBreaker['state'] = 'closed';
  for (const breaker of breakers) {
    if (breaker.state === 'open' && breakerReadyAt(breaker, now) > now) return 'open';
    // An open breaker whose time has come admits one probe: it is half-open to whoever asks next.
    if (breaker.state !== 'closed') state = 'half-open';
  }
  return state;
}

/** Use and limit of an account's tightest meter of one kind over the models. */
interface Use {
  readonly used: number | undefined;
  readonly limit: number | undefined;
}

function tightest({ records, now }: Sight, candidate: Candidate, account: PoolAccount, daily: boolean): Use {
  const record = records.account(account);
  let worst: { used: number; max: number } | undefined;
  for (const { id } of candidate.models) {
    for (const limit of account.limits(id)) {
      if (isLong(limit) !== daily || limit.unit !== 'requests' || limit.kind === 'concurrency') continue;
      const use = limitUse(record, limit, id, now);
      if (!Number.isFinite(use.max)) continue;
      if (worst === undefined || use.used / use.max > worst.used / worst.max) worst = { ...use };
    }
  }
  return { used: worst?.used, limit: worst?.max };
}

/** One key as it stands. */
export interface KeyStatus {
  readonly provider: string;
  readonly keyId: string;
  readonly account: string;
  /** Whether at least one model can be asked with it now. */
  readonly ready: boolean;
  /** Epoch ms from which it is ready. */
  readonly readyAt: number | undefined;
  readonly reason: RouteReason | undefined;
  readonly breaker: CircuitBreaker['state'];
  /** Refused by the provider as no valid key; tried again only after a day or more. */
  readonly disabled: boolean;
  readonly rpmUsed: number | undefined;
  readonly rpm: number | undefined;
  readonly rpdUsed: number | undefined;
  readonly rpd: number | undefined;
  readonly lastError: LastError | undefined;
  readonly latencyMs: number | undefined;
}

function earliest(statuses: readonly RouteStatus[]): RouteStatus | undefined {
  let best: RouteStatus | undefined;
  for (const status of statuses) {
    if (status.ready) return status;
    if (best === undefined || (status.readyAt ?? Infinity) < (best.readyAt ?? Infinity)) best = status;
  }
  return best;
}

/** The routes of each key. */
function byKey(routes: readonly RouteStatus[]): ReadonlyMap<string, readonly RouteStatus[]> {
  const groups = new Map<string, RouteStatus[]>();
  for (const route of routes) {
    const group = groups.get(route.keyId);
    if (group === undefined) groups.set(route.keyId, [route]);
    else group.push(route);
  }
  return groups;
}

/** A row for every key of a candidate. */
export function keyStatuses(sight: Sight, candidate: Candidate): readonly KeyStatus[] {
  const { records, now } = sight;
  const routes = byKey(routeStatuses(sight, candidate));
  const provider = records.provider(candidate.provider);
  return accountsAt(sight, candidate).flatMap((account) => {
    const record = records.account(account);
    const minute = tightest(sight, candidate, account, false);
    const day = tightest(sight, candidate, account, true);
    return account.keyIds.map((keyId) => {
      const best = earliest(routes.get(keyId) ?? []);
      const key = keyOf(record, keyId);
      return {
        provider: candidate.provider.name,
        keyId,
        account: account.id,
        ready: best?.ready ?? false,
        readyAt: best?.readyAt,
        reason: best?.ready === true ? undefined : best?.reason,
        breaker: breakerState(now, [provider.breaker, record.breaker, key.breaker]),
        disabled: key.breaker.state !== 'closed' && key.breaker.reason === 'unauthorized',
        rpmUsed: minute.used,
        rpm: minute.limit,
        rpdUsed: day.used,
        rpd: day.limit,
        lastError: key.lastError,
        latencyMs: key.latencyMs,
      };
    });
  });
}

/** What is left of one quota: of an account, or of its use of one model where the provider counts so. */
export interface QuotaStatus {
  readonly provider: string;
  readonly account: string;
  /** Undefined: the quota covers all the models. */
  readonly model: string | undefined;
  /** Requests that can be sent at once; undefined where no limit is known. */
  readonly leftNow: number | undefined;
  /** Requests left until the day's reset; undefined where no day is counted. */
  readonly leftToday: number | undefined;
  /** Epoch ms of the day's reset. */
  readonly resetsAt: number | undefined;
  /** Epoch ms from which the next request is admitted. */
  readonly readyAt: number;
}

function quotaStatus(
  sight: Sight,
  candidate: Candidate,
  account: PoolAccount,
  model: CandidateModel,
): QuotaStatus {
  const { records, now } = sight;
  const record = records.account(account);
  let leftNow: number | undefined;
  let leftToday: number | undefined;
  let resetsAt: number | undefined;
  let shared = true;
  for (const limit of account.limits(model.id)) {
    if (limit.per === 'account-model') shared = false;
    if (limit.unit !== 'requests') continue;
    const { max, used } = limitUse(record, limit, model.id, now);
    if (!Number.isFinite(max)) continue;
    leftNow = Math.min(leftNow ?? max, max - used);
    if (!isLong(limit)) continue;
    leftToday = Math.min(leftToday ?? max, max - used);
    resetsAt = returnsAt(limit, now);
  }
  const keys = account.keyIds.map((keyId) => keyAdmission(record, keyId, { now }));
  const key = keys.reduce((a, b) => (b.readyAt < a.readyAt ? b : a), keys[0] ?? ADMITTED);
  const { readyAt } = later(key, admissionOf(sight, candidate, account, { model, needs: NOTHING_NEEDED }));
  return {
    provider: candidate.provider.name,
    account: account.id,
    model: shared ? undefined : model.id,
    leftNow: readyAt > now ? 0 : leftNow,
    leftToday,
    resetsAt,
    readyAt: Math.max(readyAt, now),
  };
}

/** The quotas of a candidate, each once. */
export function quotaStatuses(sight: Sight, candidate: Candidate): readonly QuotaStatus[] {
  return accountsAt(sight, candidate).flatMap((account) => {
    const rows = new Map<string | undefined, QuotaStatus>();
    for (const model of candidate.models) {
      const row = quotaStatus(sight, candidate, account, model);
      const known = rows.get(row.model);
      if (known === undefined || row.readyAt < known.readyAt) rows.set(row.model, row);
    }
    return [...rows.values()];
  });
}

/** One limit of an account, as it stands. */
export interface LimitStatus {
  readonly provider: string;
  readonly account: string;
  /** Undefined: it covers all the models. */
  readonly model: string | undefined;
  readonly unit: 'requests' | 'tokens';
  /** `at-once`: how many may be under way. */
  readonly window: QuotaWindow | 'at-once';
  readonly used: number;
  readonly limit: number;
  /** Epoch ms from which more is left than now; undefined while nothing is spent. */
  readonly returnsAt: number | undefined;
}

/** The limits of a candidate's accounts, each once; a meter without a limit is none. */
export function limitStatuses({ records, now }: Sight, candidate: Candidate): readonly LimitStatus[] {
  const { provider, models } = candidate;
  return accountsOf(provider, records.provider(provider), now).flatMap((account) => {
    const record = records.account(account);
    const rows = new Map<string, LimitStatus>();
    for (const { id } of models) {
      for (const limit of account.limits(id)) {
        const name = limiterName(limit, id);
        const { used, max } = limitUse(record, limit, id, now);
        if (rows.has(name) || !Number.isFinite(max)) continue;
        const missing = max - used + 1;
        rows.set(name, {
          provider: provider.name,
          account: account.id,
          model: limit.per === 'account' ? undefined : id,
          unit: limit.unit,
          window: spanOf(limit),
          used,
          limit: max,
          returnsAt: used === 0 ? undefined : readyAtOf(limiterOf(record, limit, id), limit, missing, now),
        });
      }
    }
    return [...rows.values()];
  });
}
