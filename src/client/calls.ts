/** Begins calls: what is asked, over which routes, within which limits. */

import type { RequestNeeds } from '../core/routing/question.ts';
import type { Stage } from '../core/pool.ts';
import type { Call } from '../engine/call.ts';
import { AccountStates } from './account-states.ts';
import type { Pool } from './pool.ts';
import { DEFAULT_LIMITS, DEFAULT_TIMEOUT_MS, type Limits, withLimits } from './limits.ts';
import type { CallLimits, FreeLLMOptions } from './options.ts';
import { routesOf } from '../core/report/explain.ts';
import { type Engine, failover } from '../engine/failover.ts';
import { WaitQueues } from '../engine/wait-queue.ts';
import type { StreamRoute } from './chat-stream.ts';
import { brokenError, giveUpError, requestError } from './call-errors.ts';
import { questionOf } from './introspection.ts';
import type { Operation } from '../engine/operation.ts';
import { FreeLLMError } from '../errors.ts';
import type { EndEvent } from './events.ts';

/** A first call waits for a provider's list of models no longer than this: a stale list only costs an attempt. */
const DISCOVERY_WAIT_MS = 3000;

/** What a call may say beside its request. */
export interface CallOptions extends CallLimits {
  readonly model?: string | readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is asked. */
export interface Asking<Request> {
  readonly request: Request;
  readonly needs: RequestNeeds;
  readonly streams: boolean;
}

export class Calls {
  readonly #pool: Pool;
  readonly #limits: Limits;
  readonly #model: FreeLLMOptions['model'];
  readonly #checkOpen: () => void;
  readonly #accounts: AccountStates;
  #count = 0;

  constructor(pool: Pool, options: FreeLLMOptions, checkOpen: () => void) {
    this.#pool = pool;
    this.#accounts = new AccountStates(pool);
    this.#limits = withLimits(DEFAULT_LIMITS, options);
    this.#model = options.model;
    this.#checkOpen = checkOpen;
  }

  /** How many calls have begun. */
  get count(): number {
    return this.#count;
  }

  /** The models that a call asks for, in the order of the chain. */
  modelsOf(model: CallOptions['model']): readonly string[] {
    const names = model ?? this.#model ?? 'auto';
    return typeof names === 'string' ? [names] : names;
  }

  /** Begins a call; rejects with the signal's reason when it is aborted meanwhile. */
  async begin<Request>(asking: Asking<Request>, options: CallOptions): Promise<Call<Request>> {
    const startedAt = this.#pool.clock.now();
    this.#accounts.refresh();
    const limits = withLimits(this.#limits, options);
    const timeoutMs = limits.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const models = this.modelsOf(options.model);
    const { capabilities } = asking.needs;
    const stages = await this.#stages(models, capabilities, { signal: options.signal, timeoutMs });
    const turn = this.#count;
    this.#count += 1;
    const totalDeadline = limits.timeoutMs === undefined ? Number.POSITIVE_INFINITY : startedAt + timeoutMs;
    const { firstPartTimeoutMs, idleTimeoutMs } = limits;
    return {
      id: turn + 1,
      request: asking.request,
      needs: asking.needs,
      stages,
      preferences: this.#pool.choice(turn),
      queueKey: [...models, ...capabilities].join(' '),
      startedAt,
      timeoutMs,
      deadline: startedAt + timeoutMs,
      stream: asking.streams ? { firstPartTimeoutMs, idleTimeoutMs, totalDeadline } : undefined,
      attemptTimeoutMs: limits.attemptTimeoutMs,
      maxAttempts: limits.maxAttempts,
      maxWaitMs: limits.wait ? limits.maxWaitMs : 0,
      signal: options.signal,
      failedAttempts: [],
      attempts: [],
      again: undefined,
      waitedMs: 0,
    };
  }

  /** The routes for some models; the lists of models are looked for beside the call and never hold it up for long. */
  async #stages(
    models: readonly string[],
    capabilities: readonly string[],
    call: { signal: AbortSignal | undefined; timeoutMs: number },
  ): Promise<readonly Stage[]> {
    const { registry, providers } = this.#pool;
    this.#pool.refusePaid(models);
    const maxMs = Math.min(DISCOVERY_WAIT_MS, call.timeoutMs / 4);
    const known = models.every((model) => this.#pool.lists(model));
    const lists = registry.ensure([...providers.keys()], call.signal, known ? 0 : maxMs);
    if (lists !== undefined) {
      await lists;
      call.signal?.throwIfAborted();
      this.#checkOpen();
    }
    return this.#pool.stages(models, capabilities);
  }
}

/** Who serves each stream now: until a stream has ended, its attempts do not tell. */
export type Serving = WeakMap<Call<unknown>, StreamRoute>;

export function makeEngine(pool: Pool, serving: Serving): Engine {
  const { ledger, clock, transport, redact, emit } = pool;
  return {
    clock,
    transport,
    redact,
    timers: new Set(),
    ledger,
    queues: new WaitQueues(ledger, clock, (call, until) => {
      emit({ type: 'wait', call: call.id, until, at: clock.now() });
    }),
    maskOf: ({ route }) => pool.maskOf(route.provider, route.keyId),
    listener: {
      started: (call, { route }) => {
        const { provider, account, model, keyId } = route;
        if (call.stream !== undefined) {
          serving.set(call, { provider, model, attempts: call.attempts.length + 1 });
        }
        if (!pool.listeners.any) return;
        const key = pool.maskOf(provider, keyId);
        emit({ type: 'attempt', call: call.id, provider, key, account, model, at: clock.now() });
      },
      ended: (call, report) => {
        if (!pool.listeners.any) return;
        emit({ ...report, type: report.outcome === 'success' ? 'success' : 'failure', call: call.id });
        if (report.outcome !== 'unauthorized') return;
        const message = `${report.provider} refused the key ${report.key} as invalid: ${report.message ?? ''}`;
        emit({ type: 'warning', message });
      },
    },
    gaveUp: (call, ending) =>
      giveUpError({
        call,
        ending,
        routes: routesOf(questionOf(pool, call.stages, call.needs, call.preferences.turn)),
        models: [call.queueKey],
        now: clock.now(),
        maskOf: ({ provider, keyId }) => pool.maskOf(provider, keyId),
      }),
    broken: brokenError,
    thrown: requestError,
  };
}

type End = Pick<EndEvent, 'outcome' | 'code' | 'message'>;

function endOf(error: unknown, call: Call<unknown>): End {
  if (FreeLLMError.is(error)) return { outcome: 'failed', code: error.code, message: error.message };
  return { outcome: call.signal?.aborted === true ? 'abandoned' : 'failed' };
}

async function* told<Part>(
  pool: Pool,
  call: Call<unknown>,
  parts: AsyncIterable<Part>,
): AsyncGenerator<Part, void> {
  // What it stays if the consumer walks away.
  let end: End = { outcome: 'abandoned' };
  try {
    yield* parts;
    end = { outcome: 'served' };
  } catch (error) {
    end = endOf(error, call);
    throw error;
  } finally {
    pool.emit({ type: 'end', call: call.id, ...end, startedAt: call.startedAt, at: pool.clock.now() });
  }
}

/** The parts of a call's answer as they come. */
export function run<Request, Part>(
  pool: Pool,
  engine: Engine,
  call: Call<Request>,
  operation: Operation<Request, Part>,
): AsyncGenerator<Part, void> {
  const parts = failover(engine, call, operation);
  return pool.listeners.any ? told(pool, call, parts) : parts;
}
