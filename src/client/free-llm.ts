/** One LLM call that is always up, over a pool of free-tier keys. */

import type { ModelSpec } from '../core/model-spec.ts';
import type { Stage } from '../core/pool.ts';
import type { Call } from '../engine/call.ts';
import { type Engine, failover } from '../engine/failover.ts';
import { Lines } from '../engine/lines.ts';
import { BadRequestError } from '../errors.ts';
import { closedError } from '../transports/closed-error.ts';
import { type ChatBody, chatBody } from '../wire/chat-request.ts';
import type { ChatCompletion } from '../wire/chat-response.ts';
import { compose, type Pool, type Ports } from './compose.ts';
import { type Environment, providersFromEnv } from './from-env.ts';
import { giveUpError, requestError } from './give-up.ts';
import {
  type Capacity,
  capacity,
  type ExplainRow,
  explainRows,
  health,
  type HealthRow,
  routesOf,
} from './introspection.ts';
import {
  type CallLimits,
  type ChatInput,
  type ChatOptions,
  checkCallOptions,
  checkPoolOptions,
  checkSize,
  type FreeLLMOptions,
  readMessages,
  wireFields,
} from './options.ts';
import { type ChatResponse, toResponse } from './response.ts';

/** The limits of a call, all of them decided. */
type Limits = { readonly [Name in keyof CallLimits]-?: NonNullable<CallLimits[Name]> };

const DEFAULTS: Limits = {
  timeoutMs: 60_000,
  attemptTimeoutMs: 30_000,
  maxAttempts: 12,
  wait: false,
  maxWaitMs: 20_000,
};

/** A first call waits for a provider's list of models no longer than this: a stale list only costs an attempt. */
const DISCOVERY_WAIT_MS = 3000;

/** A model with the provider that offers it. */
export interface ListedModel extends ModelSpec {
  readonly provider: string;
}

/**
 * A pool of providers and keys behind one call.
 *
 * @example
 * ```ts
 * const llm = FreeLLM.fromEnv();
 * console.log(await llm.text('Explain black holes in one sentence.'));
 * ```
 */
export class FreeLLM {
  readonly #options: FreeLLMOptions;
  readonly #pool: Pool;
  readonly #engine: Engine;
  readonly #limits: Limits;
  #calls = 0;
  #closed = false;

  /** @throws ConfigError naming the option that is not usable. */
  constructor(options: FreeLLMOptions, replaced?: Partial<Ports>) {
    checkPoolOptions(options);
    this.#options = options;
    this.#limits = withLimits(DEFAULTS, options);
    this.#pool = compose(options, replaced);
    this.#engine = this.#makeEngine();
  }

  /**
   * A pool of the keys that are in the environment; the README's table names the variables.
   * @param options - Everything but the providers.
   * @param env - Default `process.env`.
   * @throws ConfigError naming every variable when there is no key.
   */
  static fromEnv(options: Omit<FreeLLMOptions, 'providers'> = {}, env: Environment = process.env): FreeLLM {
    return new FreeLLM({ ...options, providers: providersFromEnv(env) }, { env });
  }

  #makeEngine(): Engine {
    const pool = this.#pool;
    const { turns, clock, transport, redact, emit } = pool;
    const lines = new Lines(turns, clock, (call, until) => {
      emit({ type: 'wait', call: call.id, until });
    });
    return {
      clock,
      transport,
      redact,
      turns,
      lines,
      maskOf: ({ route }) => pool.maskOf(route.provider, route.keyId),
      listener: {
        started: (call, { route: { provider, account, model, keyId } }) => {
          if (!pool.listening) return;
          emit({
            type: 'attempt',
            call: call.id,
            provider,
            key: pool.maskOf(provider, keyId),
            account,
            model,
            at: clock.now(),
          });
        },
        ended: (call, report) => {
          if (!pool.listening) return;
          emit({ ...report, type: report.outcome === 'success' ? 'success' : 'failure', call: call.id });
          if (report.outcome !== 'unauthorized') return;
          emit({
            type: 'warning',
            message: `${report.provider} refused the key ${report.key} as invalid: ${report.message ?? ''}`,
          });
        },
      },
      gaveUp: (call, ending) =>
        giveUpError({
          call,
          ending,
          routes: routesOf(pool, call.stages, call.needs, call.choice.turn),
          models: [call.line],
          now: clock.now(),
          maskOf: ({ provider, keyId }) => pool.maskOf(provider, keyId),
        }),
      thrown: requestError,
    };
  }

  /** The models that a call asks for, in the order of the chain. */
  #modelsOf(model: ChatOptions['model']): readonly string[] {
    const names = model ?? this.#options.model ?? 'auto';
    return typeof names === 'string' ? [names] : names;
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

  async #begin(body: ChatBody, options: ChatOptions): Promise<Call<ChatBody>> {
    const startedAt = this.#pool.clock.now();
    const limits = withLimits(this.#limits, options);
    const models = this.#modelsOf(options.model);
    const needs = this.#pool.chat.needs(body);
    const { capabilities } = needs;
    const stages = await this.#stages(models, capabilities, {
      signal: options.signal,
      timeoutMs: limits.timeoutMs,
    });
    this.#calls += 1;
    return {
      id: this.#calls,
      request: body,
      needs,
      stages,
      choice: this.#pool.choice(this.#calls - 1),
      line: [...models, ...capabilities].join(' '),
      startedAt,
      timeoutMs: limits.timeoutMs,
      deadline: startedAt + limits.timeoutMs,
      attemptTimeoutMs: limits.attemptTimeoutMs,
      maxAttempts: limits.maxAttempts,
      maxWaitMs: limits.wait ? limits.maxWaitMs : 0,
      signal: options.signal,
      tries: [],
      attempts: [],
      again: undefined,
      waitedMs: 0,
    };
  }

  /**
   * Asks for one whole answer; goes from key to key, model to model, provider to provider until there is one.
   * @throws ConfigError, BadRequestError when the request itself is at fault.
   * @throws ContentBlockedError when every provider refused the content.
   * @throws NoProvidersAvailableError when no route could serve it; says when the next one is ready.
   * @throws DeadlineError when `timeoutMs` ran out, and the signal's own reason when it was aborted.
   */
  async chat(input: ChatInput, options: ChatOptions = {}): Promise<ChatResponse> {
    const body = this.#prepare(input, options);
    const call = await this.#begin(body, options);
    let completion: ChatCompletion | undefined;
    for await (const part of failover(this.#engine, call, this.#pool.chat)) completion = part;
    if (completion === undefined) throw new Error('the loop ended without an answer');
    return toResponse(call, completion, this.#pool.clock.now());
  }

  #prepare(input: ChatInput, options: ChatOptions): ChatBody {
    checkCallOptions(options);
    const messages = readMessages(input);
    this.#checkOpen();
    options.signal?.throwIfAborted();
    let body: ChatBody;
    try {
      body = chatBody({ messages, fields: wireFields(options) });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new BadRequestError({
        message: `The messages or options cannot be written as JSON: ${problem.split('\n')[0] ?? ''}`,
      });
    }
    checkSize(messages, body.size);
    return body;
  }

  /** The text of {@link FreeLLM.chat}'s answer. */
  async text(input: ChatInput, options: ChatOptions = {}): Promise<string> {
    const { text } = await this.chat(input, options);
    return text;
  }

  /** A row for every key: is it ready, why not, from when, and how much of its quota is used. */
  health(): readonly HealthRow[] {
    return health(this.#pool);
  }

  /** How many requests are left now and today, by quota, and when the next one frees. */
  capacity(): Capacity {
    return capacity(this.#pool);
  }

  /** A dry run: every route of a call in the order in which it would be tried, or why not and from when. */
  explain(options: { readonly model?: ChatOptions['model'] } = {}): readonly ExplainRow[] {
    const stages = this.#pool.stages(this.#modelsOf(options.model), []);
    return explainRows(this.#pool, routesOf(this.#pool, stages, { size: 0, capabilities: [] }, this.#calls));
  }

  /** Fetches the lists of models anew. Resolves with what is known then; never rejects because a provider fails. */
  async refreshModels(): Promise<readonly ListedModel[]> {
    this.#checkOpen();
    await this.#pool.registry.refresh();
    return this.models();
  }

  /** The models that are known now, best first by provider. */
  models(): readonly ListedModel[] {
    return [...this.#pool.providers.keys()].flatMap((provider) =>
      this.#pool.registry.models(provider).map((model) => ({ provider, ...model })),
    );
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError();
  }

  /** Closes connections and ends what runs beside the calls. Calls under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#pool.registry.close();
    this.#engine.lines.close(closedError());
    await this.#pool.transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Some limits with others over them: an option that is `undefined` leaves what was. */
function withLimits(limits: Limits, options: CallLimits): Limits {
  return {
    timeoutMs: options.timeoutMs ?? limits.timeoutMs,
    attemptTimeoutMs: options.attemptTimeoutMs ?? limits.attemptTimeoutMs,
    maxAttempts: options.maxAttempts ?? limits.maxAttempts,
    wait: options.wait ?? limits.wait,
    maxWaitMs: options.maxWaitMs ?? limits.maxWaitMs,
  };
}
