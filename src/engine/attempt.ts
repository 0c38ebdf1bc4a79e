/** One request on the wire: sent, read and judged. Every behaviour of the provider becomes an outcome. */

import type { Failure } from '../core/failure.ts';
import type { Outcome } from '../core/ledger/settle.ts';
import { cautious } from '../core/routing/cost.ts';
import type { TokensUsed } from '../core/ledger/settle-limits.ts';
import { FreeLLMError } from '../errors.ts';
import type { Clock, HttpRequest, HttpResponse, Transport } from '../ports.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';
import { AttemptTimer, type Timeouts } from './attempt-timer.ts';
import type { Call } from './call.ts';
import { networkFailure } from './network-failure.ts';
import {
  type AttemptPlan,
  BadAnswer,
  type DecodeContext,
  type Operation,
  type StreamOperation,
  type WholeOperation,
} from './operation.ts';

export interface AttemptPorts {
  readonly clock: Clock;
  readonly transport: Transport;
  /** Removes keys from text that came from outside. */
  readonly redact: (text: string) => string;
}

/** An attempt under way. */
export interface AttemptProgress {
  /** Epoch ms. */
  readonly startedAt: number;
  /** The same moment in monotonic ms. */
  readonly startedMs: number;
  /** Tokens that the provider has reported. */
  usage: TokenUsage | undefined;
}

const MAX_MESSAGE_LENGTH = 400;

function timeoutFailure(timer: AttemptTimer, { fair }: AttemptBudget, begun: boolean): Failure {
  const missing = begun ? 'no further content' : 'no complete answer';
  return {
    kind: 'timeout',
    // A timeout that the caller made too short says nothing about the provider.
    scope: fair ? 'provider' : 'request',
    message: `${missing} within ${Math.round(timer.limitMs)} ms`,
  };
}

/** The size of a request that was too long; undefined if it may have fitted with a shorter answer. spec 5.6 */
function refusedSize({ needs, target }: Call<unknown>, failure: Failure): number | undefined {
  // It is unknown which of several texts was too long, or whether all of them together were.
  if ((needs.batch?.inputs ?? 1) > 1) return undefined;
  const { kind, scope, contextLength } = failure;
  const tokens = kind === 'context_too_long' && scope === 'model' ? needs.tokens?.() : undefined;
  if (tokens?.maxTokens === undefined) return needs.size;
  const { prompt, maxTokens } = tokens;
  const ctx = contextLength ?? target?.model.ctx;
  const mayFit = ctx === undefined ? maxTokens > prompt : prompt < ctx && cautious(prompt) + maxTokens > ctx;
  return mayFit ? undefined : needs.size;
}

function failureOf(error: unknown, answered: boolean): Failure {
  return error instanceof BadAnswer ? error.failure : networkFailure(error, answered);
}

/** The tokens to count against limits. Providers report 0 for what they leave out. */
export function tokensOf({ promptTokens, totalTokens, cachedTokens }: TokenUsage): TokensUsed {
  return {
    ...(cachedTokens !== undefined && { cached: cachedTokens }),
    input: promptTokens > 0 ? promptTokens : undefined,
    total: totalTokens > 0 ? totalTokens : undefined,
  };
}

/** The outcome of an attempt that ran to its end. Other attempts threw, or their consumer left. */
export type AttemptResult = Exclude<Outcome, { kind: 'aborted' }>;

type Success<Answer> = Extract<Outcome, { kind: 'success' }> & { readonly answer: Answer };
type Failed = Extract<Outcome, { kind: 'failure' }>;

/** One request, from its sending to the end of its answer. */
class Attempt<Request> {
  readonly timer: AttemptTimer;
  /** Whether a part of the answer was passed on. */
  begun = false;
  /** Whether the head of an answer has arrived. */
  answered = false;
  readonly #ports: AttemptPorts;
  readonly #call: Call<Request>;
  readonly #operation: Operation<Request>;
  readonly #plan: AttemptPlan;
  readonly #progress: AttemptProgress;
  readonly #request: HttpRequest;
  readonly #budget: AttemptBudget;

  constructor(
    ports: AttemptPorts,
    call: Call<Request>,
    operation: Operation<Request>,
    plan: AttemptPlan,
    progress: AttemptProgress,
  ) {
    this.#ports = ports;
    this.#call = call;
    this.#operation = operation;
    this.#plan = plan;
    this.#progress = progress;
    this.#request = operation.encode(call.request, plan);
    this.#budget = attemptBudget(call, progress.startedMs, plan.alternatives);
    this.timer = new AttemptTimer(ports.clock, this.#budget, call.signal, progress.startedMs);
  }

  send(): Promise<HttpResponse> {
    return this.#ports.transport.send(this.#request, this.timer);
  }

  context(): DecodeContext<Request> {
    return {
      plan: this.#plan,
      request: this.#call.request,
      timer: this.timer,
      onUsage: (usage) => {
        this.#progress.usage = usage;
      },
    };
  }

  success<Answer>(response: HttpResponse, answer: Answer): Success<Answer> {
    const { usage, startedMs } = this.#progress;
    return {
      kind: 'success',
      latencyMs: this.#ports.clock.monotonicMs() - startedMs,
      tokens: usage && tokensOf(usage),
      reported: this.#operation.observe(response, this.#plan.target),
      answer,
    };
  }

  /** Judges an answer with another status than 200. */
  async refused(response: HttpResponse): Promise<Failed> {
    const failure = await this.#operation.classify(response, this.#plan.target);
    if (this.timer.callerLeft) throw this.#call.signal?.reason;
    return this.#failed(failure);
  }

  /** Judges a thrown error. @throws the error itself if it shows no failure of the route. */
  thrown(error: unknown): Failed {
    if (this.timer.callerLeft) throw this.#call.signal?.reason;
    // The pool was closed, which says nothing about the provider.
    if (FreeLLMError.is(error)) throw error;
    if (this.timer.timedOut) return this.#failed(timeoutFailure(this.timer, this.#budget, this.begun));
    return this.#failed(failureOf(error, this.answered));
  }

  #failed(failure: Failure): Failed {
    return {
      kind: 'failure',
      // The redaction must come before the cut: it would not recognise half a key.
      failure: { ...failure, message: this.#ports.redact(failure.message).slice(0, MAX_MESSAGE_LENGTH) },
      size: refusedSize(this.#call, failure),
    };
  }
}

/**
 * Carries out one attempt whose answer comes whole.
 * @throws the caller's reason if the caller aborted, and a `closed` error if the pool was closed.
 */
export async function attemptWhole<Request, Answer>(
  ports: AttemptPorts,
  call: Call<Request>,
  operation: WholeOperation<Request, Answer>,
  plan: AttemptPlan,
  progress: AttemptProgress,
): Promise<Failed | Success<Answer>> {
  const attempt = new Attempt(ports, call, operation, plan, progress);
  try {
    const response = await attempt.send();
    attempt.answered = true;
    if (response.status !== 200) return await attempt.refused(response);
    const answer = await operation.read(response, attempt.context());
    call.hasDelivered = true;
    return attempt.success(response, answer);
  } catch (error) {
    return attempt.thrown(error);
  } finally {
    attempt.timer.end();
  }
}

/**
 * Carries out one attempt and yields the parts of the answer.
 * @throws the same errors as `attemptWhole`.
 */
export async function* attemptStream<Request, Part>(
  ports: AttemptPorts,
  call: Call<Request>,
  operation: StreamOperation<Request, Part>,
  plan: AttemptPlan,
  progress: AttemptProgress,
): AsyncGenerator<Part, AttemptResult> {
  const attempt = new Attempt(ports, call, operation, plan, progress);
  const { timer } = attempt;
  try {
    const response = await attempt.send();
    attempt.answered = true;
    if (response.status !== 200) return await attempt.refused(response);
    for await (const part of operation.decode(response, attempt.context())) {
      attempt.begun = true;
      call.hasDelivered ||= operation.isAnswer(part);
      // From the first part on, only a timeout that the caller asked for bounds a stream.
      if (call.stream !== undefined) call.deadline = call.stream.totalDeadline;
      // freelm reads nothing while the consumer is busy, so this time does not count against the provider.
      timer.pause();
      yield part;
      const pause = ports.clock.yieldIfBusy?.();
      if (pause !== undefined) await pause;
      timer.resume();
    }
    return attempt.success(response, undefined);
  } catch (error) {
    return attempt.thrown(error);
  } finally {
    timer.end();
  }
}

/** A timeout of at least this many milliseconds counts against the provider, even if the caller shortened it. */
const FAIR_MS = 5000;

/** The time that one attempt gets. */
interface AttemptBudget extends Timeouts {
  /** Whether a timeout counts against the provider. */
  readonly fair: boolean;
}

/** The longest time in ms that an attempt can take. It may be infinite if only the gaps of a stream have limits. */
export function longestAttemptMs(call: Call<unknown>, nowMs: number): number {
  if (call.stream !== undefined) return call.stream.totalDeadline - nowMs;
  return Math.min(call.attemptTimeoutMs, Math.max(0, call.deadline - nowMs));
}

/**
 * One attempt gets at most `attemptTimeoutMs`, or `firstPartTimeoutMs` for the first part of a stream. While another
 * provider could serve the call, it gets at most half of the time left, so that one hanging provider cannot use it up.
 */
function attemptBudget(call: Call<unknown>, startedMs: number, alternatives: boolean): AttemptBudget {
  const leftMs = call.deadline - startedMs;
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
