/** The parameters of `chat.completions.create`, with the names and types of OpenAI's SDK. */

import type { ChatCompletionContentPartText, ChatCompletionMessageParam } from './chat-messages.ts';
import type { FreeLLMCallOptions } from './options.ts';
import type {
  FunctionDefinition,
  FunctionParameters,
  Metadata,
  ReasoningEffort,
  ResponseFormatJSONObject,
  ResponseFormatJSONSchema,
  ResponseFormatText,
} from './shared-types.ts';

export interface ChatCompletionFunctionTool {
  type: 'function';
  function: FunctionDefinition;
}

/** A tool whose input is free text. */
export interface ChatCompletionCustomTool {
  type: 'custom';
  custom: ChatCompletionCustomTool.Custom;
}

export declare namespace ChatCompletionCustomTool {
  interface Custom {
    name: string;
    description?: string | undefined;
    format?: Custom.Text | Custom.Grammar | undefined;
  }
  namespace Custom {
    interface Text {
      type: 'text';
    }
    interface Grammar {
      type: 'grammar';
      grammar: { definition: string; syntax: 'lark' | 'regex' };
    }
  }
}

export type ChatCompletionTool = ChatCompletionFunctionTool | ChatCompletionCustomTool;

export interface ChatCompletionNamedToolChoice {
  type: 'function';
  function: { name: string };
}

export interface ChatCompletionNamedToolChoiceCustom {
  type: 'custom';
  custom: { name: string };
}

export interface ChatCompletionAllowedTools {
  mode: 'auto' | 'required';
  tools: Array<Record<string, unknown>>;
}

export interface ChatCompletionAllowedToolChoice {
  type: 'allowed_tools';
  allowed_tools: ChatCompletionAllowedTools;
}

/** Whether the model calls tools, and which one. */
export type ChatCompletionToolChoiceOption =
  | 'none'
  | 'auto'
  | 'required'
  | ChatCompletionAllowedToolChoice
  | ChatCompletionNamedToolChoice
  | ChatCompletionNamedToolChoiceCustom;

export type ChatCompletionReasoningEffort = ReasoningEffort;

export type ChatCompletionModality = 'text' | 'audio';

export interface ChatCompletionAudioParam {
  format: 'wav' | 'aac' | 'mp3' | 'flac' | 'opus' | 'pcm16';
  voice: string | { id: string };
}

export interface ChatCompletionPredictionContent {
  type: 'content';
  content: string | Array<ChatCompletionContentPartText>;
}

export interface ChatCompletionStreamOptions {
  include_obfuscation?: boolean | undefined;
  /** Whether the stream ends with a chunk that has `usage` and no choices. */
  include_usage?: boolean | undefined;
}

export interface ChatCompletionFunctionCallOption {
  name: string;
}

/**
 * The fields of a request. freelm sends all of them. If a provider refuses an optional field, freelm sends the request
 * again without it.
 */
export interface ChatCompletionCreateParamsBase {
  messages: Array<ChatCompletionMessageParam>;
  /** A virtual model (`auto`, `chat:fast`, …) or the id of a model of the pool. */
  model: string;
  /** freelm's options for this call: `wait`, `maxWaitMs`, `timeoutMs`, … */
  freelm?: FreeLLMCallOptions | undefined;

  frequency_penalty?: number | null | undefined;
  logit_bias?: Record<string, number> | null | undefined;
  logprobs?: boolean | null | undefined;
  max_completion_tokens?: number | null | undefined;
  max_tokens?: number | null | undefined;
  n?: number | null | undefined;
  parallel_tool_calls?: boolean | undefined;
  presence_penalty?: number | null | undefined;
  reasoning_effort?: ReasoningEffort | undefined;
  response_format?: ResponseFormatText | ResponseFormatJSONSchema | ResponseFormatJSONObject | undefined;
  seed?: number | null | undefined;
  stop?: string | null | Array<string> | undefined;
  stream?: boolean | null | undefined;
  stream_options?: ChatCompletionStreamOptions | null | undefined;
  temperature?: number | null | undefined;
  tool_choice?: ChatCompletionToolChoiceOption | undefined;
  tools?: Array<ChatCompletionTool> | undefined;
  top_logprobs?: number | null | undefined;
  top_p?: number | null | undefined;
  user?: string | undefined;

  audio?: ChatCompletionAudioParam | null | undefined;
  function_call?: 'none' | 'auto' | ChatCompletionFunctionCallOption | undefined;
  functions?: Array<ChatCompletionCreateParams.Function> | undefined;
  metadata?: Metadata | null | undefined;
  modalities?: Array<ChatCompletionModality> | null | undefined;
  moderation?: ChatCompletionCreateParams.Moderation | null | undefined;
  prediction?: ChatCompletionPredictionContent | null | undefined;
  prompt_cache_key?: string | null | undefined;
  prompt_cache_options?: ChatCompletionCreateParams.PromptCacheOptions | undefined;
  prompt_cache_retention?: 'in_memory' | '24h' | null | undefined;
  safety_identifier?: string | null | undefined;
  service_tier?: 'auto' | 'default' | 'flex' | 'scale' | 'priority' | null | undefined;
  store?: boolean | null | undefined;
  verbosity?: 'low' | 'medium' | 'high' | null | undefined;
  web_search_options?: ChatCompletionCreateParams.WebSearchOptions | undefined;
}

/** A request without streaming. */
export interface ChatCompletionCreateParamsNonStreaming extends ChatCompletionCreateParamsBase {
  stream?: false | null | undefined;
}

/** A request for a stream. */
export interface ChatCompletionCreateParamsStreaming extends ChatCompletionCreateParamsBase {
  stream: true;
}

export type ChatCompletionCreateParams =
  | ChatCompletionCreateParamsNonStreaming
  | ChatCompletionCreateParamsStreaming;

export declare namespace ChatCompletionCreateParams {
  interface Function {
    name: string;
    description?: string | undefined;
    parameters?: FunctionParameters | undefined;
  }
  interface Moderation {
    model: string;
    policy?:
      | {
          input?: { mode: 'score' | 'block' } | null | undefined;
          output?: { mode: 'score' | 'block' } | null | undefined;
        }
      | null
      | undefined;
  }
  interface PromptCacheOptions {
    mode?: 'implicit' | 'explicit' | undefined;
    ttl?: '30m' | undefined;
  }
  interface WebSearchOptions {
    search_context_size?: 'low' | 'medium' | 'high' | undefined;
    user_location?: WebSearchOptions.UserLocation | null | undefined;
  }
  namespace WebSearchOptions {
    interface UserLocation {
      type: 'approximate';
      approximate: UserLocation.Approximate;
    }
    namespace UserLocation {
      interface Approximate {
        city?: string | undefined;
        country?: string | undefined;
        region?: string | undefined;
        timezone?: string | undefined;
      }
    }
  }
}
