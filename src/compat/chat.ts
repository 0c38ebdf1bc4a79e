/** Chats. */

import type { ModelFields } from '../index.ts';
import type { APIPromise } from './api-promise.ts';
import { ask, askStream, type Fetch, kind } from './exchange.ts';
import type { RequestOptions } from './options.ts';
import type { Stream } from './stream.ts';
import type {
  ChatCompletion,
  ChatCompletionAllowedToolChoice,
  ChatCompletionAllowedTools,
  ChatCompletionAssistantMessageParam,
  ChatCompletionAudio,
  ChatCompletionAudioParam,
  ChatCompletionChunk,
  ChatCompletionContentPart,
  ChatCompletionContentPartImage,
  ChatCompletionContentPartInputAudio,
  ChatCompletionContentPartRefusal,
  ChatCompletionContentPartText,
  ChatCompletionCreateParams,
  ChatCompletionCreateParamsBase,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionCustomTool,
  ChatCompletionDeveloperMessageParam,
  ChatCompletionFunctionCallOption,
  ChatCompletionFunctionMessageParam,
  ChatCompletionFunctionTool,
  ChatCompletionMessage,
  ChatCompletionMessageCustomToolCall,
  ChatCompletionMessageFunctionToolCall,
  ChatCompletionMessageParam,
  ChatCompletionMessageToolCall,
  ChatCompletionModality,
  ChatCompletionNamedToolChoice,
  ChatCompletionNamedToolChoiceCustom,
  ChatCompletionPredictionContent,
  ChatCompletionReasoningEffort,
  ChatCompletionRole,
  ChatCompletionStreamOptions,
  ChatCompletionSystemMessageParam,
  ChatCompletionTokenLogprob,
  ChatCompletionTool,
  ChatCompletionToolChoiceOption,
  ChatCompletionToolMessageParam,
  ChatCompletionUserMessageParam,
} from './types.ts';

const isCompletion = kind<ChatCompletion>('chat.completion');
const isChunk = kind<ChatCompletionChunk>('chat.completion.chunk');

/** What a request may have here beside the fields of OpenAI's. */
interface More extends Pick<ModelFields, 'top_k' | 'min_p' | 'reasoning'> {
  /** Without it, the pool's own is asked. */
  model?: string | undefined;
}

type Body<Params extends ChatCompletionCreateParamsBase> = Omit<Params, 'model'> & More;

export class Completions {
  readonly #fetch: Fetch;
  readonly #timeout: number | undefined;

  /** @param timeout - Of requests that have none of their own, in milliseconds. */
  constructor(fetch: Fetch, timeout?: number) {
    this.#fetch = fetch;
    this.#timeout = timeout;
  }

  /**
   * Asks for an answer: whole, or with `stream: true` in chunks. Goes from key to key, model to model, provider to
   * provider until there is one.
   * @throws APIError (as a rejection) with `status` and `code`; its `cause` is the error of freelm.
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
      return ask(this.#fetch, { path, body: { ...body, freelm }, signal }, isCompletion);
    }
    // OpenAI's SDK bounds the time until a stream begins: `timeoutMs` would bound the whole of it.
    const freelm = { firstPartTimeoutMs: timeout, ...body.freelm };
    return askStream(this.#fetch, { path, body: { ...body, freelm }, signal }, isChunk);
  }
}

export class Chat {
  readonly completions: Completions;

  constructor(fetch: Fetch, timeout?: number) {
    this.completions = new Completions(fetch, timeout);
  }
}

export declare namespace Completions {
  export {
    type ChatCompletion,
    type ChatCompletionAllowedToolChoice,
    type ChatCompletionAllowedTools,
    type ChatCompletionAssistantMessageParam,
    type ChatCompletionAudio,
    type ChatCompletionAudioParam,
    type ChatCompletionChunk,
    type ChatCompletionContentPart,
    type ChatCompletionContentPartImage,
    type ChatCompletionContentPartInputAudio,
    type ChatCompletionContentPartRefusal,
    type ChatCompletionContentPartText,
    type ChatCompletionCreateParams,
    type ChatCompletionCreateParamsNonStreaming,
    type ChatCompletionCreateParamsStreaming,
    type ChatCompletionCustomTool,
    type ChatCompletionDeveloperMessageParam,
    type ChatCompletionFunctionCallOption,
    type ChatCompletionFunctionMessageParam,
    type ChatCompletionFunctionTool,
    type ChatCompletionMessage,
    type ChatCompletionMessageCustomToolCall,
    type ChatCompletionMessageFunctionToolCall,
    type ChatCompletionMessageParam,
    type ChatCompletionMessageToolCall,
    type ChatCompletionModality,
    type ChatCompletionNamedToolChoice,
    type ChatCompletionNamedToolChoiceCustom,
    type ChatCompletionPredictionContent,
    type ChatCompletionReasoningEffort,
    type ChatCompletionRole,
    type ChatCompletionStreamOptions,
    type ChatCompletionSystemMessageParam,
    type ChatCompletionTokenLogprob,
    type ChatCompletionTool,
    type ChatCompletionToolChoiceOption,
    type ChatCompletionToolMessageParam,
    type ChatCompletionUserMessageParam,
  };
}

export declare namespace Chat {
  export {
    type Completions,
    type ChatCompletion,
    type ChatCompletionAllowedToolChoice,
    type ChatCompletionAllowedTools,
    type ChatCompletionAssistantMessageParam,
    type ChatCompletionAudio,
    type ChatCompletionAudioParam,
    type ChatCompletionChunk,
    type ChatCompletionContentPart,
    type ChatCompletionContentPartImage,
    type ChatCompletionContentPartInputAudio,
    type ChatCompletionContentPartRefusal,
    type ChatCompletionContentPartText,
    type ChatCompletionCreateParams,
    type ChatCompletionCreateParamsNonStreaming,
    type ChatCompletionCreateParamsStreaming,
    type ChatCompletionCustomTool,
    type ChatCompletionDeveloperMessageParam,
    type ChatCompletionFunctionCallOption,
    type ChatCompletionFunctionMessageParam,
    type ChatCompletionFunctionTool,
    type ChatCompletionMessage,
    type ChatCompletionMessageCustomToolCall,
    type ChatCompletionMessageFunctionToolCall,
    type ChatCompletionMessageParam,
    type ChatCompletionMessageToolCall,
    type ChatCompletionModality,
    type ChatCompletionNamedToolChoice,
    type ChatCompletionNamedToolChoiceCustom,
    type ChatCompletionPredictionContent,
    type ChatCompletionReasoningEffort,
    type ChatCompletionRole,
    type ChatCompletionStreamOptions,
    type ChatCompletionSystemMessageParam,
    type ChatCompletionTokenLogprob,
    type ChatCompletionTool,
    type ChatCompletionToolChoiceOption,
    type ChatCompletionToolMessageParam,
    type ChatCompletionUserMessageParam,
  };
}
