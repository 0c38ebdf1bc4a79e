/** The state of the pool's keys, quotas and limits for people, computed from the same numbers as the decisions. Changes nothing. spec 12.7 */

import {
  type AccountRecord,
  type Billed,
  keyOf,
  type LastError,
  limitUse,
  limiterName,
  limiterOf,
} from '../records/account.ts';
import { accountsOf } from '../records/shared-accounts.ts';
import { ADMITTED, keyAdmission, later, type RouteReason } from '../routing/admission.ts';
import { breakerReadyAt, type CircuitBreaker } from '../circuit-breaker.ts';
import type { Records } from '../routing/question.ts';
import { isLong, returnsAt, spanOf, type QuotaWindow } from '../limits/limit.ts';
import type { Candidate, PoolAccount, PoolProvider } from '../pool.ts';
import { readyAtOf } from '../limits/window.ts';
import { routeStatuses, type RouteStatus, admissionOf, NOTHING_NEEDED } from './routes.ts';

/** The strictest state of some breakers. */
function breakerState(now: number, breakers: readonly CircuitBreaker[]): CircuitBreaker['state'] {
  let state: CircuitBreaker['state'] = 'closed';
  for (const breaker of breakers) {
    if (breaker.state === 'open' && breakerReadyAt(breaker, now) > now) return 'open';
    // An open breaker whose cooldown is over admits a probe, so it is shown as half-open.
    if (breaker.state !== 'closed') state = 'half-open';
  }
  return state;
}

/** Use and size of the limit of requests that is used most, over the models. */
interface Use {
  readonly used: number | undefined;
  readonly limit: number | undefined;
}

function mostUsed(
  record: AccountRecord,
  candidate: Candidate,
  account: PoolAccount,
  long: boolean,
  now: number,
): Use {
  let worst: { used: number; max: number } | undefined;
  for (const { id } of candidate.models) {
    for (const limit of account.limits(id)) {
      if (isLong(limit) !== long || limit.unit !== 'requests' || limit.kind === 'concurrency') continue;
      const use = limitUse(record, limit, id, now);
      if (!Number.isFinite(use.max)) continue;
      if (worst === undefined || use.used / use.max > worst.used / worst.max) worst = { ...use };
    }
  }
  return { used: worst?.used, limit: worst?.max };
}

/** The state of one key. */
export interface KeyStatus {
  readonly provider: string;
  readonly keyId: string;
  readonly account: string;
  /** Whether it can serve at least one model now. */
  readonly ready: boolean;
  /** Epoch ms from which it is ready. */
  readonly readyAt: number | undefined;
  readonly reason: RouteReason | undefined;
  readonly breaker: CircuitBreaker['state'];
  /** The provider refused the key as invalid. Calls that nothing else can serve try it again each hour, others after a day or more. */
  readonly disabled: boolean;
  readonly rpmUsed: number | undefined;
  readonly rpm: number | undefined;
  readonly rpdUsed: number | undefined;
  readonly rpd: number | undefined;
  readonly lastError: LastError | undefined;
  readonly latencyMs: number | undefined;
  /** What its answers cost. Undefined while none stated a price. */
  readonly billed: Billed | undefined;
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
export function keyStatuses(records: Records, candidate: Candidate, now: number): readonly KeyStatus[] {
  const routes = byKey(routeStatuses(records, candidate, now));
  const provider = records.provider(candidate.provider);
  return accountsOf(candidate.provider, provider, now).flatMap((account) => {
    const record = records.account(account);
    const minute = mostUsed(record, candidate, account, false, now);
    const day = mostUsed(record, candidate, account, true, now);
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
        billed: key.billed,
      };
    });
  });
}

/** What is left of the quota of an account, or of its use of one model if a limit counts per model. */
export interface QuotaStatus {
  readonly provider: string;
  readonly account: string;
  /** Undefined: the quota covers all models. */
  readonly model: string | undefined;
  /** Requests that can be sent at once; undefined if no limit is known. */
  readonly leftNow: number | undefined;
  /** Requests left until the daily reset; undefined without a daily limit. */
  readonly leftToday: number | undefined;
  /** Epoch ms of the daily reset. */
  readonly resetsAt: number | undefined;
  /** Epoch ms from which the next request is admitted. */
  readonly readyAt: number;
}

function quotaStatus(
  records: Records,
  provider: PoolProvider,
  account: PoolAccount,
  model: string,
  now: number,
): QuotaStatus {
  const record = records.account(account);
  let leftNow: number | undefined;
  let leftToday: number | undefined;
  let resetsAt: number | undefined;
  let shared = true;
  for (const limit of account.limits(model)) {
    if (limit.per === 'account-model') shared = false;
    if (limit.unit !== 'requests') continue;
    const { max, used } = limitUse(record, limit, model, now);
    if (!Number.isFinite(max)) continue;
    leftNow = Math.min(leftNow ?? max, max - used);
    if (!isLong(limit)) continue;
    leftToday = Math.min(leftToday ?? max, max - used);
    resetsAt = returnsAt(limit, now);
  }
  const keys = account.keyIds.map((keyId) => keyAdmission(record, keyId, { now }));
  const key = keys.reduce((a, b) => (b.readyAt < a.readyAt ? b : a), keys[0] ?? ADMITTED);
  const { readyAt } = later(key, admissionOf(records, { provider, account }, model, NOTHING_NEEDED, now));
  return {
    provider: provider.name,
    account: account.id,
    model: shared ? undefined : model,
    leftNow: readyAt > now ? 0 : leftNow,
    leftToday,
    resetsAt,
    readyAt: Math.max(readyAt, now),
  };
}

/** The quotas of a candidate, each once. */
export function quotaStatuses(records: Records, candidate: Candidate, now: number): readonly QuotaStatus[] {
  const { provider } = candidate;
  return accountsOf(provider, records.provider(provider), now).flatMap((account) => {
    const rows = new Map<string | undefined, QuotaStatus>();
    for (const model of candidate.models) {
      const row = quotaStatus(records, provider, account, model.id, now);
      const known = rows.get(row.model);
      if (known === undefined || row.readyAt < known.readyAt) rows.set(row.model, row);
    }
    return [...rows.values()];
  });
}

/** The state of one limit of an account. */
export interface LimitStatus {
  readonly provider: string;
  readonly account: string;
  /** Undefined: the limit covers all models. */
  readonly model: string | undefined;
  readonly unit: 'requests' | 'tokens';
  /** `at-once`: the limit counts concurrent requests. */
  readonly window: QuotaWindow | 'at-once';
  readonly used: number;
  readonly limit: number;
  /** Epoch ms from which more is left; undefined while nothing is used. */
  readonly returnsAt: number | undefined;
}

/** The known limits of a candidate's accounts, each once. */
export function limitStatuses(records: Records, candidate: Candidate, now: number): readonly LimitStatus[] {
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
