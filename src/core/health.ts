/** What people are shown of the pool, read off the same numbers that decide. Changes nothing. */

import { type AccountRecord, keyOf, type LastError, meterUse } from './account-record.ts';
import { ADMITTED, accountAdmission, type Admission, keyAdmission, later, modelAdmission, providerAdmission, type Reason } from './admission.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { returnsAt } from './meter.ts';
import { cannotServe, type Needs, type Records } from './plan.ts';
import type { Candidate, CandidateModel, PoolAccount } from './pool.ts';
import type { ProviderRecord } from './provider-record.ts';

/** Why a route is not ready; a request can also be too long for a model, or ask what it lacks. */
export type RouteReason = Reason | 'cannot_serve';

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

const NOTHING_NEEDED: Needs = { size: 0, capabilities: [] };

function admissionOf(records: Records, candidate: Candidate, account: PoolAccount, keyId: string, model: CandidateModel, now: number): Admission {
  const provider = records.provider(candidate.provider);
  const record = records.account(account);
  const route = later(modelAdmission(provider, model.id, now), accountAdmission(account, record, model.id, now));
  return later(later(providerAdmission(provider, now), keyAdmission(record, keyId, now)), route);
}

/** Every route of a candidate, in its own order. */
export function routeStatuses(records: Records, candidate: Candidate, now: number, needs: Needs = NOTHING_NEEDED): readonly RouteStatus[] {
  return candidate.models.flatMap((model) => {
    const unable = cannotServe(records.provider(candidate.provider), model, needs);
    return candidate.provider.accounts.flatMap((account) =>
      account.keyIds.map((keyId) => {
        const { readyAt, reason } = admissionOf(records, candidate, account, keyId, model, now);
        const base = { provider: candidate.provider.name, account: account.id, keyId, model: model.id };
        if (unable) return { ...base, ready: false, readyAt: undefined, reason: 'cannot_serve' as const };
        return { ...base, ready: readyAt <= now, readyAt: Math.max(readyAt, now), reason };
      }),
    );
  });
}

/** How a key's breakers stand together: the strictest of provider, account and key. */
function breakerState(now: number, ...breakers: readonly CircuitBreaker[]): CircuitBreaker['state'] {
  let state: CircuitBreaker['state'] = 'closed';
  for (const breaker of breakers) {
    if (breaker.state === 'open' && breaker.until > now) return 'open';
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

function tightest(account: PoolAccount, record: AccountRecord, models: readonly CandidateModel[], daily: boolean, now: number): Use {
  let worst: { used: number; limit: number } | undefined;
  for (const { id } of models) {
    for (const meter of account.meters(id)) {
      if ((meter.kind === 'daily') !== daily || meter.unit !== 'requests') continue;
      const use = meterUse(record, meter, id, now);
      if (worst === undefined || use.used / use.limit > worst.used / worst.limit) worst = { ...use };
    }
  }
  return { used: worst?.used, limit: worst?.limit };
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

function keyStatus(candidate: Candidate, account: PoolAccount, keyId: string, context: { records: Records; provider: ProviderRecord; statuses: readonly RouteStatus[]; now: number }): KeyStatus {
  const { records, provider, statuses, now } = context;
  const record = records.account(account);
  const key = keyOf(record, keyId);
  const best = earliest(statuses.filter((status) => status.keyId === keyId));
  const minute = tightest(account, record, candidate.models, false, now);
  const day = tightest(account, record, candidate.models, true, now);
  return {
    provider: candidate.provider.name,
    keyId,
    account: account.id,
    ready: best?.ready ?? false,
    readyAt: best?.readyAt,
    reason: best?.ready === true ? undefined : best?.reason,
    breaker: breakerState(now, provider.breaker, record.breaker, key.breaker),
    disabled: key.breaker.state !== 'closed' && key.breaker.reason === 'unauthorized',
    rpmUsed: minute.used,
    rpm: minute.limit,
    rpdUsed: day.used,
    rpd: day.limit,
    lastError: key.lastError,
    latencyMs: key.latencyMs,
  };
}

/** A row for every key of a candidate. */
export function keyStatuses(records: Records, candidate: Candidate, now: number): readonly KeyStatus[] {
  const context = { records, provider: records.provider(candidate.provider), statuses: routeStatuses(records, candidate, now), now };
  return candidate.provider.accounts.flatMap((account) => account.keyIds.map((keyId) => keyStatus(candidate, account, keyId, context)));
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

function quotaStatus(records: Records, candidate: Candidate, account: PoolAccount, model: CandidateModel, now: number): QuotaStatus {
  const record = records.account(account);
  let leftNow: number | undefined;
  let leftToday: number | undefined;
  let resetsAt: number | undefined;
  let shared = true;
  for (const meter of account.meters(model.id)) {
    const { limit, used } = meterUse(record, meter, model.id, now);
    leftNow = Math.min(leftNow ?? limit, limit - used);
    if (meter.per === 'account-model') shared = false;
    if (meter.kind !== 'daily') continue;
    leftToday = Math.min(leftToday ?? limit, limit - used);
    resetsAt = returnsAt(meter, now);
  }
  const keys = account.keyIds.map((keyId) => keyAdmission(record, keyId, now));
  const key = keys.reduce((a, b) => (b.readyAt < a.readyAt ? b : a), keys[0] ?? ADMITTED);
  const provider = providerAdmission(records.provider(candidate.provider), now);
  const { readyAt } = later(later(provider, key), accountAdmission(account, record, model.id, now));
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
export function quotaStatuses(records: Records, candidate: Candidate, now: number): readonly QuotaStatus[] {
  return candidate.provider.accounts.flatMap((account) => {
    const rows = new Map<string | undefined, QuotaStatus>();
    for (const model of candidate.models) {
      const row = quotaStatus(records, candidate, account, model, now);
      const known = rows.get(row.model);
      if (known === undefined || row.readyAt < known.readyAt) rows.set(row.model, row);
    }
    return [...rows.values()];
  });
}
