/** What `chat.completions.create` answers, as OpenAI's SDK types it. */

import type { ChatCompletionMessage } from './chat-messages.ts';

type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';
type ServiceTier = 'auto' | 'default' | 'flex' | 'scale' | 'priority';

/** Tokens, as the provider counted them. */
export interface CompletionUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  completion_tokens_details?: CompletionUsage.CompletionTokensDetails;
  prompt_tokens_details?: CompletionUsage.PromptTokensDetails;
}

export declare namespace CompletionUsage {
  interface CompletionTokensDetails {
    accepted_prediction_tokens?: number;
    audio_tokens?: number;
    reasoning_tokens?: number;
    rejected_prediction_tokens?: number;
  }
  interface PromptTokensDetails {
    audio_tokens?: number;
    cache_write_tokens?: number;
    cached_tokens?: number;
  }
}

export interface ChatCompletionTokenLogprob {
  token: string;
  bytes: Array<number> | null;
  logprob: number;
  top_logprobs: Array<ChatCompletionTokenLogprob.TopLogprob>;
}

export declare namespace ChatCompletionTokenLogprob {
  interface TopLogprob {
    token: string;
    bytes: Array<number> | null;
    logprob: number;
  }
}

/** A whole answer. */
export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** Seconds since the epoch. */
  created: number;
  /** The concrete model that answered. */
  model: string;
  choices: Array<ChatCompletion.Choice>;
  usage?: CompletionUsage;
  service_tier?: ServiceTier | null;
  system_fingerprint?: string;
  /** Not enumerable. */
  _request_id?: string | null;
}

export declare namespace ChatCompletion {
  interface Choice {
    index: number;
    message: ChatCompletionMessage;
    finish_reason: FinishReason;
    logprobs: Choice.Logprobs | null;
  }
  namespace Choice {
    interface Logprobs {
      content: Array<ChatCompletionTokenLogprob> | null;
      refusal: Array<ChatCompletionTokenLogprob> | null;
    }
  }
}

/** A piece of an answer. */
export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  /** Seconds since the epoch. */
  created: number;
  /** The concrete model that answers. */
  model: string;
  /** Empty in the chunk with the tokens. */
  choices: Array<ChatCompletionChunk.Choice>;
  /** In the last chunk, where `stream_options.include_usage` asked for it. */
  usage?: CompletionUsage | null;
  service_tier?: ServiceTier | null;
  system_fingerprint?: string;
}

export declare namespace ChatCompletionChunk {
  interface Choice {
    index: number;
    delta: Choice.Delta;
    finish_reason: FinishReason | null;
    logprobs?: ChatCompletion.Choice.Logprobs | null;
  }
  namespace Choice {
    interface Delta {
      role?: 'developer' | 'system' | 'user' | 'assistant' | 'tool';
      content?: string | null;
      refusal?: string | null;
      /** What the model thinks aloud, where the provider sends it apart. */
      reasoning_content?: string;
      function_call?: Delta.FunctionCall;
      tool_calls?: Array<Delta.ToolCall>;
    }
    namespace Delta {
      interface FunctionCall {
        name?: string;
        arguments?: string;
      }
      /** A piece of the call at `index`; the pieces of `arguments` make one JSON text. */
      interface ToolCall {
        index: number;
        id?: string;
        type?: 'function';
        function?: ToolCall.Function;
      }
      namespace ToolCall {
        interface Function {
          name?: string;
          arguments?: string;
        }
      }
    }
  }
}

/** The name of a model: any. */
export type ChatModel = string;
export type EmbeddingModel = string;

/** A model of the pool: virtual or concrete. */
export interface Model {
  id: string;
  object: 'model';
  /** Seconds since the epoch. */
  created: number;
  /** The provider, or `freelm` of a virtual model. */
  owned_by: string;
  /** In tokens, where it is known. */
  context_length?: number;
  /** Not enumerable. */
  _request_id?: string | null;
}

export interface EmbeddingCreateParams {
  input: string | Array<string> | Array<number> | Array<Array<number>>;
  model: string;
  dimensions?: number | undefined;
  encoding_format?: 'float' | 'base64' | undefined;
  user?: string | undefined;
}

export interface Embedding {
  object: 'embedding';
  index: number;
  embedding: Array<number>;
}

export interface CreateEmbeddingResponse {
  object: 'list';
  data: Array<Embedding>;
  model: string;
  usage: CreateEmbeddingResponse.Usage;
  /** Not enumerable. */
  _request_id?: string | null;
}

export declare namespace CreateEmbeddingResponse {
  interface Usage {
    prompt_tokens: number;
    total_tokens: number;
  }
}
