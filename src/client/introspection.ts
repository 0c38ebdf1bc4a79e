/** The pool as people see it: health, capacity, and what a call would do. Looking changes nothing. */

import { explain } from '../core/report/explain.ts';
import {
  type KeyStatus,
  keyStatuses,
  type QuotaStatus,
  quotaStatuses,
  type RouteStatus,
  type LimitStatus,
  limitStatuses,
} from '../core/report/health.ts';
import type { RequestNeeds, Question } from '../core/routing/question.ts';
import type { Stage } from '../core/pool.ts';
import type { Pool } from './pool.ts';
import { reasonText } from './call-errors.ts';

/** A row for every key. Moments are epoch ms; `undefined` stands for: no such limit, or nothing known yet. */
export interface HealthRow extends Omit<KeyStatus, 'keyId' | 'reason'> {
  /** The key, masked. */
  readonly key: string;
  readonly tier: string;
  /** Why it is not ready. */
  readonly reason: string | undefined;
}

/** What is left of the pool's quotas. */
export interface Capacity {
  /** Requests that can be sent at once, over all quotas that are known. */
  readonly requestsNow: number;
  /** Requests left until the resets of the day, over all quotas that count days. */
  readonly requestsToday: number;
  /** Epoch ms from which the next request is admitted; at most now when one is. Undefined: none will be. */
  readonly nextAt: number | undefined;
  readonly quotas: readonly QuotaStatus[];
  /** Every limit by itself. */
  readonly limits: readonly LimitStatus[];
  /** Epoch ms of this look, by the pool's own clock. */
  readonly at: number;
}

/** One route of a dry run, in the order in which it would be tried. */
export interface ExplainRow extends Omit<RouteStatus, 'keyId' | 'reason'> {
  /** The key, masked. */
  readonly key: string;
  /** Why it is not ready. */
  readonly reason: string | undefined;
}

export function health(pool: Pool): readonly HealthRow[] {
  const stage = pool.everything();
  const sight = { records: pool.ledger.known([stage]), now: pool.clock.now() };
  return stage.flatMap((candidate) =>
    keyStatuses(sight, candidate).map(({ keyId, reason, ...row }) => ({
      ...row,
      key: pool.maskOf(row.provider, keyId),
      tier: pool.providers.get(row.provider)?.tierOf(keyId) ?? '',
      reason: reason === undefined ? undefined : reasonText(reason),
    })),
  );
}

export function capacity(pool: Pool): Capacity {
  const stage = pool.everything();
  const sight = { records: pool.ledger.known([stage]), now: pool.clock.now() };
  const quotas = stage.flatMap((candidate) => quotaStatuses(sight, candidate));
  const moments = quotas.map(({ readyAt }) => readyAt).filter(Number.isFinite);
  return {
    requestsNow: quotas.reduce((sum, { leftNow }) => sum + (leftNow ?? 0), 0),
    requestsToday: quotas.reduce((sum, { leftToday }) => sum + (leftToday ?? 0), 0),
    nextAt: moments.length === 0 ? undefined : Math.min(...moments),
    quotas,
    limits: stage.flatMap((candidate) => limitStatuses(sight, candidate)),
    at: sight.now,
  };
}

/** What a call would ask now, without booking anything. */
export function questionOf(
  pool: Pool,
  stages: readonly Stage[],
  needs: RequestNeeds,
  turn: number,
): Question {
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

/** Every route of a call in the order in which it would be tried. */
export function explainRows(pool: Pool, question: Question): readonly ExplainRow[] {
  return explain(question).map(({ keyId, reason, ...row }) => ({
    ...row,
    key: pool.maskOf(row.provider, keyId),
    reason: reason === undefined ? undefined : reasonText(reason),
  }));
}
