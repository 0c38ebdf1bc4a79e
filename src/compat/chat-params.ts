/** What `chat.completions.create` takes, as OpenAI's SDK types it, and freelm's own options beside it. */

import type { CallLimits, StreamOptions } from '../index.ts';
import type { ChatCompletionContentPartText, ChatCompletionMessageParam } from './chat-messages.ts';

/** A JSON schema. */
export type FunctionParameters = Record<string, unknown>;

/** A function that the model may call. */
export interface FunctionDefinition {
  name: string;
  description?: string | undefined;
  parameters?: FunctionParameters | undefined;
  strict?: boolean | null | undefined;
}

export interface ChatCompletionFunctionTool {
  type: 'function';
  function: FunctionDefinition;
}

/** A tool that takes free text. */
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

/** Whether tools are called, or which one. */
export type ChatCompletionToolChoiceOption =
  | 'none'
  | 'auto'
  | 'required'
  | ChatCompletionAllowedToolChoice
  | ChatCompletionNamedToolChoice
  | ChatCompletionNamedToolChoiceCustom;

export interface ResponseFormatText {
  type: 'text';
}

export interface ResponseFormatJSONObject {
  type: 'json_object';
}

export interface ResponseFormatJSONSchema {
  type: 'json_schema';
  json_schema: ResponseFormatJSONSchema.JSONSchema;
}

export declare namespace ResponseFormatJSONSchema {
  interface JSONSchema {
    name: string;
    description?: string | undefined;
    schema?: Record<string, unknown> | undefined;
    strict?: boolean | null | undefined;
  }
}

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | null;

export type ChatCompletionReasoningEffort = ReasoningEffort;

/** Key and value, for the caller's own books. */
export type Metadata = Record<string, string>;

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
  /** Whether the last chunk has the tokens, with no choices. */
  include_usage?: boolean | undefined;
}

export interface ChatCompletionFunctionCallOption {
  name: string;
}

/**
 * freelm's own options of one call, in the field `freelm` of the body. They stay here: no provider sees them.
 */
export interface FreeLLMCallOptions extends CallLimits, Pick<StreamOptions, 'onCut'> {}

/** The fields of a request. Those that a provider does not know go to it all the same, and are left out if it objects. */
export interface ChatCompletionCreateParamsBase {
  messages: Array<ChatCompletionMessageParam>;
  /** A virtual model (`auto`, `chat:fast`, …) or a concrete id of a provider of the pool. */
  model: string;
  /** freelm's own options: `wait`, `maxWaitMs`, `timeoutMs`, … */
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

/** A request for a whole answer. */
export interface ChatCompletionCreateParamsNonStreaming extends ChatCompletionCreateParamsBase {
  stream?: false | null | undefined;
}

/** A request for an answer in chunks. */
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
