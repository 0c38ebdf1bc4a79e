/** The loop: decide on a route, attempt it, settle the result, until there is an answer or no route is left. */

import type { Failure } from '../core/failure.ts';
import type { Outcome } from '../core/ledger/settle.ts';
import { withOversize } from '../core/ledger/oversize.ts';
import { withRejection, withServing } from '../core/records/dislikes.ts';
import { excludedUntil, isFinal, judge } from '../core/routing/exclusion.ts';
import type { Target } from '../core/routing/question.ts';
import { type AttemptReport, ConfigError } from '../errors.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';
import { addUsage } from '../wire/response/stream-part.ts';
import {
  type AttemptPorts,
  type AttemptProgress,
  type AttemptResult,
  attemptStream,
  attemptWhole,
} from './attempt.ts';
import type { Call } from './call.ts';
import { instantOf, toMonotonic, toWall } from './instant.ts';
import { type GrantErrors, type GrantPorts, nextGrant, refund } from './grants.ts';
import type { ReservedAttempt } from './ledger.ts';
import type { AttemptPlan, Operation, StreamOperation, WholeOperation } from './operation.ts';
import { andThen, type Maybe } from './stored-records.ts';

/** The names of a target as people see them: none holds a key. */
export type ShownNames = Pick<AttemptReport, 'provider' | 'key' | 'account' | 'model'>;

/** Receives the start and the end of each attempt. `call.attemptCount` is the attempt's number. */
export interface AttemptObserver {
  started(call: Call<unknown>, target: Target): void;
  ended(call: Call<unknown>, report: AttemptReport, usage: TokenUsage | undefined): void;
}

/** Builds the errors that calls end with. */
export interface CallErrors extends GrantErrors {
  /** A stream broke and cannot be continued. */
  broken(call: Call<unknown>, failure: Failure): Error;
  /** The request itself is at fault: a provider named its mistake, or two models rejected it. */
  refused(call: Call<unknown>, failure: Failure): Error;
  /** The user's setup or this machine is at fault. */
  misconfigured(call: Call<unknown>, error: ConfigError): Error;
}

export interface Engine extends AttemptPorts, GrantPorts {
  readonly observer: AttemptObserver;
  readonly errors: CallErrors;
  namesOf(target: Target): ShownNames;
}

function reportOf(
  engine: Engine,
  target: Target,
  outcome: Outcome,
  { startedAt, startedMs }: AttemptProgress,
): AttemptReport {
  const { provider, key, account, model } = engine.namesOf(target);
  const latencyMs = outcome.kind === 'success' ? outcome.latencyMs : engine.clock.monotonicMs() - startedMs;
  if (outcome.kind !== 'failure')
    return { provider, key, account, model, outcome: outcome.kind, startedAt, latencyMs };
  const { kind, status, message, retryAt } = outcome.failure;
  return { provider, key, account, model, outcome: kind, status, message, startedAt, latencyMs, retryAt };
}

/** A reserved route, and the outcome of its attempt. */
interface Turn {
  readonly grant: ReservedAttempt;
  readonly progress: AttemptProgress;
  /** Stays `aborted` if the consumer stops reading or the caller aborts. */
  outcome: Outcome;
}

/** Reserves the next route for which the request can be written, and starts an attempt there. */
function begin<Request>(engine: Engine, call: Call<Request>, operation: Operation<Request>): Maybe<Turn> {
  return andThen(nextGrant(engine, call), (grant) => {
    const prepared = operation.prepare?.(call.request, grant, call);
    if (prepared === undefined) return startAttempt(engine, call, grant);
    return postpone(engine, call, operation, grant, prepared).then(() => begin(engine, call, operation));
  });
}

function startAttempt({ clock, observer }: Engine, call: Call<unknown>, grant: ReservedAttempt): Turn {
  call.attemptCount += 1;
  call.target = grant.target;
  observer.started(call, grant.target);
  const progress = { startedAt: clock.now(), startedMs: clock.monotonicMs(), usage: undefined };
  return { grant, progress, outcome: { kind: 'aborted', sent: call.signal?.aborted !== true } };
}

function take(turn: Turn, { needs }: Call<unknown>, result: AttemptResult): void {
  turn.outcome =
    result.kind === 'failure'
      ? { ...result, failure: withOversize(result.failure, turn.grant.reservation, needs) }
      : result;
}

/** The error that ends the call after an attempt has thrown. */
function thrownBy(engine: Engine, call: Call<unknown>, turn: Turn, error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  // spec 7.14
  turn.outcome = { kind: 'aborted', sent: false };
  return engine.errors.misconfigured(call, error);
}

/** Settles an attempt and reports it. Every started attempt is reported, even if the store fails. */
function end(engine: Engine, call: Call<unknown>, { grant, progress, outcome }: Turn): Maybe<void> {
  const { target, reservation } = grant;
  const { usage } = progress;
  const report = (): void => {
    engine.queues.wake();
    const attempt = reportOf(engine, target, outcome, progress);
    call.attempts.push(attempt);
    if (usage !== undefined) call.usage = addUsage(call.usage, usage);
    engine.observer.ended(call, attempt, usage);
  };
  let settled: Maybe<void>;
  try {
    settled = engine.ledger.settle(reservation, outcome, usage?.cost);
  } catch (error) {
    report();
    throw error;
  }
  if (settled instanceof Promise) return settled.finally(report);
  report();
}

/**
 * Notes a failure for later decisions. If the model refused something that the request can do without, the same route
 * is tried once more.
 * @throws what the call ends with if no other route can help.
 */
function afterFailure<Request>(
  engine: Engine,
  call: Call<Request>,
  operation: Operation<Request>,
  plan: AttemptPlan,
  failure: Failure,
): void {
  const { failedAttempts: earlier, needs } = call;
  const { route, model } = plan.target;
  const canChange = (): boolean => operation.canDoWithout(call.request, failure, plan);
  const { mayRetry, isOpinion } = judge(earlier, failure, needs, canChange);
  const entry = { route, failure, ctx: model.ctx, plain: plan.plain, isOpinion };
  if (isFinal(earlier, entry)) throw engine.errors.refused(call, failure);
  if (!operation.resumable(call.request)) throw engine.errors.broken(call, failure);
  if (failure.kind === 'rejected') call.rejectedBy = plan;
  const instant = instantOf(engine.clock);
  const bounds = { waits: call.maxWaitMs > 0, deadline: toWall(instant, call.deadline) };
  const until = mayRetry ? 0 : excludedUntil(earlier, entry, bounds, instant.now);
  call.retryRoute = mayRetry ? route : undefined;
  earlier.push({ ...entry, excludedUntil: toMonotonic(instant, until) });
}

/**
 * Notes what a served call shows about the dislikes of models. If a model rejected the request, that model is at fault,
 * not the request. The model that served it accepts its content. spec 8.5
 */
async function noteDislikes({ ledger }: Engine, call: Call<unknown>, grant: ReservedAttempt): Promise<void> {
  const { rejectedBy, needs } = call;
  const { features } = needs;
  if (features === undefined) return;
  if (rejectedBy !== undefined) {
    const { target, plain } = rejectedBy;
    await ledger.noteModel(target, (known, now) => withRejection(known, features(plain), plain, now));
  }
  if (hasDislikes(grant))
    await ledger.noteModel(grant.target, (known) => withServing(known, features(grant.plain)));
}

function hasDislikes({ known }: ReservedAttempt): boolean {
  return known.dislikes !== undefined && known.dislikes.length > 0;
}

/**
 * Completes a request that cannot be written for a route yet. That takes time, so the reservation is refunded first.
 */
async function postpone<Request>(
  engine: Engine,
  call: Call<Request>,
  operation: Operation<Request>,
  grant: ReservedAttempt,
  prepared: Promise<Failure | undefined>,
): Promise<void> {
  await refund(engine, grant);
  const failure = await prepared;
  if (failure === undefined) call.retryRoute = grant.target.route;
  else afterFailure(engine, call, operation, grant, failure);
}

/** Applies the outcome of an attempt to the call. Returns whether the call was served. */
function conclude<Request>(
  engine: Engine,
  call: Call<Request>,
  operation: Operation<Request>,
  { grant, outcome }: Turn,
): Maybe<boolean> {
  if (outcome.kind === 'failure') {
    afterFailure(engine, call, operation, grant, outcome.failure);
    return false;
  }
  if (call.rejectedBy === undefined && !hasDislikes(grant)) return true;
  return noteDislikes(engine, call, grant).then(() => true);
}

/** Runs a call whose answer comes whole. */
export async function answer<Request, Answer>(
  engine: Engine,
  call: Call<Request>,
  operation: WholeOperation<Request, Answer>,
): Promise<Answer> {
  for (;;) {
    const begun = begin(engine, call, operation);
    const turn = begun instanceof Promise ? await begun : begun;
    let found: { readonly answer: Answer } | undefined;
    try {
      const result = await attemptWhole(engine, call, operation, turn.grant, turn.progress);
      take(turn, call, result);
      if (result.kind === 'success') found = result;
    } catch (error) {
      throw thrownBy(engine, call, turn, error);
    } finally {
      const ended = end(engine, call, turn);
      if (ended !== undefined) await ended;
    }
    const concluded = conclude(engine, call, operation, turn);
    if (concluded instanceof Promise) await concluded;
    if (found !== undefined) return found.answer;
  }
}

/** Runs a call to its end and yields the parts of its answer. */
export async function* stream<Request, Part>(
  engine: Engine,
  call: Call<Request>,
  operation: StreamOperation<Request, Part>,
): AsyncGenerator<Part, void> {
  for (;;) {
    const turn = await begin(engine, call, operation);
    try {
      take(turn, call, yield* attemptStream(engine, call, operation, turn.grant, turn.progress));
    } catch (error) {
      throw thrownBy(engine, call, turn, error);
    } finally {
      await end(engine, call, turn);
    }
    if (await conclude(engine, call, operation, turn)) return;
  }
}
