/** The results of `chat.completions.create`, with the names and types of OpenAI's SDK. */

import type { ChatCompletionMessage } from './chat-messages.ts';
import type { CompletionUsage } from './shared-types.ts';

type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';
type ServiceTier = 'auto' | 'default' | 'flex' | 'scale' | 'priority';

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

/** The answer to a request without streaming. */
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

/** One chunk of a stream. */
export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  /** Seconds since the epoch. */
  created: number;
  /** The concrete model that answers. */
  model: string;
  /** Empty in the chunk that has `usage`. */
  choices: Array<ChatCompletionChunk.Choice>;
  /** Set in the last chunk if the request has `stream_options.include_usage`. */
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
      /** The model's reasoning, if the provider sends it apart from the text. */
      reasoning_content?: string;
      /** A piece of the reasoning as OpenRouter sends it. */
      reasoning_details?: Array<unknown>;
      function_call?: Delta.FunctionCall;
      tool_calls?: Array<Delta.ToolCall>;
    }
    namespace Delta {
      interface FunctionCall {
        name?: string;
        arguments?: string;
      }
      /** A fragment of the call at `index`. The fragments of `arguments` add up to one JSON text. */
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
