/** The resource `chat`. */

import type { ModelFields } from '../index.ts';
import type { APIPromise } from './api-promise.ts';
import type { ChatCompletionCreateParamsBase } from './chat-params.ts';
import type {
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionCreateParamsStreaming,
} from './chat-params.ts';
import type { ChatCompletion, ChatCompletionChunk } from './chat-results.ts';
import { type Fetch, isObjectOfType, send, sendForStream } from './exchange.ts';
import type { RequestOptions } from './options.ts';
import type { Stream } from './stream.ts';

const isCompletion = isObjectOfType<ChatCompletion>('chat.completion');
const isChunk = isObjectOfType<ChatCompletionChunk>('chat.completion.chunk');

/** Fields that freelm accepts in addition to OpenAI's. */
interface ExtraFields extends Pick<ModelFields, 'top_k' | 'min_p' | 'reasoning'> {
  /** @defaultValue the pool's default model */
  model?: string | undefined;
}

type Body<Params extends ChatCompletionCreateParamsBase> = Omit<Params, 'model'> & ExtraFields;

export class Completions {
  readonly #fetch: Fetch;
  readonly #timeout: number | undefined;

  /** @param timeout - In milliseconds, for requests without a `timeout` of their own. */
  constructor(fetch: Fetch, timeout?: number) {
    this.#fetch = fetch;
    this.#timeout = timeout;
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
    { signal, timeout = this.#timeout }: RequestOptions = {},
  ): APIPromise<ChatCompletion | Stream<ChatCompletionChunk>> {
    const path = '/chat/completions';
    if (body.stream !== true) {
      const freelm = { timeoutMs: timeout, ...body.freelm };
      return send(this.#fetch, { path, body: { ...body, freelm }, signal }, isCompletion);
    }
    // `timeoutMs` bounds a whole stream. The `timeout` of OpenAI's SDK bounds only the time until it begins.
    const freelm = { firstPartTimeoutMs: timeout, ...body.freelm };
    return sendForStream(this.#fetch, { path, body: { ...body, freelm }, signal }, isChunk);
  }
}

export class Chat {
  readonly completions: Completions;

  constructor(fetch: Fetch, timeout?: number) {
    this.completions = new Completions(fetch, timeout);
  }
}
