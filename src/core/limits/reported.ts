/** What the limits and quotas that a provider reports teach. spec 5.6 to 5.9 */

import { maxInForce } from './in-force.ts';
import { isNear, withLearntLimit, withWiderMargin } from './learning.ts';
import { isLong, type Limit, type ReportedQuota, returnsAt, spanOf } from './limit.ts';
import type { LimiterState } from './state.ts';
import { type Charge, usedOf, withCost } from './window.ts';

/** The state after the provider reported its limit. spec 5.6 */
function withReportedLimit(limiter: LimiterState, limit: Limit, max: number, now: number): LimiterState {
  return limit.assumed === true
    ? { ...limiter, learnt: { max, at: now, stated: true } }
    : withLearntLimit(limiter, limit, max, now);
}

/**
 * The state after a refusal that reports the limit `max`. If no more than that was admitted, a network delay caused the
 * refusal, and the margin grows. spec 5.6, 5.7
 */
export function withReportedRefusal(
  limiter: LimiterState,
  charge: Charge | undefined,
  limit: Limit,
  max: number,
  now: number,
): LimiterState {
  const known = withReportedLimit(limiter, limit, max, now);
  if (charge === undefined || charge.probes || isLong(limit) || max !== maxInForce(limiter, limit, now))
    return known;
  const admitted = usedOf(limiter, limit, now) - 1;
  return admitted <= max && isNear(admitted, max) ? (withWiderMargin(known, limit, now) ?? known) : known;
}

/** The state after the provider reported that more is used: other clients of the account spent it. spec 5.8 */
function withReportedUse(
  limiter: LimiterState,
  limit: Limit,
  quota: Omit<ReportedQuota, 'window'>,
  now: number,
): LimiterState {
  const { remaining, resetAt } = quota;
  if (remaining === undefined) return limiter;
  const max = quota.limit ?? maxInForce(limiter, limit, now);
  const missing = max - remaining - Math.floor(usedOf(limiter, limit, now));
  if (missing <= 0 || !Number.isFinite(missing)) return limiter;
  const usual = returnsAt(limit, now);
  const at = resetAt !== undefined && resetAt > now ? Math.min(resetAt, usual) : usual;
  return withCost(limiter, limit, missing, at, now);
}

/** The state after other accounts spent all that was left of the limit `max`. spec 5.9 */
export function withNothingLeft(limiter: LimiterState, limit: Limit, max: number, now: number): LimiterState {
  const known = withReportedLimit(limiter, limit, max, now);
  return withReportedUse(known, limit, { unit: limit.unit, limit: max, remaining: 0 }, now);
}

/** The state after an answer reported quotas. spec 5.8 */
export function withReported(
  limiter: LimiterState,
  limit: Limit,
  quotas: readonly ReportedQuota[],
  now: number,
): LimiterState {
  let next = limiter;
  for (const quota of quotas) {
    if (quota.unit !== limit.unit || spanOf(limit) !== quota.window) continue;
    const { limit: max } = quota;
    if (max !== undefined && max > 0) next = withReportedLimit(next, limit, max, now);
    next = withReportedUse(next, limit, quota, now);
  }
  return next;
}
