import type { ModelSpec } from '../core/model.ts';
import type { Route } from '../core/pool.ts';
import {
  objectOperation,
  type ObjectRequest,
  objectStreamOperation,
  type ObjectStreamRequest,
} from '../engine/object.ts';
import type { StreamBatch, StreamRequest } from '../engine/chat-stream.ts';
import { Transcript } from '../engine/resumer.ts';
import type { Fetch } from '../rest/fetch.ts';
import { closedError } from '../errors.ts';
import type { ChatMessage } from '../wire/request/chat-request.ts';
import type { StreamOperation } from '../engine/operation.ts';
import { Calls, type Turn } from './calls.ts';
import type { ChatStream } from './chat-stream.ts';
import { checkKeys, type CheckKeysOptions, type KeyCheck } from './check-keys/check-keys.ts';
import { compose, type Pool, type Ports } from './pool.ts';
import { embed, type EmbedOptions, type EmbedResponse } from './embed.ts';
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
import { checkedCallOptions, checkPoolOptions } from './option-checks.ts';
import type { ChatOptions, FreeLLMOptions, StreamOptions } from './options.ts';
import { afterImages } from './images.ts';
import { areChecksLoaded, loadChecks } from './schema-check.ts';
import { type ChatInput, readMessages } from './messages.ts';
import { requestBody } from './request-body.ts';
import { type RestCalls, restFetch } from './fetch.ts';
import { type ChatResponse, toResponse } from './response.ts';
import {
  type Answered,
  Run,
  type RunOptions,
  type RunPorts,
  type RunResult,
  RunStream,
} from './structured/run.ts';
import { ObjectStream } from './structured/object-stream.ts';
import {
  type ObjectOptions,
  objectRequest,
  type ObjectResult,
  readObjectOptions,
  schemaError,
} from './structured/object.ts';
import { reset, type ResetOptions } from './reset.ts';
import { type RoutedStream, routedStream } from './routed-stream.ts';

/** How long `refreshModels` waits for a provider's first list of models. */
const REFRESH_WAIT_MS = 15_000;

/** The fields that freelm adds to a request for a stream. */
const STREAMED = { stream: true, stream_options: { include_usage: true } };

const NO_PARTS: AsyncIterable<never> = (async function* none() {})();

/** The parts of a pool. They are made when the pool is first used. */
interface Parts {
  readonly pool: Pool;
  readonly calls: Calls;
  readonly fetch: Fetch;
}

/** The options of {@link FreeLLM.fromEnv}. */
export interface FromEnvOptions extends Omit<FreeLLMOptions, 'providers'> {
  /** Whether the environment is read only when the pool is first used. Default `false`. */
  readonly lazy?: boolean | undefined;
}

/** A model and the provider that offers it. */
export interface ListedModel extends ModelSpec {
  readonly provider: string;
}

/**
 * A pool of providers and keys behind one call. A call tries one key, model and provider after the other until one of
 * them answers.
 *
 * @example
 * ```ts
 * const llm = FreeLLM.fromEnv();
 * console.log(await llm.text('Explain black holes in one sentence.'));
 * ```
 */
export class FreeLLM {
  readonly #make: () => Parts;
  #made: Parts | undefined;
  /** Aborts when the pool is closed. */
  readonly #closing = new AbortController();

  /**
   * A `fetch` that answers OpenAI's REST routes in this process: POST `…/chat/completions`, GET `…/models` and
   * `…/models/{id}`, under any host and path. Pass it to any client of OpenAI's protocol. The field `freelm` of a body
   * takes the options of a call, e.g. `freelm: { wait: true }`. It answers errors with OpenAI's error object and a
   * status. It rejects with the signal's reason if its signal is aborted, and with a ConfigError if a lazy pool cannot
   * be created.
   *
   * @example
   * ```ts
   * const client = new OpenAI({ apiKey: 'none', fetch: llm.fetch });
   * ```
   */
  readonly fetch: Fetch;

  /**
   * @param options - The options, or a function that returns them. freelm calls this function and checks its result
   * when the pool is first used, and again if that threw.
   * @throws ConfigError that names the invalid option.
   */
  constructor(options: FreeLLMOptions | (() => FreeLLMOptions), replaced?: Partial<Ports>) {
    this.#make = () => {
      const given = typeof options === 'function' ? options() : options;
      checkPoolOptions(given);
      const pool = compose(given, replaced);
      const calls = new Calls(pool, given, () => {
        this.#checkOpen();
      });
      const ports: RestCalls = {
        chat: (messages, asked, turn) => this.#ask(messages, asked, turn),
        stream: (messages, asked, turn) => this.#stream(messages, asked, turn).stream,
        embed: (texts, asked) => this.embed(texts, asked),
      };
      return { pool, calls, fetch: restFetch(ports, pool, given) };
    };
    if (typeof options !== 'function') this.#made = this.#make();
    this.fetch = async (input, init) => this.#parts.fetch(input, init);
  }

  get #parts(): Parts {
    this.#made ??= this.#make();
    return this.#made;
  }

  get #pool(): Pool {
    return this.#parts.pool;
  }

  get #calls(): Calls {
    return this.#parts.calls;
  }

  /**
   * Creates a pool from the keys in the environment. `src/client/README.md` lists the variables.
   * @param options - All options but `providers`. With `lazy: true`, freelm reads the environment when the pool is
   * first used, and reports a missing key with the first call. A build can then load a module that creates a pool
   * without any key.
   * @param env - Default `process.env`.
   * @throws ConfigError that names the variables to set if there is no key, or the variable that is invalid.
   */
  static fromEnv({ lazy = false, ...options }: FromEnvOptions = {}, env: Environment = process.env): FreeLLM {
    const read = (): FreeLLMOptions => ({ ...options, providers: providersFromEnv(env) });
    return new FreeLLM(lazy ? read : read(), { env });
  }

  /**
   * Resolves with a whole answer. If a route fails, the call moves on to the next key, model or provider.
   * @throws ConfigError if an option is invalid, ModelNotFoundError if no provider has the model.
   * @throws BadRequestError if the request itself is at fault.
   * @throws ContentBlockedError if every provider refused the content.
   * @throws NoProvidersAvailableError if no route could serve the call. It tells when the next one is ready.
   * @throws DeadlineError if `timeoutMs` ran out.
   * @throws the signal's reason if `signal` was aborted.
   */
  chat(input: ChatInput, options: ChatOptions = {}): Promise<ChatResponse> {
    return this.#ask(input, options);
  }

  async #ask(input: ChatInput, given: ChatOptions, turn?: Turn): Promise<ChatResponse> {
    const options = checkedCallOptions(given, false);
    const prepared = this.#prepare(input, options, (messages) => requestBody(messages, options))();
    const body = prepared instanceof Promise ? await prepared : prepared;
    const asked = { operation: 'chat', request: body, needs: this.#pool.chat.needs(body), turn } as const;
    const begun = this.#calls.begin(asked, options);
    const call = begun instanceof Promise ? await begun : begun;
    const completion = await this.#calls.answer(call, this.#pool.chat);
    return toResponse(call, completion, this.#pool.clock.monotonicMs());
  }

  async #routedAnswer(
    messages: readonly ChatMessage[],
    options: ChatOptions,
    previousRoute: Route | undefined,
  ): Promise<Answered> {
    let route: Route | undefined;
    const onServed = (served: Route): void => {
      route = served;
    };
    const response = await this.#ask(messages, options, { previousRoute, onServed });
    return { response, route };
  }

  /**
   * Streams an answer. Before the first part, failover works as in {@link FreeLLM.chat}. If the stream breaks later, another
   * route continues the answer, and the caller sees one text.
   * @throws ConfigError or BadRequestError at once if the input is invalid. Iteration throws what `chat()` does, and
   * BrokenStreamError if the stream broke and no route can continue it.
   */
  stream(input: ChatInput, options: StreamOptions = {}): ChatStream {
    return this.#stream(input, options).stream;
  }

  #stream(input: ChatInput, given: StreamOptions, turn?: Turn): RoutedStream {
    const options = checkedCallOptions(given, true);
    const request = this.#prepare(input, options, (messages): StreamRequest => {
      const body = requestBody(messages, options, STREAMED);
      return { body, onCut: options.onCut ?? 'continue', transcript: new Transcript() };
    });
    return this.#streamOf(this.#pool.chatStream, request, options, turn);
  }

  #streamOf<Request>(
    operation: StreamOperation<Request, StreamBatch>,
    prepared: () => Request | Promise<Request>,
    options: ChatOptions,
    turn?: Turn,
  ): RoutedStream {
    const { pool, calls } = this.#parts;
    const asked = { operation, prepared, turn };
    return routedStream({ pool, calls, closing: this.#closing.signal }, asked, options);
  }

  #prepare<T>(
    input: ChatInput,
    { signal, tools, extraBody }: ChatOptions,
    make: (messages: readonly ChatMessage[]) => T,
    hasSchema: boolean = tools !== undefined || extraBody?.['tools'] !== undefined,
  ): () => T | Promise<T> {
    const messages = readMessages(input);
    this.#checkOpen();
    signal?.throwIfAborted();
    const prepared = afterImages(messages, make);
    if (!hasSchema || areChecksLoaded()) return prepared;
    return async () => {
      await loadChecks();
      return prepared();
    };
  }

  /** Like {@link FreeLLM.chat}, but resolves with the answer's text only. */
  async text(input: ChatInput, options: ChatOptions = {}): Promise<string> {
    const { text } = await this.chat(input, options);
    return text;
  }

  /**
   * Resolves with a value that a schema accepts. freelm asks each model in the most reliable way that the model
   * supports: with the schema as a field, in its JSON mode, or in words. It shows a model its mistake once if the
   * answer breaks the schema, and then moves on.
   * @throws SchemaError if models answered and no answer fits the schema; otherwise what {@link FreeLLM.chat} throws.
   *
   * @example
   * ```ts
   * const { data } = await llm.object('Three colours', { schema: z.object({ colours: z.array(z.string()) }) });
   * ```
   */
  async object<T>(input: ChatInput, options: ObjectOptions<T>): Promise<ObjectResult<T>> {
    const { schema, options: given } = readObjectOptions(options);
    const callOptions = checkedCallOptions(given, false);
    const make = (messages: readonly ChatMessage[]): ObjectRequest<T> =>
      objectRequest(messages, schema, callOptions);
    const request = await this.#prepare(input, callOptions, make, true)();
    const operation = objectOperation<T>(this.#pool.chat);
    const needs = operation.needs(request);
    const call = await this.#calls.begin({ operation: 'object', request, needs }, callOptions);
    try {
      const { completion, value: data } = await this.#calls.answer(call, operation);
      const answered = call.usage === undefined ? completion : { ...completion, usage: call.usage };
      return { data, response: toResponse(call, answered, this.#pool.clock.monotonicMs()) };
    } catch (error) {
      throw schemaError(error);
    }
  }

  /**
   * Like {@link FreeLLM.object}, but streams the value while it grows. If the stream breaks, or its value breaks the
   * schema, freelm repeats the whole request.
   * @throws ConfigError or BadRequestError at once if the input is invalid. Reading throws what {@link FreeLLM.object}
   * does.
   */
  streamObject<T>(input: ChatInput, options: ObjectOptions<T>): ObjectStream<T> {
    const { schema, options: given } = readObjectOptions(options);
    const asked = checkedCallOptions(given, true);
    const make = (messages: readonly ChatMessage[]): ObjectStreamRequest => ({
      object: objectRequest(messages, schema, asked, STREAMED),
      stream: { onCut: 'fail', transcript: new Transcript() },
    });
    const request = this.#prepare(input, asked, make, true);
    const { stream } = this.#streamOf(objectStreamOperation(this.#pool.chatStream), request, asked);
    return new ObjectStream({ stream, schema, again: () => this.object(input, options) });
  }

  /**
   * Runs a model with tools: carries out the calls of each answer in parallel, sends the results back to the model, and
   * repeats this until an answer calls no tool. The turns stay on the route that served the last one while it is ready.
   * @throws ConfigError if an option is invalid; what {@link FreeLLM.chat} throws if a turn cannot be served.
   *
   * @example
   * ```ts
   * const { text, turns } = await llm.run('What is the weather in Paris?', { tools: [weather] });
   * ```
   */
  run(input: ChatInput, options: RunOptions & { readonly stream: true }): RunStream;
  run(input: ChatInput, options: RunOptions & { readonly stream?: false | undefined }): Promise<RunResult>;
  run(
    input: ChatInput,
    { stream = false, ...options }: RunOptions & { readonly stream?: boolean | undefined },
  ): RunStream | Promise<RunResult> {
    const ask: RunPorts['ask'] = (messages, asked, previousRoute) => {
      if (!stream)
        return { parts: NO_PARTS, answer: () => this.#routedAnswer(messages, asked, previousRoute) };
      const { stream: answer, lastRoute } = this.#stream(messages, asked, { previousRoute });
      const parts = answer.parts();
      return { parts, answer: async () => ({ response: await answer.response(), route: lastRoute() }) };
    };
    const begin = (): RunStream => {
      const messages = afterImages(readMessages(input), (read) => read);
      return new RunStream(new Run({ ask, messages, nowMs: () => this.#pool.clock.monotonicMs() }, options));
    };
    return stream ? begin() : (async () => begin().result())();
  }

  /**
   * Turns texts into vectors, with one model. freelm sends many texts in batches. Each batch may go to another key, or
   * to another provider of the same weights. A batch that was served is not sent again.
   * @throws ConfigError or BadRequestError at once if the input is invalid, ModelNotFoundError if the pool has no
   * embedding model, or none of that name; otherwise what {@link FreeLLM.chat} throws.
   *
   * @example
   * ```ts
   * const { vectors, model } = await llm.embed(['a cat', 'a dog']);
   * const query = await llm.embed('pets', { model, inputType: 'query' });
   * ```
   */
  async embed(input: string | readonly string[], options: EmbedOptions = {}): Promise<EmbedResponse> {
    this.#checkOpen();
    return embed(this.#pool, this.#calls, input, options);
  }

  /** A row for each key: whether it is ready, why not, from when, and how much of its quota is used. Sends nothing. */
  health(): readonly HealthRow[] {
    return health(this.#pool);
  }

  /** How many requests are left now and today, for each quota, and when the next one is admitted. Sends nothing. */
  capacity(): Capacity {
    return capacity(this.#pool);
  }

  /**
   * A dry run: every route of a call in the order in which the call would try it. For a route that is not ready, the
   * row has the reason and the time at which it will be. Sends nothing.
   */
  explain({ model, privacy }: Pick<ChatOptions, 'model' | 'privacy'> = {}): readonly ExplainRow[] {
    const stages = this.#pool.stages(this.#calls.modelsOf(model), [], privacy);
    const question = questionOf(this.#pool, stages, { size: 0, capabilities: [] }, this.#calls.count);
    return explainRows(this.#pool, question);
  }

  /**
   * Reads the stored state, so that the next `health()`, `capacity()` and `explain()` show it as it is now. Only
   * asynchronous stores, e.g. Redis, need it: freelm reads memory and files during these calls. Sends nothing to
   * providers, and does not reject if the store fails.
   */
  async sync(): Promise<void> {
    await this.#pool.ledger.snapshot([this.#pool.everything()]);
  }

  /**
   * Fetches the providers' model lists. Resolves with all models known then, even if a provider fails.
   * @param options - `force: false` fetches only lists that are not cached. Expired ones are renewed in the background.
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
   * Checks each key with the cheapest request that proves it: the list of models, the account's status, or a chat of
   * one token. If a key is accepted, calls use it again at once, and earlier refusals are forgotten.
   * @throws ConfigError if an option is invalid, and the signal's reason if `signal` was aborted.
   */
  async checkKeys(options: CheckKeysOptions = {}): Promise<readonly KeyCheck[]> {
    this.#checkOpen();
    const checks = await checkKeys(this.#pool, options);
    this.#calls.wake();
    return checks;
  }

  /**
   * Forgets what freelm remembers: used quotas, pauses, refused keys, learnt limits and capabilities. The providers
   * still count what was used, so they may refuse the next requests. Default: of all providers and keys.
   * @throws ConfigError if the pool has no such provider or key.
   */
  async reset(options: ResetOptions = {}): Promise<void> {
    this.#checkOpen();
    await reset(this.#pool, options);
    this.#calls.wake();
  }

  /** The models known now, in each provider's order of preference. Sends nothing. */
  models(): readonly ListedModel[] {
    return [...this.#pool.providers.keys()].flatMap((provider) =>
      this.#pool.registry.models(provider).map((model) => ({ provider, ...model })),
    );
  }

  /** Passes every event from now on to `listener`, as to `onEvent`. The returned function unsubscribes it. */
  subscribe(listener: EventListener): () => void {
    return this.#pool.events.subscribe(listener);
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw closedError();
  }

  /**
   * Closes all connections, stops background work and saves fetched model lists. Running calls reject with a `closed`
   * error.
   */
  async close(): Promise<void> {
    const made = this.#made;
    const saved = made?.pool.registry.close();
    this.#closing.abort(closedError());
    made?.calls.close(closedError());
    made?.pool.images.close();
    await Promise.all([saved, made?.pool.ledger.close(), made?.pool.transport.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
