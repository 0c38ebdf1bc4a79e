import { entryOf } from '../core/json.ts';
import type { RequestNeeds } from '../core/routing/question.ts';
import { type OperationName, OPERATIONS } from '../core/operations.ts';
import type { Route, Stage } from '../core/pool.ts';
import { type Call, renew } from '../engine/call.ts';
import { answer, type Engine, stream } from '../engine/failover.ts';
import type { StreamOperation, WholeOperation } from '../engine/operation.ts';
import { andThen, type Maybe } from '../engine/stored-records.ts';
import { WaitQueues } from '../engine/wait-queues.ts';
import { FreeLLMError, ModelNotFoundError } from '../errors.ts';
import { AccountStates } from './account-states.ts';
import { namesIn, observerOf } from './attempt-events.ts';
import { callErrors } from './call-errors.ts';
import type { CallEndEvent } from './events.ts';
import { DEFAULT_LIMITS, DEFAULT_TIMEOUT_MS, type Limits, withLimits } from './limits.ts';
import type { CallLimits, FreeLLMOptions, PrivacyOption } from './options.ts';
import type { Pool } from './pool.ts';

/** The longest that a first call waits for a provider's list of models. A stale list costs no more than an attempt. */
const DISCOVERY_WAIT_MS = 3000;

/** The options of a call besides its request. */
export interface CallOptions extends CallLimits, PrivacyOption {
  readonly model?: string | readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where a call can be served. */
export interface Place {
  /** The requested models, as error messages show them. Calls with the same name wait in one queue. */
  readonly name: string;
  readonly stages: readonly Stage[];
}

/** What a call asks for. */
export interface CallRequest<Request> {
  readonly operation: OperationName;
  readonly request: Request;
  /** Finds the place. Default: by the models that the options name. */
  readonly find?: (() => Place) | undefined;
  readonly needs: RequestNeeds;
  readonly turn?: Turn | undefined;
}

/** What connects the calls of one conversation. */
export interface Turn {
  /** The route that served the last one. It comes first while it is ready. */
  readonly previousRoute: Route | undefined;
  /** Called with the route that served this call. */
  readonly onServed?: ((route: Route) => void) | undefined;
  /** The name that a client asked for, before a chain took its place. */
  readonly asked?: string | undefined;
}

const NO_TURN: Turn = { previousRoute: undefined };

/** The latest call's number. Counted for the whole process, since all pools share the diagnostics channels. */
let lastCallId = 0;

type CallEnd = Pick<CallEndEvent, 'outcome' | 'provider' | 'model' | 'code' | 'message'>;

function endOf(error: unknown, signal: AbortSignal | undefined): CallEnd {
  // Closing the pool aborts its streams, but it is no abort by the caller.
  const isClosed = FreeLLMError.is(error) && error.code === 'closed';
  if (!isClosed && signal?.aborted === true && error === signal.reason) return { outcome: 'aborted' };
  if (!FreeLLMError.is(error)) return { outcome: 'failure' };
  return { outcome: 'failure', code: error.code, message: error.message };
}

/** Begins and runs the calls of a pool, and emits their events. */
export class Calls {
  readonly #pool: Pool;
  readonly #engine: Engine;
  readonly #limits: Limits;
  readonly #model: FreeLLMOptions['model'];
  readonly #modelMap: FreeLLMOptions['modelMap'];
  readonly #checkOpen: () => void;
  readonly #accounts: AccountStates;
  #count = 0;

  constructor(pool: Pool, options: FreeLLMOptions, checkOpen: () => void) {
    const { clock, transport, redact, ledger, emit } = pool;
    const namesOf = namesIn(pool);
    this.#pool = pool;
    this.#engine = {
      clock,
      transport,
      redact,
      ledger,
      queues: new WaitQueues(ledger, clock, (call, until) => {
        emit({ type: 'wait', call: call.id, until, at: clock.now() });
      }),
      observer: observerOf(pool, namesOf),
      errors: callErrors(pool),
      namesOf,
    };
    this.#accounts = new AccountStates(pool);
    this.#limits = withLimits(DEFAULT_LIMITS, options);
    this.#model = options.model;
    this.#modelMap = options.modelMap;
    this.#checkOpen = checkOpen;
  }

  /** How many calls have been given routes. */
  get count(): number {
    return this.#count;
  }

  /** The models that a call asks for, in the order of the chain. The user's own names are replaced. */
  // spec 9.10
  modelsOf(model: CallOptions['model']): readonly string[] {
    const names = model ?? this.#model ?? 'auto';
    const asked = typeof names === 'string' ? [names] : names;
    const map = this.#modelMap;
    return map === undefined ? asked : asked.flatMap((name) => entryOf(map, name) ?? name);
  }

  /** Begins a call. Throws, or rejects, with the signal's reason if it is aborted meanwhile. */
  begin<Request>(asked: CallRequest<Request>, options: CallOptions): Maybe<Call<Request>> {
    const { clock, events } = this.#pool;
    const startedAt = clock.now();
    const startedMs = clock.monotonicMs();
    lastCallId += 1;
    const id = lastCallId;
    if (events.isObserved) this.#emitStart(id, asked, options, startedAt);
    const failed = (error: unknown): never => {
      this.#emitEnd({ id, startedAt, attemptCount: 0, usage: undefined }, endOf(error, options.signal));
      throw error;
    };
    try {
      // Checking and writing a long request has just taken a while.
      const place = andThen(clock.yieldIfBusy?.(), () => {
        this.#accounts.refresh(startedMs);
        return this.#find(asked, options);
      });
      const started = { id, startedAt, startedMs };
      const call = andThen(place, (found) => this.#prepare(asked, options, started, found));
      return call instanceof Promise ? call.catch(failed) : call;
    } catch (error) {
      return failed(error);
    }
  }

  /** Runs a call to its answer. */
  answer<Request, Answer>(call: Call<Request>, operation: WholeOperation<Request, Answer>): Promise<Answer> {
    const answering = answer(this.#engine, call, operation);
    return this.#pool.events.isObserved ? this.#watched(call, answering) : answering;
  }

  /** Runs a call and yields the parts of its answer. */
  stream<Request, Part>(
    call: Call<Request>,
    operation: StreamOperation<Request, Part>,
  ): AsyncGenerator<Part, void> {
    const parts = stream(this.#engine, call, operation);
    return this.#pool.events.isObserved ? this.#observed(call, parts) : parts;
  }

  /**
   * Runs a call that consists of several requests, one after the other.
   * @param split - The requests to send in place of one that failed; undefined if there are none.
   */
  answers<Request, Answer>(
    call: Call<Request>,
    requests: readonly Request[],
    operation: WholeOperation<Request, Answer>,
    split: (request: Request, error: unknown) => readonly Request[] | undefined,
  ): Promise<readonly Answer[]> {
    const answering = this.#each(call, requests, operation, split);
    return this.#pool.events.isObserved ? this.#watched(call, answering) : answering;
  }

  async #each<Request, Answer>(
    call: Call<Request>,
    requests: readonly Request[],
    operation: WholeOperation<Request, Answer>,
    split: (request: Request, error: unknown) => readonly Request[] | undefined,
  ): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    const left = requests.toReversed();
    for (let request = left.pop(); request !== undefined; request = left.pop()) {
      renew(call, {
        request,
        needs: operation.needs(request),
        preferences: this.#pool.choice(this.#nextTurn()),
      });
      try {
        answers.push(await answer(this.#engine, call, operation));
      } catch (error) {
        const pieces = split(request, error);
        if (pieces === undefined) throw error;
        left.push(...pieces.toReversed());
      }
    }
    return answers;
  }

  #nextTurn(): number {
    const turn = this.#count;
    this.#count += 1;
    return turn;
  }

  /** Reports the end of a call. */
  async #watched<Answer>(call: Call<unknown>, answering: Promise<Answer>): Promise<Answer> {
    try {
      const found = await answering;
      this.#emitEnd(call, this.#successOf(call));
      return found;
    } catch (error) {
      this.#emitEnd(call, endOf(error, call.signal));
      throw error;
    }
  }

  #successOf({ target }: Call<unknown>): CallEnd {
    const names = target && this.#engine.namesOf(target);
    return { outcome: 'success', provider: names?.provider, model: names?.model };
  }

  /** Must be called when records have changed outside of a call. */
  wake(): void {
    this.#engine.queues.wake();
  }

  /** Rejects the calls that wait, and all that come later. */
  close(reason: unknown): void {
    this.#engine.queues.close(reason);
  }

  async *#observed<Part>(call: Call<unknown>, parts: AsyncIterable<Part>): AsyncGenerator<Part, void> {
    // The outcome stays `aborted` if the consumer stops reading.
    let end: CallEnd = { outcome: 'aborted' };
    try {
      yield* parts;
      end = this.#successOf(call);
    } catch (error) {
      end = endOf(error, call.signal);
      throw error;
    } finally {
      this.#emitEnd(call, end);
    }
  }

  #emitStart(
    id: number,
    { operation, turn = NO_TURN }: Pick<CallRequest<unknown>, 'operation' | 'turn'>,
    options: CallOptions,
    at: number,
  ): void {
    const { emit, redact } = this.#pool;
    const asked = turn.asked ?? options.model ?? this.#model;
    // A key may have been passed for a model's name by mistake.
    const model = typeof asked === 'string' ? redact(asked) : asked?.map((name) => redact(name));
    const names = typeof model === 'string' ? [model] : (model ?? ['auto']);
    const meant = this.modelsOf(options.model).map((name) => redact(name));
    const isMapped = meant.length !== names.length || meant.some((name, index) => name !== names[index]);
    const { previousRoute: last } = turn;
    const lastRoute = last && { provider: last.provider, model: redact(last.model) };
    const mapped = isMapped ? { chain: meant } : {};
    const stays = lastRoute === undefined ? {} : { lastRoute };
    emit({ type: 'call-start', call: id, operation, model, ...mapped, ...stays, at });
  }

  #emitEnd(call: Pick<Call<unknown>, 'id' | 'attemptCount' | 'usage' | 'startedAt'>, end: CallEnd): void {
    const { clock, events, emit } = this.#pool;
    if (!events.isObserved) return;
    const { id, attemptCount, usage, startedAt } = call;
    emit({ type: 'call-end', call: id, ...end, attempts: attemptCount, usage, startedAt, at: clock.now() });
  }

  #find({ needs, find }: CallRequest<unknown>, options: CallOptions): Maybe<Place> {
    const timeoutMs = options.timeoutMs ?? this.#limits.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    return find === undefined
      ? this.#placeOf(needs.capabilities, options, timeoutMs)
      : this.#found(find, options.signal, timeoutMs);
  }

  #prepare<Request>(
    { operation, request, needs, turn: { previousRoute, onServed } = NO_TURN }: CallRequest<Request>,
    options: CallOptions,
    { id, startedAt, startedMs }: Pick<Call<Request>, 'id' | 'startedAt' | 'startedMs'>,
    { name, stages }: Place,
  ): Call<Request> {
    const limits = withLimits(this.#limits, options);
    const { firstPartTimeoutMs, idleTimeoutMs, timeoutMs = DEFAULT_TIMEOUT_MS } = limits;
    const { signal } = options;
    const turn = this.#nextTurn();
    const totalDeadline = limits.timeoutMs === undefined ? Number.POSITIVE_INFINITY : startedMs + timeoutMs;
    return {
      id,
      request,
      needs,
      stages,
      preferences: this.#pool.choice(turn, previousRoute),
      queueKey: options.privacy === undefined ? name : `${name} ${options.privacy}`,
      startedAt,
      startedMs,
      timeoutMs,
      deadline: startedMs + timeoutMs,
      stream: OPERATIONS[operation].streams
        ? { firstPartTimeoutMs, idleTimeoutMs, totalDeadline }
        : undefined,
      attemptTimeoutMs: limits.attemptTimeoutMs,
      maxAttempts: limits.maxAttempts,
      maxWaitMs: limits.wait ? limits.maxWaitMs : 0,
      signal,
      onServed,
      failedAttempts: [],
      attempts: [],
      attemptCount: 0,
      target: undefined,
      usage: undefined,
      retryRoute: undefined,
      waitedMs: 0,
      hasDelivered: false,
    };
  }

  /** Calls `find`. If no model is found, waits for the model lists and calls it again. */
  async #found(find: () => Place, signal: AbortSignal | undefined, timeoutMs: number): Promise<Place> {
    try {
      const place = find();
      await this.#discover(signal, 0);
      return place;
    } catch (error) {
      if (!(error instanceof ModelNotFoundError)) throw error;
    }
    await this.#discover(signal, Math.min(DISCOVERY_WAIT_MS, timeoutMs / 4));
    return find();
  }

  /** Starts fetching the model lists that are due, and waits for them for a bounded time. */
  #discover(signal: AbortSignal | undefined, maxWaitMs: number): Maybe<void> {
    const { registry, providers } = this.#pool;
    const lists = registry.ensure(providers.keys(), signal, maxWaitMs);
    return lists === undefined ? undefined : this.#discovered(lists, signal);
  }

  async #discovered(lists: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    await lists;
    signal?.throwIfAborted();
    this.#checkOpen();
  }

  /** The routes of the models that a call names. Discovery runs beside the call and delays it by a bounded time. */
  #placeOf(
    capabilities: readonly string[],
    { model, signal, privacy }: CallOptions,
    timeoutMs: number,
  ): Maybe<Place> {
    const models = this.modelsOf(model);
    this.#pool.refusePaid(models);
    const maxMs = Math.min(DISCOVERY_WAIT_MS, timeoutMs / 4);
    const known = models.every((name) => this.#pool.lists(name));
    return andThen(this.#discover(signal, known ? 0 : maxMs), () => ({
      name: [...models, ...capabilities].join(' '),
      stages: this.#pool.stages(models, capabilities, privacy),
    }));
  }
}
