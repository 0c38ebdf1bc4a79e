/** The client class `OpenAI`. */

import type { FreeLLM } from '../index.ts';
import { APIPromise } from './api-promise.ts';
import type * as Chat from './chat-namespace.ts';
import { Chat as ChatResource, Completions } from './chat.ts';
import * as errors from './errors.ts';
import { type ClientOptions, isPool, poolOf, type RequestOptions } from './options.ts';
import { type Page, PagePromise } from './page.ts';
import { Embeddings, Models } from './resources.ts';
import type * as ResponseTypes from './responses-types.ts';
import { Responses } from './responses.ts';
import { Stream } from './stream.ts';
import * as types from './types.ts';
import {
  throwOnAccess,
  UNSUPPORTED_METHODS,
  UNSUPPORTED_RESOURCES,
  UNSUPPORTED_RESPONSES,
} from './unsupported.ts';

// `Chat` is both a type and a namespace, as in OpenAI's SDK.
type Chat = ChatResource;

/**
 * A drop-in replacement for the client of OpenAI's SDK, over a pool of free-tier keys.
 *
 * @example
 * ```ts
 * import OpenAI from 'freelm/compat';
 *
 * const client = new OpenAI(); // reads keys from the environment, as FreeLLM.fromEnv() does
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

  /** The pool behind this client, e.g. for `health()` and `close()`. */
  readonly freelm: FreeLLM;
  /** In milliseconds. If undefined, the pool's own timeouts apply. */
  readonly timeout: number | undefined;
  /** How often a failed call is made again, if that can help. */
  readonly maxRetries: number;
  readonly chat: Chat;
  readonly models: Models;
  readonly embeddings: Embeddings;
  readonly responses: Responses;

  /**
   * @param given - The options, or the pool alone.
   * @throws OpenAIError if there is no key (the message names the environment variables) or if an option is invalid.
   */
  constructor(given: ClientOptions | FreeLLM = {}) {
    const options: ClientOptions = isPool(given) ? { freelm: given } : given;
    this.freelm = poolOf(options);
    const { timeout, maxRetries = 0 } = options;
    this.timeout = timeout;
    this.maxRetries = maxRetries;
    const { fetch } = this.freelm;
    const defaults = { timeout, maxRetries };
    this.chat = new ChatResource(fetch, defaults);
    this.models = new Models(fetch);
    this.embeddings = new Embeddings(fetch, defaults);
    this.responses = new Responses(fetch, defaults);
  }

  /** Returns a client with other options over the same pool. */
  withOptions(options: ClientOptions): OpenAI {
    const { timeout, maxRetries } = this;
    return new OpenAI({ timeout, maxRetries, ...options, freelm: options.freelm ?? this.freelm });
  }
}

// A namespace has no `export *`, so this list repeats the names in types.ts. A test checks that none is missing.
export declare namespace OpenAI {
  export {
    type Chat,
    type ClientOptions,
    type Embeddings,
    type Models,
    type Page,
    type RequestOptions,
    ResponseTypes as Responses,
  };
  export import ChatCompletion = types.ChatCompletion;
  export import ChatCompletionAllowedToolChoice = types.ChatCompletionAllowedToolChoice;
  export import ChatCompletionAllowedTools = types.ChatCompletionAllowedTools;
  export import ChatCompletionAssistantMessageParam = types.ChatCompletionAssistantMessageParam;
  export import ChatCompletionAudio = types.ChatCompletionAudio;
  export import ChatCompletionAudioParam = types.ChatCompletionAudioParam;
  export import ChatCompletionChunk = types.ChatCompletionChunk;
  export import ChatCompletionContentPart = types.ChatCompletionContentPart;
  export import ChatCompletionContentPartImage = types.ChatCompletionContentPartImage;
  export import ChatCompletionContentPartInputAudio = types.ChatCompletionContentPartInputAudio;
  export import ChatCompletionContentPartRefusal = types.ChatCompletionContentPartRefusal;
  export import ChatCompletionContentPartText = types.ChatCompletionContentPartText;
  export import ChatCompletionCreateParams = types.ChatCompletionCreateParams;
  export import ChatCompletionCreateParamsBase = types.ChatCompletionCreateParamsBase;
  export import ChatCompletionCreateParamsNonStreaming = types.ChatCompletionCreateParamsNonStreaming;
  export import ChatCompletionCreateParamsStreaming = types.ChatCompletionCreateParamsStreaming;
  export import ChatCompletionCustomTool = types.ChatCompletionCustomTool;
  export import ChatCompletionDeveloperMessageParam = types.ChatCompletionDeveloperMessageParam;
  export import ChatCompletionFunctionCallOption = types.ChatCompletionFunctionCallOption;
  export import ChatCompletionFunctionMessageParam = types.ChatCompletionFunctionMessageParam;
  export import ChatCompletionFunctionTool = types.ChatCompletionFunctionTool;
  export import ChatCompletionMessage = types.ChatCompletionMessage;
  export import ChatCompletionMessageCustomToolCall = types.ChatCompletionMessageCustomToolCall;
  export import ChatCompletionMessageFunctionToolCall = types.ChatCompletionMessageFunctionToolCall;
  export import ChatCompletionMessageParam = types.ChatCompletionMessageParam;
  export import ChatCompletionMessageToolCall = types.ChatCompletionMessageToolCall;
  export import ChatCompletionModality = types.ChatCompletionModality;
  export import ChatCompletionNamedToolChoice = types.ChatCompletionNamedToolChoice;
  export import ChatCompletionNamedToolChoiceCustom = types.ChatCompletionNamedToolChoiceCustom;
  export import ChatCompletionPredictionContent = types.ChatCompletionPredictionContent;
  export import ChatCompletionReasoningEffort = types.ChatCompletionReasoningEffort;
  export import ChatCompletionRole = types.ChatCompletionRole;
  export import ChatCompletionStreamOptions = types.ChatCompletionStreamOptions;
  export import ChatCompletionSystemMessageParam = types.ChatCompletionSystemMessageParam;
  export import ChatCompletionTokenLogprob = types.ChatCompletionTokenLogprob;
  export import ChatCompletionTool = types.ChatCompletionTool;
  export import ChatCompletionToolChoiceOption = types.ChatCompletionToolChoiceOption;
  export import ChatCompletionToolMessageParam = types.ChatCompletionToolMessageParam;
  export import ChatCompletionUserMessageParam = types.ChatCompletionUserMessageParam;
  export import ChatModel = types.ChatModel;
  export import CompletionUsage = types.CompletionUsage;
  export import CreateEmbeddingResponse = types.CreateEmbeddingResponse;
  export import Embedding = types.Embedding;
  export import EmbeddingCreateParams = types.EmbeddingCreateParams;
  export import EmbeddingModel = types.EmbeddingModel;
  export import FunctionDefinition = types.FunctionDefinition;
  export import FunctionParameters = types.FunctionParameters;
  export import Metadata = types.Metadata;
  export import Model = types.Model;
  export import ModelsPage = types.ModelsPage;
  export import ReasoningEffort = types.ReasoningEffort;
  export import ResponseFormatJSONObject = types.ResponseFormatJSONObject;
  export import ResponseFormatJSONSchema = types.ResponseFormatJSONSchema;
  export import ResponseFormatText = types.ResponseFormatText;
}

throwOnAccess(OpenAI.prototype, '', UNSUPPORTED_RESOURCES);
throwOnAccess(Completions.prototype, 'chat.completions.', UNSUPPORTED_METHODS);
throwOnAccess(Responses.prototype, 'responses.', UNSUPPORTED_RESPONSES);
