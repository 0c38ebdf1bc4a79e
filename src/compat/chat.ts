/** The resource `chat`. */

import type { ModelFields } from '../index.ts';
import type { APIPromise } from './api-promise.ts';
import type { ChatCompletionMessageToolCall } from './chat-messages.ts';
import type { ChatCompletionCreateParamsBase } from './chat-params.ts';
import type {
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionCreateParamsStreaming,
} from './chat-params.ts';
import type { ChatCompletion, ChatCompletionChunk } from './chat-results.ts';
import { ChatCompletionRunner } from './completion-runner.ts';
import { type Fetch, isObjectOfType, send, sendForStream } from './exchange.ts';
import type { RequestDefaults, RequestOptions } from './options.ts';
import { type ParsedChatCompletion, type ParsedContent, parsedCompletion } from './parsed.ts';
import { type RunnableTool, runLoop, streamInto } from './runs.ts';
import type { Stream } from './stream.ts';

const isCompletion = isObjectOfType<ChatCompletion>('chat.completion');
const isChunk = isObjectOfType<ChatCompletionChunk>('chat.completion.chunk');

/** Fields that freelm accepts in addition to OpenAI's. */
interface ExtraFields extends Pick<ModelFields, 'top_k' | 'min_p' | 'reasoning'> {
  /** @defaultValue the pool's default model */
  model?: string | undefined;
}

type Body<Params extends ChatCompletionCreateParamsBase> = Omit<Params, 'model'> & ExtraFields;

/** The body of `stream()` and `parse()`. */
export type ChatCompletionParseParams = Omit<Body<ChatCompletionCreateParamsBase>, 'stream'>;

/** The body of `runTools()`. */
export interface ChatCompletionToolRunnerParams extends Omit<ChatCompletionParseParams, 'tools'> {
  tools: readonly RunnableTool[];
  /** Whether the answers are streamed. */
  stream?: boolean | undefined;
}

export interface RunnerOptions extends RequestOptions {
  /** How often the model is asked at most. @defaultValue 10 */
  maxChatCompletions?: number | undefined;
}

function forcedName({ tool_choice: choice }: ChatCompletionToolRunnerParams): string | undefined {
  return typeof choice === 'object' && choice.type === 'function' ? choice.function.name : undefined;
}

export class Completions {
  readonly #fetch: Fetch;
  readonly #defaults: RequestDefaults;

  /** @param defaults - For requests without options of their own. */
  constructor(fetch: Fetch, defaults: RequestDefaults = {}) {
    this.#fetch = fetch;
    this.#defaults = defaults;
  }

  /**
   * Creates a completion, or a stream of chunks if `stream` is true. freelm fails over between keys, models and
   * providers until one of them answers.
   * @throws APIError (as a rejection) with `status` and `code`. Its `cause` is the error of freelm.
   */
  create(
    body: Body<ChatCompletionCreateParamsNonStreaming>,
    options?: RequestOptions,
  ): APIPromise<ChatCompletion>;
  create(
    body: Body<ChatCompletionCreateParamsStreaming>,
    options?: RequestOptions,
  ): APIPromise<Stream<ChatCompletionChunk>>;
  create(
    body: Body<ChatCompletionCreateParamsBase>,
    options?: RequestOptions,
  ): APIPromise<ChatCompletion | Stream<ChatCompletionChunk>>;
  create(
    body: Body<ChatCompletionCreateParamsBase>,
    { signal, timeout = this.#defaults.timeout, maxRetries = this.#defaults.maxRetries }: RequestOptions = {},
  ): APIPromise<ChatCompletion | Stream<ChatCompletionChunk>> {
    const path = '/chat/completions';
    if (body.stream !== true) {
      const freelm = { timeoutMs: timeout, ...body.freelm };
      return send(this.#fetch, { path, body: { ...body, freelm }, signal, maxRetries }, isCompletion);
    }
    // `timeoutMs` bounds a whole stream. The `timeout` of OpenAI's SDK bounds only the time until it begins.
    const freelm = { firstPartTimeoutMs: timeout, ...body.freelm };
    return sendForStream(this.#fetch, { path, body: { ...body, freelm }, signal, maxRetries }, isChunk);
  }

  /**
   * Creates a completion, and reads its JSON: `choices[0].message.parsed` has the value if `response_format` is a JSON schema,
   * or is made by a helper such as `zodResponseFormat` of OpenAI's SDK, which also checks it.
   * @throws LengthFinishReasonError or ContentFilterFinishReasonError (as a rejection) for an answer that is not whole.
   */
  parse<Params extends ChatCompletionParseParams>(
    body: Params,
    options?: RequestOptions,
  ): APIPromise<ParsedChatCompletion<ParsedContent<Params>>> {
    const whole: Body<ChatCompletionCreateParamsNonStreaming> = { ...body, stream: false };
    return this.create(whole, options).map((completion) => parsedCompletion(completion, body));
  }

  /** Streams a completion with events, such as `content`. `finalChatCompletion()` has all of it, read as by `parse()`. */
  stream<Params extends ChatCompletionParseParams>(
    body: Params,
    options: RequestOptions = {},
  ): ChatCompletionRunner<ParsedContent<Params>> {
    return new ChatCompletionRunner(body.messages, options.signal, async (runner) => {
      await this.#streamed(runner, body, options);
    });
  }

  /**
   * Calls the functions that the model names and sends it their results, until it answers. Of errors in a function, the run
   * fails; of errors in the arguments, the model is told.
   */
  runTools<Params extends ChatCompletionToolRunnerParams>(
    body: Params,
    options: RunnerOptions = {},
  ): ChatCompletionRunner<ParsedContent<Params>> {
    const { tools, stream, messages: begin, ...fields } = body;
    const { maxChatCompletions } = options;
    return new ChatCompletionRunner(begin, options.signal, (runner) =>
      runLoop({
        runner,
        tools,
        forced: forcedName(body),
        maxChatCompletions,
        ask: async (declared) => {
          const request = { ...fields, messages: [...runner.messages], tools: declared };
          if (stream === true) return this.#streamed(runner, request, options);
          const { signal } = runner.controller;
          const completion = await this.create(request, { ...options, signal });
          runner.emit('connect');
          return runner.addCompletion(parsedCompletion(completion, request)).tool_calls ?? [];
        },
      }),
    );
  }

  async #streamed<Parsed>(
    runner: ChatCompletionRunner<Parsed>,
    body: ChatCompletionParseParams,
    options: RequestOptions,
  ): Promise<readonly ChatCompletionMessageToolCall[]> {
    const { signal } = runner.controller;
    const chunks = await this.create({ ...body, stream: true }, { ...options, signal });
    runner.emit('connect');
    return streamInto(runner, chunks, body);
  }
}

export class Chat {
  readonly completions: Completions;

  constructor(fetch: Fetch, defaults?: RequestDefaults) {
    this.completions = new Completions(fetch, defaults);
  }
}
