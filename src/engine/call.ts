import type {
  FailedAttempt,
  RequestNeeds,
  Preferences,
  Question,
  Records,
  Target,
} from '../core/routing/question.ts';
import type { Stage, Route } from '../core/pool.ts';
import type { AttemptReport } from '../errors.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';
import { type Instant, toWall } from './instant.ts';

/** The limits that apply to streams only. */
export interface StreamLimits {
  readonly firstPartTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Monotonic ms. Infinity if the stream may take any time. */
  readonly totalDeadline: number;
}

/** One call: its request, its limits, and what has happened to it so far. */
export interface Call<Request> {
  readonly id: number;
  /** The request under way: a call may consist of several, one after the other. */
  request: Request;
  needs: RequestNeeds;
  readonly stages: readonly Stage[];
  preferences: Preferences;
  /** Calls with the same key wait in one queue. */
  readonly queueKey: string;
  /** Epoch ms. */
  readonly startedAt: number;
  /** The same moment in monotonic ms. */
  readonly startedMs: number;
  readonly timeoutMs: number;
  /** Monotonic ms. For a stream it applies until the first part. */
  deadline: number;
  /** Undefined for a call that wants a whole answer. */
  readonly stream: StreamLimits | undefined;
  readonly attemptTimeoutMs: number;
  readonly maxAttempts: number;
  /** The longest sum of all waits for a route. With 0, the call only pauses before it retries a failed route. */
  readonly maxWaitMs: number;
  readonly signal: AbortSignal | undefined;
  /** Called with the route that served the call. */
  readonly onServed?: ((route: Route) => void) | undefined;
  /** The failures so far, as routing needs them, but with `excludedUntil` in monotonic ms. */
  readonly failedAttempts: FailedAttempt[];
  /** Reports of the attempts that have ended, for people. */
  readonly attempts: AttemptReport[];
  /** How many attempts have started. */
  attemptCount: number;
  /** The target of the latest attempt. */
  target: Target | undefined;
  /** Tokens that providers have reported, over all attempts. */
  usage: TokenUsage | undefined;
  /** A route to retry before any other. */
  retryRoute: Route | undefined;
  /** The latest attempt that a model rejected. The ledger notes it when another model serves the call. */
  rejectedBy?: { readonly target: Target; readonly plain: boolean } | undefined;
  waitedMs: number;
  /** Whether a part of the answer was delivered. Reasoning does not count. */
  hasDelivered: boolean;
}

/** Moves a call to its next request. Earlier failures do not count, and limits on waits and attempts start anew. */
export function renew<Request>(
  call: Call<Request>,
  next: Pick<Call<Request>, 'request' | 'needs' | 'preferences'>,
): void {
  Object.assign(call, next);
  call.failedAttempts.length = 0;
  call.retryRoute = undefined;
  call.rejectedBy = undefined;
  call.waitedMs = 0;
  call.hasDelivered = false;
}

/**
 * The question to `plan` about the next step of a call.
 * @param waitUntil - Epoch ms.
 */
export function questionOf(
  call: Call<unknown>,
  records: Records,
  waitUntil: number,
  instant: Instant,
  mayAdmitMore: Question['mayAdmitMore'],
): Question {
  const { stages, preferences, needs, retryRoute, maxAttempts } = call;
  const failedAttempts = call.failedAttempts.map((failed) => ({
    ...failed,
    excludedUntil: toWall(instant, failed.excludedUntil),
  }));
  const { now } = instant;
  return {
    now,
    stages,
    records,
    preferences,
    needs,
    failedAttempts,
    retryRoute,
    maxAttempts,
    waitUntil,
    mayAdmitMore,
  };
}
