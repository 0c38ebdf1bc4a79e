/** One LLM call that is always up, over a pool of free-tier keys. */

import type { ModelSpec } from '../core/model-spec.ts';
import { type Engine, failover } from '../engine/failover.ts';
import { closedError } from '../transports/closed-error.ts';
import { type ChatBody, chatBody } from '../wire/chat-request.ts';
import type { ChatCompletion } from '../wire/chat-response.ts';
import { Calls } from './calls.ts';
import { compose, type Pool, type Ports } from './compose.ts';
import { makeEngine } from './engine.ts';
import { type Environment, providersFromEnv } from './from-env.ts';
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
  type ChatInput,
  type ChatOptions,
  checkCallOptions,
  checkPoolOptions,
  type FreeLLMOptions,
  readMessages,
} from './options.ts';
import { requestBody } from './request-body.ts';
import { type ChatResponse, toResponse } from './response.ts';

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
  readonly #pool: Pool;
  readonly #engine: Engine;
  readonly #calls: Calls;
  #closed = false;

  /** @throws ConfigError naming the option that is not usable. */
  constructor(options: FreeLLMOptions, replaced?: Partial<Ports>) {
    checkPoolOptions(options);
    this.#pool = compose(options, replaced);
    this.#engine = makeEngine(this.#pool);
    this.#calls = new Calls(this.#pool, options, () => {
      this.#checkOpen();
    });
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

  /**
   * Asks for one whole answer; goes from key to key, model to model, provider to provider until there is one.
   * @throws ConfigError, BadRequestError when the request itself is at fault.
   * @throws ContentBlockedError when every provider refused the content.
   * @throws NoProvidersAvailableError when no route could serve it; says when the next one is ready.
   * @throws DeadlineError when `timeoutMs` ran out, and the signal's own reason when it was aborted.
   */
  async chat(input: ChatInput, options: ChatOptions = {}): Promise<ChatResponse> {
    const body = this.#prepare(input, options);
    const asking = { request: body, needs: this.#pool.chat.needs(body), streams: false };
    const call = await this.#calls.begin(asking, options);
    let completion: ChatCompletion | undefined;
    for await (const part of failover(this.#engine, call, this.#pool.chat)) completion = part;
    if (completion === undefined) throw new Error('the loop ended without an answer');
    return toResponse(call, completion, this.#pool.clock.now());
  }

  #prepare(input: ChatInput, options: ChatOptions): ChatBody {
    checkCallOptions(options, false);
    const messages = readMessages(input);
    this.#checkOpen();
    options.signal?.throwIfAborted();
    return requestBody(messages, options);
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
    const stages = this.#pool.stages(this.#calls.modelsOf(options.model), []);
    return explainRows(
      this.#pool,
      routesOf(this.#pool, stages, { size: 0, capabilities: [] }, this.#calls.count),
    );
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
