/** One LLM call that is always up, over a pool of free-tier keys. */

import type { ModelSpec } from '../core/model.ts';
import type { Call } from '../engine/call.ts';
import { Transcript, type StreamRequest } from '../engine/chat-stream.ts';
import type { Fetch } from '../rest/fetch.ts';
import { closedError } from '../errors.ts';
import type { ChatBody } from '../wire/request/chat-body.ts';
import type { ChatCompletion } from '../wire/response/chat-response.ts';
import { Calls, type CallRequest } from './calls.ts';
import { ChatStream } from './chat-stream.ts';
import { checkKeys, type CheckKeysOptions, type KeyCheck } from './check-keys/check-keys.ts';
import { compose, type Pool, type Ports } from './pool.ts';
import type { EventListener } from './events.ts';
import { type Environment, providersFromEnv } from './env/from-env.ts';
import {
  type Capacity,
  capacity,
  type ExplainRow,
  explainRows,
  health,
  type HealthRow,
  questionOf,
} from './introspection.ts';
import {
  type ChatInput,
  type ChatOptions,
  checkCallOptions,
  checkPoolOptions,
  type FreeLLMOptions,
  readMessages,
  type StreamOptions,
} from './options.ts';
import { requestBody } from './request-body.ts';
import { restFetch } from './fetch.ts';
import { type ChatResponse, toResponse } from './response.ts';
import { publiclyListed } from '../providers/presets.ts';

/** How long the first list of models of a provider is waited for. */
const REFRESH_WAIT_MS = 15_000;

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
  readonly #calls: Calls;
  #closed = false;

  /**
   * A `fetch` that answers OpenAI's REST routes in this process, whatever the host and the path before them: POST
   * `…/chat/completions`, GET `…/models` and `…/models/{id}`. Hand it to any client of OpenAI's protocol. A body's
   * `freelm` takes the options of a call, e.g. `freelm: { wait: true }`. Errors come as OpenAI's error object with a
   * status; it rejects only with the reason of an aborted signal.
   *
   * @example
   * ```ts
   * const client = new OpenAI({ apiKey: 'none', fetch: llm.fetch });
   * ```
   */
  readonly fetch: Fetch;

  /** @throws ConfigError naming the option that is not usable. */
  constructor(options: FreeLLMOptions, replaced?: Partial<Ports>) {
    checkPoolOptions(options);
    this.#pool = compose(options, replaced);
    this.#calls = new Calls(this.#pool, options, () => {
      this.#checkOpen();
    });
    this.fetch = restFetch(this, this.#pool, options.unknownModels === 'auto');
  }

  /**
   * A pool of the keys that are in the environment; `src/client/README.md` lists the variables.
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
    checkCallOptions(options, false);
    const body = this.#prepare(input, options);
    const asked = { operation: 'chat', request: body, needs: this.#pool.chat.needs(body) } as const;
    const call = await this.#calls.begin(asked, options);
    let completion: ChatCompletion | undefined;
    for await (const part of this.#calls.run(call, this.#pool.chat)) completion = part;
    if (completion === undefined) throw new Error('the loop ended without an answer');
    return toResponse(call, completion, this.#pool.clock.now());
  }

  /**
   * Asks for an answer part by part. Until the first part, it fails over as {@link FreeLLM.chat} does; a stream that
   * breaks later is gone on with by another route, and the caller sees one text.
   * @throws ConfigError, BadRequestError at once; the iteration throws what `chat()` does, and a `BrokenStreamError`
   * when a stream broke where nobody can go on.
   */
  stream(input: ChatInput, options: StreamOptions = {}): ChatStream {
    checkCallOptions(options, true);
    const body = this.#prepare(input, options, { stream: true, stream_options: { include_usage: true } });
    const pool = this.#pool;
    const request: StreamRequest = { body, onCut: options.onCut ?? 'continue', transcript: new Transcript() };
    const calls = this.#calls;
    const needs = pool.chatStream.needs(request);
    const asked: CallRequest<StreamRequest> = { operation: 'stream', request, needs };
    let call: Call<StreamRequest> | undefined;
    return new ChatStream(
      {
        route() {
          if (call?.target === undefined) return undefined;
          const { provider, model } = call.target.route;
          return { provider, model, attempts: call.attemptCount };
        },
        async *parts(signal) {
          signal.throwIfAborted();
          call = await calls.begin(asked, { ...options, signal });
          yield* calls.run(call, pool.chatStream);
        },
        respond(answer) {
          if (call === undefined) throw new Error('a stream ended before it began');
          return toResponse(call, answer, pool.clock.now());
        },
      },
      options.signal,
    );
  }

  #prepare(input: ChatInput, options: ChatOptions, own?: Readonly<Record<string, unknown>>): ChatBody {
    const messages = readMessages(input);
    this.#checkOpen();
    options.signal?.throwIfAborted();
    return requestBody(messages, options, own);
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
    const question = questionOf(this.#pool, stages, { size: 0, capabilities: [] }, this.#calls.count);
    return explainRows(this.#pool, question);
  }

  /**
   * Fetches the lists of models anew. Resolves with what is known then; never rejects because a provider fails.
   * @param options - `force: false` fetches only what is not kept already: an old list is renewed beside it.
   */
  async refreshModels(
    options: { readonly force?: boolean | undefined } = {},
  ): Promise<readonly ListedModel[]> {
    this.#checkOpen();
    const { registry, providers } = this.#pool;
    if (options.force === false) await registry.ensure([...providers.keys()], undefined, REFRESH_WAIT_MS);
    else await registry.refresh();
    return this.models();
  }

  /**
   * Asks each key's provider whether it takes the key, by the cheapest request that tells: a list of models, the
   * account's own page, or a chat of one token. What is found is told, and not remembered.
   * @throws ConfigError for an option that is not usable, and the signal's reason when it is aborted.
   */
  async checkKeys(options: CheckKeysOptions = {}): Promise<readonly KeyCheck[]> {
    this.#checkOpen();
    return checkKeys(this.#pool, options);
  }

  /** The models that are known now, best first by provider. */
  models(): readonly ListedModel[] {
    return [...this.#pool.providers.keys()].flatMap((provider) =>
      this.#pool.registry.models(provider).map((model) => ({ provider, ...model })),
    );
  }

  /** Tells `listener` of every event from now on, as `onEvent` does. The returned function ends it. */
  subscribe(listener: EventListener): () => void {
    return this.#pool.events.subscribe(listener);
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError();
  }

  /** Closes connections and ends what runs beside the calls. Calls under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#pool.registry.close();
    this.#calls.close(closedError());
    await this.#pool.transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What may be said about the look-up. */
export interface ListFreeModelsOptions extends Pick<FreeLLMOptions, 'cacheDir' | 'fetch' | 'dispatcher'> {
  readonly baseUrl?: string | undefined;
}

/**
 * OpenRouter's free models, live where it answers, else from the cache, else built in. Needs no key: the list is public
 * (2026-08). Never rejects because the list cannot be had.
 */
export async function listFreeModels(options: ListFreeModelsOptions = {}): Promise<readonly ListedModel[]> {
  const { baseUrl, ...rest } = options;
  const llm = new FreeLLM({ ...rest, providers: [publiclyListed(baseUrl)] });
  try {
    return await llm.refreshModels();
  } finally {
    await llm.close();
  }
}
