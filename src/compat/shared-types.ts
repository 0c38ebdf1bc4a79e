/** Types of OpenAI's SDK outside of chats: shared ones, models and embeddings. */

import type { Page } from './page.ts';

/** A JSON schema. */
export type FunctionParameters = Record<string, unknown>;

/** A function that the model may call. */
export interface FunctionDefinition {
  name: string;
  description?: string | undefined;
  parameters?: FunctionParameters | undefined;
  strict?: boolean | null | undefined;
}

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

/** Key-value pairs for the caller's own use. */
export type Metadata = Record<string, string>;

/** Token counts, as the provider reports them. */
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

/** The name of any model. */
export type ChatModel = string;
export type EmbeddingModel = string;

/** A model of the pool: virtual or concrete. */
export interface Model {
  id: string;
  object: 'model';
  /** Seconds since the epoch. */
  created: number;
  /** The provider's name, or `freelm` for a virtual model. */
  owned_by: string;
  /** In tokens. Absent if unknown. */
  context_length?: number;
  /** What it does. */
  kind?: 'chat' | 'embedding';
  /** Not enumerable. */
  _request_id?: string | null;
}

export interface EmbeddingCreateParams {
  /** Lists of tokens are refused: send texts. */
  input: string | Array<string> | Array<number> | Array<Array<number>>;
  model: string;
  dimensions?: number | undefined;
  encoding_format?: 'float' | 'base64' | undefined;
  user?: string | undefined;
}

export interface Embedding {
  object: 'embedding';
  index: number;
  /** With `encoding_format: 'base64'` it is a text. */
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

/** A page of models. */
export type ModelsPage = Page<Model>;
