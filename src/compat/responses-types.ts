/** The parameters and results of `responses.create`, with the names and types of OpenAI's SDK. */

import type { FreeLLMCallOptions } from './options.ts';
import type { Metadata, ReasoningEffort } from './shared-types.ts';

export interface ResponseInputText {
  type: 'input_text';
  text: string;
}

/** An image by `https:` or `data:` URL. */
export interface ResponseInputImage {
  type: 'input_image';
  image_url?: string | null | undefined;
  detail: 'low' | 'high' | 'auto' | 'original';
}

export interface ResponseInputFile {
  type: 'input_file';
  file_data?: string | undefined;
  file_url?: string | undefined;
  filename?: string | undefined;
}

export type ResponseInputContent = ResponseInputText | ResponseInputImage | ResponseInputFile;

export interface EasyInputMessage {
  type?: 'message' | undefined;
  role: 'user' | 'assistant' | 'system' | 'developer';
  content: string | Array<ResponseInputContent>;
}

export interface ResponseOutputText {
  type: 'output_text';
  text: string;
  annotations: Array<ResponseOutputText.URLCitation>;
}

export declare namespace ResponseOutputText {
  interface URLCitation {
    type: 'url_citation';
    url: string;
    title: string;
    start_index: number;
    end_index: number;
  }
}

export interface ResponseOutputMessage {
  id: string;
  type: 'message';
  role: 'assistant';
  status: 'in_progress' | 'completed' | 'incomplete';
  content: Array<ResponseOutputText>;
}

export interface ResponseReasoningItem {
  id: string;
  type: 'reasoning';
  summary: Array<{ type: 'summary_text'; text: string }>;
  /** What the model's provider needs back, as an opaque text. */
  encrypted_content?: string | null;
}

export interface ResponseFunctionToolCall {
  type: 'function_call';
  id?: string;
  call_id: string;
  name: string;
  namespace?: string;
  /** JSON text as the model wrote it. */
  arguments: string;
  status?: 'in_progress' | 'completed' | 'incomplete';
}

/** A call of a tool whose input is free text. */
export interface ResponseCustomToolCall {
  type: 'custom_tool_call';
  id?: string;
  call_id: string;
  name: string;
  namespace?: string;
  input: string;
}

/** An item of an answer. It can be sent back as it is. */
export type ResponseOutputItem =
  | ResponseOutputMessage
  | ResponseReasoningItem
  | ResponseFunctionToolCall
  | ResponseCustomToolCall;

/** The result of a call, for the next request. */
export interface ResponseFunctionCallOutput {
  type: 'function_call_output' | 'custom_tool_call_output';
  call_id: string;
  output: string | Array<ResponseInputContent>;
}

/** freelm refuses an item of another type by name. */
export type ResponseInputItem =
  | EasyInputMessage
  | ResponseOutputItem
  | ResponseFunctionCallOutput
  | { type?: string | null | undefined };

export interface FunctionTool {
  type: 'function';
  name: string;
  description?: string | null | undefined;
  parameters: Record<string, unknown> | null;
  strict: boolean | null;
}

export interface CustomTool {
  type: 'custom';
  name: string;
  description?: string | undefined;
  format?: { type: 'text' } | { type: 'grammar'; definition: string; syntax: 'lark' | 'regex' } | undefined;
}

/** freelm leaves tools of OpenAI's own out, and says so in the header `x-freelm-left-out`. */
export type ResponseTool = FunctionTool | CustomTool | { type: string };

export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      name: string;
      schema: Record<string, unknown>;
      description?: string | undefined;
      strict?: boolean | null | undefined;
    };

export interface ResponseCreateParamsBase {
  input?: string | Array<ResponseInputItem> | undefined;
  /** @defaultValue the pool's default model */
  model?: string | undefined;
  /** freelm's options for this call. */
  freelm?: FreeLLMCallOptions | undefined;

  instructions?: string | null | undefined;
  max_output_tokens?: number | null | undefined;
  metadata?: Metadata | null | undefined;
  parallel_tool_calls?: boolean | null | undefined;
  previous_response_id?: string | null | undefined;
  reasoning?: { effort?: ReasoningEffort | null | undefined } | null | undefined;
  /** @defaultValue true: the answer can be continued by its id for an hour */
  store?: boolean | null | undefined;
  stream?: boolean | null | undefined;
  temperature?: number | null | undefined;
  text?: { format?: ResponseFormat | undefined } | undefined;
  tool_choice?: 'none' | 'auto' | 'required' | object | undefined;
  tools?: Array<ResponseTool> | undefined;
  top_p?: number | null | undefined;
  user?: string | undefined;

  background?: boolean | null | undefined;
  context_management?: Array<object> | null | undefined;
  conversation?: string | object | null | undefined;
  include?: Array<string> | null | undefined;
  moderation?: object | null | undefined;
  prompt?: object | null | undefined;
  prompt_cache_key?: string | null | undefined;
  prompt_cache_options?: object | undefined;
  prompt_cache_retention?: 'in_memory' | '24h' | null | undefined;
  safety_identifier?: string | null | undefined;
  service_tier?: 'auto' | 'default' | 'flex' | 'scale' | 'priority' | null | undefined;
  stream_options?: object | null | undefined;
  top_logprobs?: number | null | undefined;
  truncation?: 'auto' | 'disabled' | null | undefined;
}

export interface ResponseCreateParamsNonStreaming extends ResponseCreateParamsBase {
  stream?: false | null | undefined;
}

export interface ResponseCreateParamsStreaming extends ResponseCreateParamsBase {
  stream: true;
}

export interface ResponseUsage {
  input_tokens: number;
  input_tokens_details: { cached_tokens: number; cache_write_tokens: number };
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
}

export interface Response {
  id: string;
  object: 'response';
  /** Seconds since the epoch. */
  created_at: number;
  /** The texts of the answer, joined. Responses in the events of a stream have none. */
  output_text: string;
  status?: 'completed' | 'failed' | 'in_progress' | 'incomplete';
  error: { code: string; message: string } | null;
  incomplete_details: { reason?: 'max_output_tokens' | 'content_filter' } | null;
  instructions: string | null;
  metadata: Metadata | null;
  /** The concrete model that answered. */
  model: string;
  output: Array<ResponseOutputItem>;
  parallel_tool_calls: boolean;
  previous_response_id?: string | null;
  temperature: number | null;
  tool_choice: unknown;
  tools: Array<ResponseTool>;
  top_p: number | null;
  usage?: ResponseUsage;
  /** Not enumerable. */
  _request_id?: string | null;
}

/** An event, and its number in the stream. */
interface Numbered {
  sequence_number: number;
}

/** An event about an item. */
interface OfItem extends Numbered {
  item_id: string;
  output_index: number;
}

interface OfResponse<Type extends string> extends Numbered {
  type: `response.${Type}`;
  response: Response;
}

export type ResponseStreamEvent =
  | OfResponse<'created'>
  | OfResponse<'in_progress'>
  | OfResponse<'completed'>
  | OfResponse<'incomplete'>
  | OfResponse<'failed'>
  | (Numbered & { type: 'error'; code: string | null; message: string; param: string | null })
  | (Numbered & { type: 'response.output_item.added'; output_index: number; item: ResponseOutputItem })
  | (Numbered & { type: 'response.output_item.done'; output_index: number; item: ResponseOutputItem })
  | (OfItem & { type: 'response.content_part.added'; content_index: number; part: ResponseOutputText })
  | (OfItem & { type: 'response.content_part.done'; content_index: number; part: ResponseOutputText })
  | (OfItem & {
      type: 'response.output_text.delta';
      content_index: number;
      delta: string;
      logprobs: Array<never>;
    })
  | (OfItem & {
      type: 'response.output_text.done';
      content_index: number;
      text: string;
      logprobs: Array<never>;
    })
  | (OfItem & {
      type: 'response.output_text.annotation.added';
      content_index: number;
      annotation_index: number;
      annotation: unknown;
    })
  | (OfItem & { type: 'response.reasoning_summary_text.delta'; summary_index: number; delta: string })
  | (OfItem & { type: 'response.reasoning_summary_text.done'; summary_index: number; text: string })
  | (OfItem & {
      type: 'response.reasoning_summary_part.added' | 'response.reasoning_summary_part.done';
      summary_index: number;
      part: { type: 'summary_text'; text: string };
    })
  | (OfItem & { type: 'response.function_call_arguments.delta'; delta: string })
  | (OfItem & { type: 'response.function_call_arguments.done'; name: string; arguments: string })
  | (OfItem & { type: 'response.custom_tool_call_input.delta'; delta: string })
  | (OfItem & { type: 'response.custom_tool_call_input.done'; input: string });
