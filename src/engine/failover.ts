/** The loop: decide, attempt, learn, until an answer has come or nothing is left to try. */

import { excludedUntil } from '../core/routing/exclusion.ts';
import { type Failure, FAILURE_EFFECTS } from '../core/failure.ts';
import type { Target } from '../core/routing/question.ts';
import type { Outcome } from '../core/ledger/settle.ts';
import type { AttemptReport } from '../errors.ts';
import { attempt, type AttemptPorts } from './attempt.ts';
import type { Call } from './call.ts';
import type { Served, WaitQueues } from './wait-queue.ts';
import type { Operation } from './operation.ts';
import type { Ledger } from './ledger.ts';

/** Why a call ended without an answer. */
export type Ending =
  | Extract<Served, { kind: 'give-up' }>
  | { readonly kind: 'give-up'; readonly reason: 'deadline' };

/** What happens on the way, for whoever listens. */
export interface Listener {
  started(call: Call<unknown>, target: Target): void;
  ended(call: Call<unknown>, report: AttemptReport): void;
}

/** What the loop is carried out with. */
export interface Engine extends AttemptPorts {
  readonly ledger: Ledger;
  readonly queues: WaitQueues;
  readonly listener: Listener;
  maskOf(target: Target): string;
  /** The error that a call ends with when nothing is left to try. */
  gaveUp(call: Call<unknown>, ending: Ending): unknown;
  /** The error that a stream ends with when it broke and nobody can go on with it. */
  broken(call: Call<unknown>, failure: Failure): unknown;
  /** The error that a call ends with because of what the request itself is. */
  thrown(call: Call<unknown>, failure: Failure): unknown;
}

function reportOf(engine: Engine, target: Target, outcome: Outcome, startedAt: number): AttemptReport {
  const { provider, account, model } = target.route;
  const latencyMs = engine.clock.now() - startedAt;
  const key = engine.maskOf(target);
  if (outcome.kind !== 'failure')
    return { provider, key, account, model, outcome: outcome.kind, startedAt, latencyMs };
  const { kind, status, message, retryAt } = outcome.failure;
  return { provider, key, account, model, outcome: kind, status, message, startedAt, latencyMs, retryAt };
}

/** Notes a failure for the decisions to come. A refused field that can be left out is worth the same route once more. */
function noteFailure(
  call: Call<unknown>,
  target: Target,
  failure: Failure,
  attempted: { droppable: boolean; now: number },
): void {
  const again = attempted.droppable && call.again === undefined;
  call.again = again ? target.route : undefined;
  const entry = { route: target.route, failure, ctx: target.model.ctx };
  const bounds = { waits: call.maxWaitMs > 0, deadline: call.deadline };
  const until = again ? 0 : excludedUntil(call.failedAttempts, entry, bounds, attempted.now);
  call.failedAttempts.push({ ...entry, excludedUntil: until });
}

/** The next route, booked; throws when there is none, and when its turn came too late to be used. */
async function nextGrant(engine: Engine, call: Call<unknown>): Promise<Extract<Served, { kind: 'attempt' }>> {
  for (;;) {
    call.signal?.throwIfAborted();
    if (engine.clock.now() >= call.deadline) {
      throw engine.gaveUp(call, { kind: 'give-up', reason: 'deadline' });
    }
    const turn = await engine.queues.next(call);
    if (turn.kind === 'give-up') throw engine.gaveUp(call, turn);
    if (call.signal?.aborted !== true && engine.clock.now() < call.deadline) return turn;
    // Nothing was sent, and what was booked is free again.
    await engine.ledger.settle(turn.reservation, { kind: 'abandoned', sent: false });
    engine.queues.wake();
  }
}

/** Runs a call to its end, yielding the parts of its answer. */
export async function* failover<Request, Part>(
  engine: Engine,
  call: Call<Request>,
  operation: Operation<Request, Part>,
): AsyncGenerator<Part, void> {
  for (;;) {
    const turn = await nextGrant(engine, call);
    const { target, reservation } = turn;
    const startedAt = engine.clock.now();
    // Whoever walks away from here on has had the request sent, unless it was aborted before.
    let outcome: Outcome = { kind: 'abandoned', sent: call.signal?.aborted !== true };
    try {
      engine.listener.started(call, target);
      outcome = yield* attempt(engine, call, operation, turn);
    } finally {
      await engine.ledger.settle(reservation, outcome);
      engine.queues.wake();
      const report = reportOf(engine, target, outcome, startedAt);
      call.attempts.push(report);
      engine.listener.ended(call, report);
    }
    if (outcome.kind === 'success') return;
    if (outcome.kind !== 'failure') continue;
    const { failure } = outcome;
    if (FAILURE_EFFECTS[failure.kind].throws === true) throw engine.thrown(call, failure);
    if (!operation.resumable(call.request)) throw engine.broken(call, failure);
    const droppable = operation.canDoWithout(call.request, failure, turn);
    noteFailure(call, target, failure, { droppable, now: engine.clock.now() });
  }
}
