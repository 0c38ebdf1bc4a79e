/** One request on the wire: sent, read, judged; whatever the provider does comes back as an outcome. */

import type { Failure } from '../core/failure.ts';
import type { Target } from '../core/routing/question.ts';
import type { ModelRecord } from '../core/records/provider.ts';
import type { Outcome } from '../core/ledger/settle.ts';
import type { TokensUsed } from '../core/ledger/settle-limits.ts';
import { FreeLLMError } from '../errors.ts';
import type { Clock, HttpResponse, Transport } from '../ports.ts';
import type { Call } from './call.ts';
import { networkFailure } from './network-failure.ts';
import { BadAnswer, type Operation } from './operation.ts';
import { AttemptTimer, type Timeouts } from './attempt-timer.ts';

/** What the loop is carried out with. */
export interface AttemptPorts {
  readonly clock: Clock;
  readonly transport: Transport;
  /** Takes keys out of what came from outside. */
  readonly redact: (text: string) => string;
  /** Of the attempts under way, those included whose readers do not come back. */
  readonly timers: Set<AttemptTimer>;
}

const MESSAGE_KEPT = 400;

/** One attempt: its route, and how much it matters. */
export interface AttemptPlan {
  readonly target: Target;
  /** Whether another provider could serve the call now. */
  readonly alternatives: boolean;
  /** What is known of the route's model. */
  readonly known: ModelRecord;
  /** The most tokens that the answer may have, where that was booked. */
  readonly maxTokens?: number | undefined;
}

function timeoutFailure(timer: AttemptTimer, { fair }: AttemptBudget, answered: boolean): Failure {
  const missing = answered ? 'no further content' : 'no complete answer';
  return {
    kind: 'timeout',
    // What the caller's hurry cut short is not held against the provider.
    scope: fair ? 'provider' : 'request',
    message: `${missing} within ${Math.round(timer.waitedMs)} ms`,
  };
}

function failed(ports: AttemptPorts, call: Call<unknown>, failure: Failure): Outcome {
  return {
    kind: 'failure',
    // Cut last: of a key that is cut, the rest would not be recognised.
    failure: { ...failure, message: ports.redact(failure.message).slice(0, MESSAGE_KEPT) },
    size: call.needs.size,
  };
}

function failureOf(error: unknown, answered: boolean): Failure {
  return error instanceof BadAnswer ? error.failure : networkFailure(error, answered);
}

/** The first part has come: from now on only what the caller asked for bounds the stream. */
function begun(call: Call<unknown>): void {
  if (call.stream !== undefined) call.deadline = call.stream.totalDeadline;
}

/**
 * Carries out one attempt, yielding the answer's parts. Throws only when the caller aborted (the caller's own reason)
 * and when the pool was closed.
 */
export async function* attempt<Request, Part>(
  ports: AttemptPorts,
  call: Call<Request>,
  operation: Operation<Request, Part>,
  plan: AttemptPlan,
): AsyncGenerator<Part, Outcome> {
  const request = operation.encode(call.request, plan.target, plan.known, plan.maxTokens);
  const startedAt = ports.clock.now();
  const budget = attemptBudget(call, startedAt, plan.alternatives);
  const timer = new AttemptTimer(ports.clock, budget, call.signal);
  ports.timers.add(timer);
  timer.addEventListener('abort', () => ports.timers.delete(timer));
  let parts = 0;
  let tokens: TokensUsed | undefined;
  let response: HttpResponse | undefined;
  try {
    response = await ports.transport.send(request, timer);
    if (response.status === 200) {
      for await (const part of operation.decode(response, {
        target: plan.target,
        request: call.request,
        timer,
      })) {
        parts += 1;
        tokens = operation.tokensOf(part, call.request) ?? tokens;
        begun(call);
        // The consumer's pace is the back-pressure: meanwhile nothing is read, and nobody is late.
        timer.pause();
        yield part;
        timer.resume();
      }
      const latencyMs = ports.clock.now() - startedAt;
      return { kind: 'success', latencyMs, tokens, reported: operation.observe(response, plan.target) };
    }
    const failure = await operation.classify(response, plan.target);
    if (timer.callerLeft) throw call.signal?.reason;
    return failed(ports, call, failure);
  } catch (error) {
    if (timer.callerLeft) throw call.signal?.reason;
    // Not the provider's doing: the pool was closed.
    if (FreeLLMError.is(error)) throw error;
    if (timer.timedOut) return failed(ports, call, timeoutFailure(timer, budget, parts > 0));
    return failed(ports, call, failureOf(error, response !== undefined));
  } finally {
    timer.end();
    ports.timers.delete(timer);
  }
}

/** A shorter attempt that ran out of time says more about the caller's hurry than about the provider. */
const FAIR_MS = 5000;

/** The time that one attempt is given. */
export interface AttemptBudget extends Timeouts {
  /** Whether running out of it may be held against the provider. */
  readonly fair: boolean;
}

/**
 * One attempt gets at most `attemptTimeoutMs`, a stream `firstPartTimeoutMs` for its first part, and half of what is
 * left of the call while another provider could serve it: one that hangs cannot eat the call.
 */
export function attemptBudget(call: Call<unknown>, now: number, alternatives: boolean): AttemptBudget {
  const leftMs = call.deadline - now;
  const wantedMs = call.stream?.firstPartTimeoutMs ?? call.attemptTimeoutMs;
  const firstMs = Math.max(1, Math.min(wantedMs, alternatives ? leftMs / 2 : leftMs));
  return {
    firstMs,
    idleMs: call.stream?.idleTimeoutMs ?? firstMs,
    capMs: call.stream === undefined ? firstMs : Math.min(leftMs, Math.max(firstMs, call.attemptTimeoutMs)),
    deadline: call.stream?.totalDeadline ?? call.deadline,
    fair: firstMs >= Math.min(wantedMs, FAIR_MS),
  };
}
