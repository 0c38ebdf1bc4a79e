/** A stand-in for the client of OpenAI's SDK, answered by a pool. */

import * as errors from './errors.ts';
import type { FreeLLM } from '../index.ts';
import { APIPromise } from './api-promise.ts';
import { ABSENT_METHODS, ABSENT_RESOURCES, withhold } from './absent.ts';
import { type ClientOptions, poolOf, type RequestOptions } from './options.ts';
import { type Page, PagePromise } from './page.ts';
import { Chat, Completions } from './chat.ts';
import { Embeddings, Models } from './resources.ts';
import { Stream } from './stream.ts';
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
  ChatModel,
  CompletionUsage,
  CreateEmbeddingResponse,
  Embedding,
  EmbeddingCreateParams,
  EmbeddingModel,
  FunctionDefinition,
  FunctionParameters,
  Metadata,
  Model,
  ModelsPage,
  ReasoningEffort,
  ResponseFormatJSONObject,
  ResponseFormatJSONSchema,
  ResponseFormatText,
} from './types.ts';

/**
 * The client of OpenAI's SDK over a pool of free-tier keys.
 *
 * @example
 * ```ts
 * import OpenAI from 'freelm/compat';
 *
 * const client = new OpenAI(); // keys from the environment, as with FreeLLM.fromEnv()
 * const completion = await client.chat.completions.create({
 *   model: 'auto',
 *   messages: [{ role: 'user', content: 'Say hello.' }],
 * });
 * console.log(completion.choices[0]?.message.content);
 * ```
 */
export class OpenAI {
  static readonly OpenAI: typeof OpenAI = OpenAI;
  static readonly default: typeof OpenAI = OpenAI;
  static readonly APIPromise: typeof APIPromise = APIPromise;
  static readonly PagePromise: typeof PagePromise = PagePromise;
  static readonly Stream: typeof Stream = Stream;
  static readonly OpenAIError: typeof errors.OpenAIError = errors.OpenAIError;
  static readonly APIError: typeof errors.APIError = errors.APIError;
  static readonly APIConnectionError: typeof errors.APIConnectionError = errors.APIConnectionError;
  static readonly APIConnectionTimeoutError: typeof errors.APIConnectionTimeoutError =
    errors.APIConnectionTimeoutError;
  static readonly APIUserAbortError: typeof errors.APIUserAbortError = errors.APIUserAbortError;
  static readonly BadRequestError: typeof errors.BadRequestError = errors.BadRequestError;
  static readonly AuthenticationError: typeof errors.AuthenticationError = errors.AuthenticationError;
  static readonly PermissionDeniedError: typeof errors.PermissionDeniedError = errors.PermissionDeniedError;
  static readonly NotFoundError: typeof errors.NotFoundError = errors.NotFoundError;
  static readonly ConflictError: typeof errors.ConflictError = errors.ConflictError;
  static readonly UnprocessableEntityError: typeof errors.UnprocessableEntityError =
    errors.UnprocessableEntityError;
  static readonly RateLimitError: typeof errors.RateLimitError = errors.RateLimitError;
  static readonly InternalServerError: typeof errors.InternalServerError = errors.InternalServerError;

  /** The pool that answers: for `health()`, `close()` and all else that it can do. */
  readonly freelm: FreeLLM;
  /** In milliseconds; undefined: the pool's own limits. */
  readonly timeout: number | undefined;
  readonly chat: Chat;
  readonly models: Models;
  readonly embeddings: Embeddings;

  /** @throws OpenAIError naming the environment variables when there is no key, or the option that is not usable. */
  constructor(options: ClientOptions = {}) {
    this.freelm = poolOf(options);
    this.timeout = options.timeout;
    const { fetch } = this.freelm;
    this.chat = new Chat(fetch, options.timeout);
    this.models = new Models(fetch);
    this.embeddings = new Embeddings(fetch);
  }

  /** A client over the same pool, with other options. */
  withOptions(options: ClientOptions): OpenAI {
    return new OpenAI({ timeout: this.timeout, ...options, freelm: options.freelm ?? this.freelm });
  }
}

export declare namespace OpenAI {
  export {
    type Chat,
    type ClientOptions,
    type Embeddings,
    type Models,
    type Page,
    type RequestOptions,
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
    type ChatModel,
    type CompletionUsage,
    type CreateEmbeddingResponse,
    type Embedding,
    type EmbeddingCreateParams,
    type EmbeddingModel,
    type FunctionDefinition,
    type FunctionParameters,
    type Metadata,
    type Model,
    type ModelsPage,
    type ReasoningEffort,
    type ResponseFormatJSONObject,
    type ResponseFormatJSONSchema,
    type ResponseFormatText,
  };
}

withhold(OpenAI.prototype, '', ABSENT_RESOURCES);
withhold(Completions.prototype, 'chat.completions.', ABSENT_METHODS);
