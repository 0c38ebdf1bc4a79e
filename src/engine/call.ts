/** One call on its way through the loop. */

import type { FailedAttempt, RequestNeeds, Preferences } from '../core/routing/question.ts';
import type { Stage, Route } from '../core/pool.ts';
import type { AttemptReport } from '../errors.ts';

/** What only a stream is allowed. */
export interface StreamLimits {
  readonly firstPartTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Epoch ms; Infinity where a stream may last as long as it likes. */
  readonly totalDeadline: number;
}

/** A call: what it wants, what it is allowed, what happened to it so far. */
export interface Call<Request> {
  readonly id: number;
  readonly request: Request;
  readonly needs: RequestNeeds;
  readonly stages: readonly Stage[];
  readonly preferences: Preferences;
  /** Calls with the same line wait in one line. */
  readonly queueKey: string;
  readonly startedAt: number;
  readonly timeoutMs: number;
  /** Epoch ms; of a stream only until its first part. */
  deadline: number;
  /** Undefined: a whole answer is asked for. */
  readonly stream: StreamLimits | undefined;
  readonly attemptTimeoutMs: number;
  readonly maxAttempts: number;
  /** For how long the call may wait for a route, all waits together; 0: no longer than it pauses for what failed it. */
  readonly maxWaitMs: number;
  readonly signal: AbortSignal | undefined;
  /** What failed so far, for the decisions. */
  readonly failedAttempts: FailedAttempt[];
  /** What happened so far, for people. */
  readonly attempts: AttemptReport[];
  /** A route to be tried once more before any other. */
  again: Route | undefined;
  waitedMs: number;
}
