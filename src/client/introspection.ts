/**
 * Reports about the pool: health, capacity, and the routes of a call. These functions are read-only and send nothing.
 */

import { explain } from '../core/report/explain.ts';
import {
  type KeyStatus,
  keyStatuses,
  type QuotaStatus,
  quotaStatuses,
  type LimitStatus,
  limitStatuses,
} from '../core/report/health.ts';
import type { RouteStatus } from '../core/report/routes.ts';
import type { RouteReason } from '../core/routing/admission.ts';
import type { RequestNeeds, Question } from '../core/routing/question.ts';
import type { Stage } from '../core/pool.ts';
import type { Snapshot } from '../engine/snapshot.ts';
import type { PrivacyFact } from '../providers/spec.ts';
import type { Pool } from './pool.ts';

const REASONS: Readonly<Record<RouteReason, string>> = {
  rate_limited: 'rate-limited by the provider',
  quota_exhausted: "the provider reports that today's quota is used up",
  model_busy: 'the model is overloaded',
  out_of_credits: 'the account is out of credits',
  unauthorized: 'the key was refused as invalid',
  not_entitled: 'the account may not use the model',
  forbidden: 'the provider refuses the account, the region or the network',
  model_gone: 'the model no longer exists',
  unsupported: 'the model lacks what the request needs',
  context_too_long: 'the request is too long for the model',
  content_blocked: 'the content was refused',
  server_error: 'the provider had errors',
  timeout: 'the provider did not answer in time',
  network: 'the provider could not be reached',
  broken_stream: "the provider's answers broke off",
  invalid_output: 'the answers did not fit the schema',
  rejected: 'the model rejected the request',
  bad_request: 'the request was refused',
  minute_quota_spent: "this minute's quota is used up",
  day_quota_spent: "today's quota is used up",
  busy: 'the maximum number of concurrent requests is under way',
  would_cost_money: "it would cost money, which spend: 'never' rules out",
  probing: 'another call is testing whether it works again',
};

/** A reason in words, for people. */
export function reasonText(reason: RouteReason): string {
  return REASONS[reason];
}

/** A row of `health()`: one key. Moments are epoch ms. `undefined`: no such limit, or not known yet. */
export interface HealthRow extends Omit<KeyStatus, 'keyId' | 'reason'> {
  /** The key, masked. */
  readonly key: string;
  readonly tier: string;
  /** Why it is not ready, in words. Undefined while it is ready. */
  readonly reason: string | undefined;
  /**
   * Epoch ms at which freelm read the stored state behind this; 0 before the first answer. Set only with an
   * asynchronous store, e.g. Redis. `sync()` brings it up to date. freelm reads memory and files during the call.
   */
  readonly asOf?: number | undefined;
}

/** What `capacity()` returns: what is left of the pool's quotas. */
export interface Capacity {
  /** Requests that can be sent at once, over all known quotas. */
  readonly requestsNow: number;
  /** Requests left until the daily resets, over all daily quotas. */
  readonly requestsToday: number;
  /**
   * Epoch ms from which the next request is admitted. Not in the future if one is admitted now; undefined if none will
   * be.
   */
  readonly nextAt: number | undefined;
  readonly quotas: readonly QuotaStatus[];
  /** Each limit by itself. */
  readonly limits: readonly LimitStatus[];
  /** Epoch ms at which this was read, by the pool's clock. */
  readonly at: number;
  /**
   * Epoch ms at which freelm read the stored state behind this; 0 before the first answer. Set only with an
   * asynchronous store, e.g. Redis. `sync()` brings it up to date. freelm reads memory and files during the call.
   */
  readonly asOf?: number | undefined;
}

/** A row of `explain()`: one route, in the order in which a call would try it. */
export interface ExplainRow extends Omit<RouteStatus, 'keyId' | 'reason'> {
  /** The key, masked. */
  readonly key: string;
  /** Why it is not ready, in words. Undefined while it is ready. */
  readonly reason: string | undefined;
  /** Whether the provider may train models on prompts. */
  readonly trains: PrivacyFact;
  /** Whether the provider keeps prompts after it has answered. */
  readonly logs: PrivacyFact;
  /**
   * Epoch ms at which freelm read the stored state behind this; 0 before the first answer. Set only with an
   * asynchronous store, e.g. Redis. `sync()` brings it up to date. freelm reads memory and files during the call.
   */
  readonly asOf?: number | undefined;
}

export function health(pool: Pool): readonly HealthRow[] {
  const stage = pool.everything();
  const records = pool.ledger.known([stage]);
  const now = pool.clock.now();
  return stage.flatMap((candidate) =>
    keyStatuses(records, candidate, now).map(({ keyId, reason, ...row }) => ({
      ...row,
      key: pool.maskOf(row.provider, keyId),
      tier: pool.providers.get(row.provider)?.tierOf(keyId) ?? '',
      reason: reason === undefined ? undefined : reasonText(reason),
      asOf: records.asOf,
    })),
  );
}

export function capacity(pool: Pool): Capacity {
  const stage = pool.everything();
  const records = pool.ledger.known([stage]);
  const now = pool.clock.now();
  const quotas = stage.flatMap((candidate) => quotaStatuses(records, candidate, now));
  const moments = quotas.map(({ readyAt }) => readyAt).filter(Number.isFinite);
  return {
    requestsNow: quotas.reduce((sum, { leftNow }) => sum + (leftNow ?? 0), 0),
    requestsToday: quotas.reduce((sum, { leftToday }) => sum + (leftToday ?? 0), 0),
    nextAt: moments.length === 0 ? undefined : Math.min(...moments),
    quotas,
    limits: stage.flatMap((candidate) => limitStatuses(records, candidate, now)),
    at: now,
    asOf: records.asOf,
  };
}

/** A question about the stored records. */
export interface PoolQuestion extends Question {
  readonly records: Snapshot;
}

/** The question that a call beginning now would put to routing. Reserves nothing. */
export function questionOf(
  pool: Pool,
  stages: readonly Stage[],
  needs: RequestNeeds,
  turn: number,
): PoolQuestion {
  return {
    now: pool.clock.now(),
    stages,
    records: pool.ledger.known(stages),
    preferences: pool.choice(turn),
    needs,
    failedAttempts: [],
    maxAttempts: Number.POSITIVE_INFINITY,
    waitUntil: 0,
  };
}

/** Every route of a call, in the order in which it would try them. */
export function explainRows(pool: Pool, question: PoolQuestion): readonly ExplainRow[] {
  return explain(question).map(({ keyId, reason, ...row }) => {
    const { trains, logs = 'unknown' } = pool.providers.get(row.provider)?.spec.privacy ?? {
      trains: 'unknown',
    };
    return {
      ...row,
      key: pool.maskOf(row.provider, keyId),
      reason: reason === undefined ? undefined : reasonText(reason),
      trains,
      logs,
      asOf: question.records.asOf,
    };
  });
}
